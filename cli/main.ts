import { Command, CommanderError } from "commander";
import { configFrom, secretsFrom } from "../server/config/config.ts";
import { readEnv } from "../server/config/env.ts";
import { HubError, toHubError } from "../server/errors.ts";
import { CliFolder } from "./cli-folder.ts";
import { approvalsCommand, approveCommand, rejectCommand } from "./commands/approvals.ts";
import { callCommand } from "./commands/call.ts";
import { connectCommand } from "./commands/connect.ts";
import { demoCommand } from "./commands/demo.ts";
import { journalCommand } from "./commands/journal.ts";
import { inviteCommand, joinCommand } from "./commands/people.ts";
import { policyCommand } from "./commands/policy.ts";
import { startCommand } from "./commands/start.ts";
import { stdioCommand } from "./commands/stdio.ts";
import { tokensCommand } from "./commands/tokens.ts";
import type { CliContext } from "./context.ts";
import { EXIT, EXIT_WORDS, exitCodeOf } from "./exit-codes.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  // before the settings are read, so that a fault in them is told in the form that was asked for
  const terminal = openTerminal({ colours: true });
  terminal.json = args.includes("--json");
  try {
    const env = readEnv();
    const config = configFrom(env);
    const context: CliContext = {
      terminal: config.cli.colours
        ? terminal
        : Object.assign(openTerminal({ colours: false }), { json: terminal.json }),
      config,
      secrets: secretsFrom(env),
      folder: new CliFolder(config.folders.cli),
      exitCode: EXIT.ok,
    };
    await program(context).parseAsync(args, { from: "user" });
    return context.exitCode;
  } catch (error) {
    return tell(terminal, error);
  }
}

function program(context: CliContext): Command {
  const commands = [
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
    policyCommand,
    journalCommand,
  ].map((make) => make(context));
  const root = new Command("countersign")
    .description("Countersign: agents ask, people approve, the hub acts, receipts prove it")
    .addHelpText("after", `\n${EXIT_WORDS}`);
  for (const command of commands) root.addCommand(command);
  for (const command of everyCommand(root)) {
    command.exitOverride().showHelpAfterError("(add --help for what this command takes)");
    if (!command.options.some((option) => option.long === "--json")) command.option("--json", "answer as JSON");
  }
  return root;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function tell(terminal: Terminal, error: unknown): number {
  // commander has printed its help or its complaint already
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const failure = toHubError(error);
  if (terminal.json) {
    const { code, message, path, details } = failure;
    terminal.print(JSON.stringify({ error: { code, message, path, details } }, null, 2));
  } else {
    terminal.note(`${terminal.style("red", failure.code)}: ${failure.message}`);
    if (!(error instanceof HubError) && error instanceof Error) terminal.note(`${error.name}: ${error.message}`);
  }
  return exitCodeOf(failure.code);
}
