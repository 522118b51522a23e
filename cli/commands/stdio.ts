import { Command } from "commander";
import { AGENT, type CliContext, hubAddress } from "../context.ts";

export function stdioCommand(context: CliContext): Command {
  return new Command("stdio")
    .description(
      "what an MCP client runs: a bridge from standard input and output to the hub, which it starts if need be",
    )
    .option("--as <name>", "the token to use, by its name in the config folder", AGENT)
    .option("--no-start", "start no hub: calls are refused with HUB_UNREACHABLE until one runs")
    .addHelpText(
      "after",
      `
A hub that it starts stays when this ends, logs to hub.log in the data folder, and
ends by itself when no client has asked for anything for COUNTERSIGN_IDLE_SECONDS
(600); the next message starts another. The first start makes an account, as
countersign start does. Standard output carries MCP messages and nothing else.`,
    )
    .action(async ({ as, start }: { as: string; start: boolean }) => {
      const { ensureHub } = await import("../stdio/ensure-hub.ts");
      const revive = start ? () => ensureHub(context) : undefined;
      await revive?.().catch((error: Error) => {
        // a hub that is known may be back before the client calls
        if (!context.folder.hub()) throw error;
        context.terminal.note(`No hub could be started: ${error.message}`);
      });
      // told at once and on standard error, which clients show when their server does not start
      hubAddress(context, as);
      const { bridge } = await import("../stdio/bridge.ts");
      await bridge({
        // asked for each message: a hub that starts again may have another port
        hub: () => {
          const { url, token } = hubAddress(context, as);
          return { url: new URL(url).origin, token };
        },
        ...(revive && { revive }),
        input: process.stdin,
        output: process.stdout,
      });
    });
}
