import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { showReceipt } from "./journal/show-receipt.ts";
import { tailJournal } from "./journal/tail-journal.ts";
import { verifyJournals } from "./journal/verify-journals.ts";

export function journalCommand(context: CliContext): Command {
  const command = new Command("journal").description("receipts and what happened: verify, tail, show");
  command
    .command("verify")
    .description("check every receipt, signature and chain in the database; name the first bad one (exit code 6)")
    .option("--remote", "ask the running hub to do it, for its own account")
    .addHelpText(
      "after",
      `
Opens the database itself: the embedded one (beside a running hub, or without),
or that of DATABASE_URL, which it reads under the hub's runtime role. Your own
account's lanes must rest on the root key that was pinned when you made or joined
it; those of other accounts on whatever key they bring along.`,
    )
    .action((options: { remote?: true }) => verifyJournals(context, options));
  command
    .command("tail")
    .description("follow what happens: receipts and events, oldest first")
    .option("-n, --lines <count>", "how many of the past to begin with", "20")
    .option("--once", "print these and end")
    .addHelpText("after", "\nWith --json one document a line; with --json --once one document altogether.")
    .action((options: { lines: string; once?: true }) => tailJournal(context, options));
  command
    .command("show <receiptId>")
    .description("fetch a receipt with its proof, verify it here, and print it (exit code 6 where it does not hold)")
    .action((id: string) => showReceipt(context, id));
  return command;
}
