import { Command } from "commander";
import type { CliContext } from "../context.ts";

export function demoCommand(context: CliContext): Command {
  return new Command("demo")
    .description("walk a whole job through a scratch hub: ask, refuse, approve, execute, prove; takes some seconds")
    .addHelpText(
      "after",
      "\nStarts a hub of its own in a temporary folder and removes it at the end. No\nnetwork beyond this machine.",
    )
    .action(async () => {
      const { runDemo } = await import("../demo/run-demo.ts");
      await runDemo(context);
    });
}
