import { Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../context.ts";
import type { Program } from "../runbook/run-program.ts";

const HELP = `
A runbook is Markdown: prose for people, and blocks that are done in order. Each call
goes to the hub in your name, so it is authorised, approved and recorded as the tool
that it names. docs/RUNBOOKS.md says how one is written.

--dry-run  calls nothing but the policy: what each step would be allowed; inputs
           that are not given stand there as {{name}}
--drill    does all of it in a scratch hub with people who sign, gone afterwards

A run writes down what it does (--transcript, or transcripts/ in the config folder).
One that stopped, or waits for people, is gone on with: --from <step> --transcript <file>`;

interface Given {
  readonly drill?: true;
  readonly dryRun?: true;
  readonly set: string[];
  readonly transcript?: string;
  readonly from?: number;
  readonly yes?: true;
  readonly wait: number;
}

/** `program` makes the whole command, whose verbs runbooks run. */
export function runbookCommand(context: CliContext, program: Program): Command {
  const command = new Command("runbook").description("operators' procedures, step by step: list, run, drill");
  command
    .command("list", { isDefault: true })
    .description("those that come with this program: what each is for, and who is needed")
    .action(async () => {
      const { listRunbooks } = await import("../runbook/list-runbooks.ts");
      listRunbooks(context);
    });
  command
    .command("run")
    .description("do the steps of a runbook, in order, and stop at the first that ends otherwise than it should")
    .argument("<runbook>", "its name, or the path of a file of your own")
    .addOption(new Option("--drill", "in a scratch hub of its own, which is gone afterwards").conflicts("dryRun"))
    .option("--dry-run", "change nothing: show each step, and what the policy would say")
    .option("--set <key=value>", "an input, once for each", (pair, set: string[]) => [...set, pair], [])
    .option("--transcript <file>", "write down there what was done, as JSON Lines")
    .option("--from <step>", "go on at this step with the run of the transcript", Number)
    .option("--wait <seconds>", "how long a step may wait for people", seconds, 900)
    .option("-y, --yes", "sign without asking where your own signature is enough; say that manual steps are done")
    .addHelpText("after", HELP)
    .action(async (which: string, { wait, ...options }: Given) => {
      const { runRunbook } = await import("../runbook/run-runbook.ts");
      await runRunbook(context, program, which, { ...options, waitSeconds: wait });
    });
  return command;
}

function seconds(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a number of seconds.");
}
