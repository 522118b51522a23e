import { Command } from "commander";
import { AGENT, type CliContext, hubAddress } from "../context.ts";

export function stdioCommand(context: CliContext): Command {
  return new Command("stdio")
    .description("what an MCP client runs: a bridge from standard input and output to the running hub")
    .option("--as <name>", "the token to use, by its name in the config folder", AGENT)
    .addHelpText(
      "after",
      `
The hub need not run yet: calls are refused with HUB_UNREACHABLE until it does.
Standard output carries MCP messages and nothing else.`,
    )
    .action(async (options: { as: string }) => {
      // told at once and on standard error, which clients show when their server does not start
      hubAddress(context, options.as);
      const { bridge } = await import("../stdio/bridge.ts");
      await bridge({
        // asked for each message: a hub that starts again may have another port
        hub: () => {
          const { url, token } = hubAddress(context, options.as);
          return { url: new URL(url).origin, token };
        },
        input: process.stdin,
        output: process.stdout,
      });
    });
}
