import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { readEnv } from "../../server/config/env.ts";
import { HubError } from "../../server/errors.ts";
import type { CliContext } from "../context.ts";
import { printable } from "../terminal.ts";
import { CLIENTS, ProjectFile } from "./connect/client-file.ts";

const NAMES = Object.keys(CLIENTS);

export function connectCommand(context: CliContext): Command {
  return new Command("connect")
    .description("write a client's own project file, after showing it; it holds no token")
    .argument("<client>", NAMES.join(", "))
    .option("--dir <folder>", "the project", ".")
    .option("-y, --yes", "write without asking")
    .addHelpText("after", `\n${NAMES.map((name) => `${name.padEnd(8)}${CLIENTS[name]?.path}`).join("\n")}`)
    .action(async (name: string, options: { dir: string; yes?: true }) => {
      const client = Object.hasOwn(CLIENTS, name) ? CLIENTS[name] : undefined;
      if (!client)
        throw new HubError(
          "INPUT_INVALID",
          `There is no client "${name}" yet: ${NAMES.join(", ")}. Any other client can run: npx countersign stdio`,
        );
      const { terminal } = context;
      requireFolder(options.dir);
      const project = new ProjectFile(client, options.dir, folderSettings());
      const { path: file } = project;
      const before = existsSync(file) ? read(file) : undefined;
      const text = project.withEntry(before);
      if (text === before) return terminal.show({ file, changed: false }, () => `${file} is as it should be.`);
      terminal.note(`${file}\n\n${printable(text)}`);
      if (!options.yes && !(await terminal.confirm("Write it?")))
        throw new HubError("CONFIRMATION_DECLINED", "Nothing was written. (Where nobody can be asked, --yes writes.)");
      write(options.dir, file, text);
      terminal.show(
        { file, changed: true },
        () => `Written. Start the client in ${resolve(options.dir)}; it starts a hub where none runs.`,
      );
    });
}

/** The project is somebody's own: it is not made here. Throws CONFIG_INVALID. */
function requireFolder(dir: string): void {
  if (existsSync(dir) && statSync(dir).isDirectory()) return;
  throw new HubError(
    "CONFIG_INVALID",
    `There is no folder ${resolve(dir)}, where the client's file would go: make it, or name the client's project with --dir <folder>.`,
    { path: "--dir" },
  );
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new HubError(
      "CONFIG_INVALID",
      `${file} is there and cannot be read (${codeIn(cause)}): look at what it is.`,
      {
        cause,
      },
    );
  }
}

const codeIn = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? "no word why";

/** Makes the client's folder in the project, and not the project. */
function write(dir: string, file: string, text: string): void {
  try {
    const folder = dirname(file);
    if (folder !== resolve(dir) && !existsSync(folder)) mkdirSync(folder);
    writeFileSync(file, text);
  } catch (cause) {
    const sentence = `${file} cannot be written (${codeIn(cause)}): let this user write there, or name another project with --dir <folder>.`;
    throw new HubError("CONFIG_INVALID", sentence, { cause });
  }
}

/** Settings that lead to this hub's folders: the client's own environment may not have them. None is secret. */
function folderSettings(): Record<string, string> {
  const { COUNTERSIGN_CONFIG_DIR, COUNTERSIGN_DATA_DIR, COUNTERSIGN_ROOT_KEY_FILE } = readEnv();
  return {
    ...(COUNTERSIGN_CONFIG_DIR !== undefined && { COUNTERSIGN_CONFIG_DIR }),
    ...(COUNTERSIGN_DATA_DIR !== undefined && { COUNTERSIGN_DATA_DIR }),
    ...(COUNTERSIGN_ROOT_KEY_FILE !== undefined && { COUNTERSIGN_ROOT_KEY_FILE }),
  };
}
