import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import * as z from "zod";
import { configFrom } from "../../server/config/config.ts";
import { inheritedEnv, readEnv } from "../../server/config/env.ts";
import { HubError } from "../../server/errors.ts";
import type { CliContext } from "../context.ts";
import { printable } from "../terminal.ts";

const BIN = fileURLToPath(new URL("../../bin/countersign.js", import.meta.url));
const clientFile = z.looseObject({ mcpServers: z.record(z.string(), z.unknown()).optional() });

export function connectCommand(context: CliContext): Command {
  return new Command("connect")
    .description("write a client's own project file, after showing it; it holds no token")
    .argument("<client>", "claude")
    .option("--dir <folder>", "the project", ".")
    .option("-y, --yes", "write without asking")
    .action(async (client: string, options: { dir: string; yes?: true }) => {
      if (client !== "claude")
        throw new HubError(
          "INPUT_INVALID",
          `There is no client "${client}" yet: claude is the one. Any other client can run: npx countersign stdio`,
        );
      const { terminal } = context;
      const file = resolve(options.dir, ".mcp.json");
      const before = existsSync(file) ? readFileSync(file, "utf8") : undefined;
      const text = withCountersign(file, before, context.config.folders.config);
      if (text === before) return terminal.show({ file, changed: false }, () => `${file} is as it should be.`);
      terminal.note(`${file}\n\n${printable(text)}`);
      if (!options.yes && !(await terminal.confirm("Write it?")))
        throw new HubError("CONFIRMATION_DECLINED", "Nothing was written. (Where nobody can be asked, --yes writes.)");
      write(file, text);
      terminal.show(
        { file, changed: true },
        () => `Written. Start the client in ${dirname(file)}; the hub must be running (npx countersign start).`,
      );
    });
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new HubError("CONFIG_INVALID", `${file} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

/** The file with our entry added or renewed; everything else in it stays. */
function withCountersign(file: string, before: string | undefined, configFolder: string): string {
  const parsed = before === undefined ? {} : parseClientFile(file, before);
  const countersign = { ...entry(dirname(file)), ...environment(configFolder) };
  const mcpServers = { ...parsed.mcpServers, countersign };
  return `${JSON.stringify({ ...parsed, mcpServers }, null, 2)}\n`;
}

/** Inside of this package npx finds the command by its name; elsewhere it is called by its place. */
function entry(folder: string) {
  const inside = !relative(dirname(dirname(BIN)), folder).startsWith("..") && existsSync(join(folder, "package.json"));
  return inside
    ? { command: "npx", args: ["countersign", "stdio"] }
    : { command: process.execPath, args: [BIN, "stdio"] };
}

/** The client's own environment may lead to another config folder than this one's. */
function environment(configFolder: string): { env?: Record<string, string> } {
  const usual = configFrom(readEnv(inheritedEnv({ COUNTERSIGN_CONFIG_DIR: undefined }))).folders.config;
  return configFolder === usual ? {} : { env: { COUNTERSIGN_CONFIG_DIR: configFolder } };
}

function parseClientFile(file: string, text: string): z.output<typeof clientFile> {
  try {
    return clientFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new HubError(
      "CONFIG_INVALID",
      `${file} is no client file that can be added to (${(cause as Error).message.split("\n")[0]}); it was left alone.`,
      { cause },
    );
  }
}
