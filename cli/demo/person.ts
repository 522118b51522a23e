import { join } from "node:path";
import { Command } from "commander";
import { toHubError } from "../../server/errors.ts";
import { CliFolder } from "../cli-folder.ts";
import { approvalsCommand, approveCommand } from "../commands/approvals.ts";
import { callCommand } from "../commands/call.ts";
import { gitopsCommand } from "../commands/gitops.ts";
import { journalCommand } from "../commands/journal.ts";
import { inviteCommand, joinCommand } from "../commands/people.ts";
import { policyCommand } from "../commands/policy.ts";
import type { CliContext } from "../context.ts";
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { ProgressLines } from "../progress-bar.ts";
import type { Terminal } from "../terminal.ts";
import { typed } from "../typed.ts";

export interface Ran {
  /** As a person would type it. */
  readonly command: string;
  readonly said: readonly string[];
  readonly exitCode: number;
}

/** Somebody at a terminal of their own, with a config folder of their own, who runs the very commands of this program. */
export class Person {
  readonly name: string;
  readonly folder: CliFolder;
  readonly #base: CliContext;

  /** `base` says where the hub and its database are. */
  constructor(name: string, home: string, base: CliContext) {
    this.name = name;
    this.folder = new CliFolder(join(home, name));
    this.#base = base;
  }

  async run(...args: string[]): Promise<Ran> {
    const said: string[] = [];
    const context: CliContext = {
      ...this.#base,
      folder: this.folder,
      terminal: recording(this.#base.terminal, said),
      exitCode: EXIT.ok,
    };
    try {
      await commands(context).parseAsync(args, { from: "user" });
    } catch (thrown) {
      const { code, message } = toHubError(thrown);
      if (code === "INTERNAL") throw thrown;
      said.push(`${code}: ${message}`);
      context.exitCode = exitCodeOf(code);
    }
    return { command: `npx countersign ${typed(args)}`, said, exitCode: context.exitCode };
  }
}

function commands(context: CliContext): Command {
  const root = new Command("countersign").exitOverride();
  for (const make of [
    approvalsCommand,
    approveCommand,
    callCommand,
    gitopsCommand,
    inviteCommand,
    joinCommand,
    journalCommand,
    policyCommand,
  ])
    root.addCommand(make(context).exitOverride());
  return root;
}

/** A terminal whose lines are kept. */
function recording({ style }: Terminal, said: string[]): Terminal {
  const keep = (text: string) => void said.push(text);
  return {
    json: false,
    style,
    print: keep,
    note: keep,
    progress: () => {},
    progressBar: () => new ProgressLines(() => {}),
    show: (_value, words) => keep(words()),
    confirm: async () => false,
  };
}
