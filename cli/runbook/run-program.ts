import { type Command, CommanderError } from "commander";
import { toHubError } from "../../server/errors.ts";
import type { CliContext } from "../context.ts";
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { ProgressLines } from "../progress-bar.ts";
import type { Terminal } from "../terminal.ts";

/** Makes this program's command with all its verbs; handed in, since it has the runbook's own verb among them. */
export type Program = (context: CliContext) => Command;

/** How a command of this program ended. */
export interface Ran {
  readonly exit: number;
  /** What it printed. */
  readonly said: string;
  /** Whether a person has seen that already. */
  readonly shown: boolean;
  /** Its one document, where JSON was asked for. */
  readonly output?: unknown;
}

/**
 * Runs a command of this program in this process: words as they are, no shell. What goes wrong is told by its exit code, as
 * a shell would see it.
 */
export async function runProgram(
  base: CliContext,
  program: Program,
  words: readonly string[],
  { json, echo }: { json: boolean; echo: boolean },
): Promise<Ran> {
  const said: string[] = [];
  const shown = echo && !json && !base.terminal.json;
  let output: unknown;
  const tell = (text: string) => {
    said.push(text);
    if (shown) base.terminal.note(text);
  };
  const terminal: Terminal = {
    ...base.terminal,
    json,
    ...(!echo && { progressBar: () => new ProgressLines(() => {}) }),
    print: tell,
    note: tell,
    show: (value, inWords) => {
      output = value;
      tell(inWords());
    },
  };
  const context: CliContext = { ...base, terminal, exitCode: EXIT.ok };
  try {
    await program(context).parseAsync([...words], { from: "user" });
    return { exit: context.exitCode, said: said.join("\n"), shown, output };
  } catch (thrown) {
    if (thrown instanceof CommanderError)
      return { exit: thrown.exitCode === 0 ? EXIT.ok : EXIT.usage, said: thrown.message, shown: false };
    const { code, message: words } = toHubError(thrown);
    // what only its log would know of the hub, this program knows of itself
    const message = code === "INTERNAL" && thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : words;
    return { exit: exitCodeOf(code), said: [...said, `${code}: ${message}`].join("\n"), shown: false, output };
  }
}
