import { HubError } from "../../../server/errors.ts";
import { printable, type Terminal } from "../../terminal.ts";
import type { Recoverable } from "./open-recoverable.ts";

/** Says what will be done and asks. Throws CONFIRMATION_DECLINED. */
export async function agree(
  terminal: Terminal,
  account: Pick<Recoverable, "id" | "rootKey">,
  plan: readonly string[],
  { yes }: { readonly yes?: true },
): Promise<void> {
  const signs = account.rootKey !== undefined;
  const right = signs ? "the hub's root key" : "the right of who owns the database's tables";
  terminal.note(
    printable(
      [`In the account ${account.id}, past its policy, by ${right}:`, ...plan.map((line) => `  ${line}`)].join("\n"),
    ),
  );
  terminal.note(
    signs
      ? "It is recorded in the account's journal and told as an event."
      : "It is noted, and told as an event; a hub with the root key puts it into the account's journal as its owner's word.",
  );
  if (yes || (await terminal.confirm("Do it?"))) return;
  throw new HubError("CONFIRMATION_DECLINED", "Nothing was changed. (Where nobody can be asked, --yes does it.)");
}
