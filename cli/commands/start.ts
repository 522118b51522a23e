import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { makeFirstAccount } from "../first-account.ts";
import { type Ready, startHubProcess } from "../hub-process.ts";

export function startCommand(context: CliContext): Command {
  return new Command("start")
    .description("start the hub in the foreground; the first start makes an account, you as its operator, and an agent")
    .option("--name <name>", "your name, for the first account (default: your OS user)")
    .action(async (options: { name?: string }) => {
      const { terminal, folder } = context;
      const hub = await startHubProcess({
        log: "inherit",
        progress: (text) => terminal.note(terminal.style("dim", text)),
        firstAccount: () => makeFirstAccount(folder, options.name),
      });
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
        process.on(signal, () => hub.child.kill("SIGTERM"));
      const { url, accountId, rootKey, created } = hub.ready;
      const known = folder.hub();
      // the root key is pinned when the account is made, and is never replaced by what a hub says later
      if (created) folder.saveHub({ url, accountId, rootKey });
      else if (known?.accountId === accountId) folder.saveHub({ ...known, url });
      terminal.show({ url, accountId, created }, () => greeting(context, hub.ready));
      context.exitCode = await hub.ended;
    });
}

function greeting({ terminal, folder }: CliContext, ready: Ready): string {
  const bold = (text: string) => terminal.style("bold", text);
  const rows = [
    ["MCP", ready.url],
    [
      "connect",
      "npx countersign connect claude    (writes .mcp.json in a project; other clients run: npx countersign stdio)",
    ],
    ["try", "npx countersign call system_identity_whoami"],
    ["see it all", "npx countersign demo"],
  ];
  const made = ready.created
    ? [`Made an account, its operator and an agent. Keys and tokens: ${folder.path} (yours alone, 0600).`, ""]
    : [];
  const user = ready.osUser ? [`PostgreSQL runs as the OS user "${ready.osUser}", since it refuses root.`, ""] : [];
  const width = Math.max(...rows.map(([name]) => name?.length ?? 0));
  return [
    "",
    ...made,
    ...user,
    bold("Countersign is ready."),
    ...rows.map(([name, text]) => `  ${(name ?? "").padEnd(width)}  ${text}`),
    "",
  ].join("\n");
}
