import { Argument, Command } from "commander";
import type { CliContext } from "../context.ts";
import type { Story } from "../demo/run-demo.ts";

const STORIES = {
  approvals: () => import("../demo/approvals-story.ts"),
  gitops: () => import("../demo/gitops-story.ts"),
} satisfies Record<string, () => Promise<Story>>;

export function demoCommand(context: CliContext): Command {
  return new Command("demo")
    .description("walk a whole job through a scratch hub: ask, refuse, approve, execute, prove; takes some seconds")
    .addArgument(new Argument("[story]", "what it tells").choices(Object.keys(STORIES)).default("approvals"))
    .addHelpText(
      "after",
      `
approvals  an agent asks, people sign, a receipt is forged and found
gitops     a commit becomes a proposal, an approved proposal becomes the fleet

Starts a hub of its own in a temporary folder and removes it at the end. No
network beyond this machine.`,
    )
    .action(async (story: keyof typeof STORIES) => {
      const [{ runDemo }, told] = await Promise.all([import("../demo/run-demo.ts"), STORIES[story]()]);
      await runDemo(context, told);
    });
}
