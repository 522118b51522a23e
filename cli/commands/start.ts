import { Command } from "commander";
import { inheritedEnv } from "../../server/config/env.ts";
import { HubError } from "../../server/errors.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { makeFirstAccount } from "../first-account.ts";
import { askForPassphrase } from "../hidden-prompt.ts";
import { type HubProcess, type Ready, startHubProcess } from "../hub-process.ts";
import { keepHub } from "../keep-hub.ts";
import type { Terminal } from "../terminal.ts";

export function startCommand(context: CliContext): Command {
  return new Command("start")
    .description("start the hub in the foreground; the first start makes an account, you as its operator, and an agent")
    .option("--name <name>", "your name, for the first account (default: your OS user)")
    .addHelpText(
      "after",
      `
Ctrl-C (or SIGTERM) lets running calls finish, then ends; a second Ctrl-C ends at
once. With --json, one document tells where the hub is as soon as it serves. Its
log goes to standard error.`,
    )
    .action(async (options: { name?: string }) => {
      const { terminal, folder } = context;
      const giveUp = new AbortController();
      const started: { hub?: HubProcess } = {};
      endBySignals(terminal, giveUp, started);
      const hub = await startHubProcess({
        env: hubEnv(),
        log: "inherit",
        signal: giveUp.signal,
        progress: (text) => terminal.note(terminal.style("dim", text)),
        firstAccount: () => makeFirstAccount(folder, options.name),
        passphrase: askForPassphrase,
      });
      started.hub = hub;
      const { url, accountId, created } = hub.ready;
      const ours = await keepHub(folder, hub.ready);
      terminal.show({ url, accountId, created, yours: ours }, () => greeting(context, hub.ready, ours));
      context.exitCode = await hub.ended;
      if (context.exitCode !== EXIT.ok)
        terminal.note(
          "The hub ended by itself; its log says why. Start it again: what was under way is found and closed.",
        );
    });
}

/** As this process's own; its log is for reading where a person reads it and did not ask for another form. */
function hubEnv(): NodeJS.ProcessEnv {
  const env = inheritedEnv();
  return process.stderr.isTTY ? { COUNTERSIGN_LOG_FORMAT: "pretty", ...env } : env;
}

/** On a terminal, Ctrl-C reaches the hub's process by itself; every other signal is passed on. */
function endBySignals(terminal: Terminal, giveUp: AbortController, started: { readonly hub?: HubProcess }): void {
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      const child = started.hub?.child;
      if (!child) return giveUp.abort(new HubError("CANCELLED", "The start was called off."));
      const byTerminal = signal === "SIGINT" && process.stdin.isTTY;
      if (byTerminal && asked) child.kill("SIGKILL");
      else if (!byTerminal) child.kill("SIGTERM");
      if (byTerminal && !asked) terminal.note("Running calls finish first; Ctrl-C again ends at once.");
      asked = true;
    });
}

function greeting({ terminal, folder }: CliContext, ready: Ready, ours: boolean): string {
  const known = folder.hub();
  const lines: string[] = [""];
  if (ready.created)
    lines.push(
      `Made an account, its operator (you) and an agent.`,
      `Keys and tokens: ${folder.path} (yours alone)`,
      "",
    );
  if (ready.osUser)
    lines.push(`You are root, as which PostgreSQL refuses to run: it has the OS user "${ready.osUser}".`, "");
  lines.push(terminal.style("bold", "Countersign is ready."), ...lined([["MCP", ready.url]]));
  if (ours)
    lines.push(
      ...lined([
        ["connect", "npx countersign connect claude --dir <your project>"],
        ["", "(from this folder; any other MCP client runs: npx countersign stdio)"],
        ["try", "npx countersign call system_identity_whoami"],
        ["see it all", "npx countersign demo"],
      ]),
    );
  else if (known)
    lines.push(
      "",
      terminal.style("yellow", `The keys and tokens in ${folder.path} are not for this hub:`),
      `  they are for the account ${known.accountId}; this hub's is ${ready.accountId}.`,
      "  Set COUNTERSIGN_CONFIG_DIR to the folder that this account was made with.",
    );
  else
    lines.push(
      "",
      `There are no keys and tokens for this hub in ${folder.path}.`,
      "  Who made its account has them, and can invite you: npx countersign invite <name>",
    );
  return [...lines, ""].join("\n");
}

const lined = (rows: readonly [string, string][]) => rows.map(([name, text]) => `  ${name.padEnd(10)}  ${text}`);
