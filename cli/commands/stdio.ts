import { Command } from "commander";
import { AGENT, type CliContext } from "../context.ts";

export function stdioCommand(context: CliContext): Command {
  return new Command("stdio")
    .description("what an MCP client runs: a bridge from standard input and output to the running hub")
    .option("--as <name>", "the token to use, by its name in the config folder", AGENT)
    .action(async (options: { as: string }) => {
      const { bridge } = await import("../stdio/bridge.ts");
      void context;
      void options;
      void bridge;
    });
}
