import { readFileSync } from "node:fs";
import { Command } from "commander";
import { approvalsCommand, approveCommand, rejectCommand } from "./commands/approvals.ts";
import { backupCommand } from "./commands/backup.ts";
import { callCommand } from "./commands/call.ts";
import { connectCommand } from "./commands/connect.ts";
import { credentialsCommand } from "./commands/credentials.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { gitopsCommand } from "./commands/gitops.ts";
import { journalCommand } from "./commands/journal.ts";
import { keysCommand } from "./commands/keys.ts";
import { inviteCommand, joinCommand } from "./commands/people.ts";
import { policyCommand } from "./commands/policy.ts";
import { recoverCommand } from "./commands/recover.ts";
import { runbookCommand } from "./commands/runbook.ts";
import { startCommand } from "./commands/start.ts";
import { stdioCommand } from "./commands/stdio.ts";
import { tokensCommand } from "./commands/tokens.ts";
import { vaultCommand } from "./commands/vault.ts";
import type { CliContext } from "./context.ts";
import { EXIT_WORDS } from "./exit-codes.ts";

const EXAMPLES = `Examples:
  npx countersign start                        the hub, in this terminal
  npx countersign connect claude --dir ../app  let a client of that project use it
  npx countersign call system_identity_whoami  any tool
  npx countersign approve <id>                 see what an agent asks for, and sign
  npx countersign demo                         the whole way, in a scratch hub`;

const FOLDERS = `Keys and tokens are in the config folder (COUNTERSIGN_CONFIG_DIR), the embedded
database in the data folder (COUNTERSIGN_DATA_DIR). docs/CONFIGURATION.md has
every setting.`;

/** The command `countersign` with all its verbs. Throws CommanderError where the arguments are wrong. */
export function program(context: CliContext): Command {
  const root = new Command("countersign")
    .description("Countersign: agents ask, people approve, the hub acts, receipts prove it")
    .version(version(), "-V, --version")
    .addHelpText("after", `\n${EXAMPLES}\n\n${EXIT_WORDS}\n\n${FOLDERS}`);
  for (const make of [
    startCommand,
    stdioCommand,
    connectCommand,
    demoCommand,
    callCommand,
    approvalsCommand,
    approveCommand,
    rejectCommand,
    inviteCommand,
    joinCommand,
    tokensCommand,
    keysCommand,
    vaultCommand,
    policyCommand,
    credentialsCommand,
    gitopsCommand,
    journalCommand,
    doctorCommand,
    recoverCommand,
    backupCommand,
  ])
    root.addCommand(make(context));
  root.addCommand(runbookCommand(context, program));
  for (const command of everyCommand(root)) {
    command.exitOverride();
    // with --json the complaint is the document on standard output
    if (context.terminal.json) command.configureOutput({ outputError: () => {} });
    else command.showHelpAfterError("(add --help for what this command takes)");
    if (!command.options.some((option) => option.long === "--json")) command.option("--json", "answer as JSON");
  }
  return root;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}
