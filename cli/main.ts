import { CommanderError } from "commander";
import { configFrom, secretsFrom } from "../server/config/config.ts";
import { readEnv } from "../server/config/env.ts";
import { HubError } from "../server/errors.ts";
import { CliFolder } from "./cli-folder.ts";
import type { CliContext } from "./context.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { program } from "./program.ts";
import { openTerminal, printable, type Terminal } from "./terminal.ts";
import { trustAuthorities } from "./trusted-authorities.ts";

for (const stream of [process.stdout, process.stderr]) stream.on("error", endWithoutReader);
process.exitCode = await main(process.argv.slice(2));

/** A reader that has seen enough, such as head, is no failure; what has to be cleared away is, as on SIGTERM. */
function endWithoutReader(): void {
  if (!process.emit("SIGTERM", "SIGTERM")) process.exit(EXIT.ok);
}

async function main(args: readonly string[]): Promise<number> {
  // before the settings are read, so that a fault in them is told in the form that was asked for
  const terminal = openTerminal({ colours: true });
  terminal.json = args.some((arg) => arg === "--json" || arg.startsWith("--json="));
  try {
    const env = readEnv();
    const config = configFrom(env);
    if (config.cli.caFile !== undefined) trustAuthorities(config.cli.caFile);
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

function tell(terminal: Terminal, error: unknown): number {
  // commander has printed its help or its complaint already
  if (error instanceof CommanderError && (error.exitCode === 0 || !terminal.json))
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { code, message, path, details, receipt } = failureOf(error);
  if (terminal.json) terminal.show({ error: { code, message, path, details, receipt } }, () => "");
  else {
    const where = path === undefined ? "" : ` (at ${printable(path)})`;
    terminal.note(`${terminal.style("red", code)}: ${printable(message)}${where}`);
    if (receipt) terminal.note(terminal.style("dim", `receipt ${receipt.id}`));
  }
  return exitCodeOf(code);
}

function failureOf(error: unknown): HubError {
  if (error instanceof HubError) return error;
  if (error instanceof CommanderError) {
    const message = error.code === "commander.help" ? "no command is named" : error.message.replace(/^error: /, "");
    return new HubError("INPUT_INVALID", message, { cause: error });
  }
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new HubError("INTERNAL", `The command failed for a reason that it does not know: ${said}`, { cause: error });
}
