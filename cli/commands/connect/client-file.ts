import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { HubError } from "../../../server/errors.ts";

const BIN = fileURLToPath(new URL("../../../bin/countersign.js", import.meta.url));
const NAME = "countersign";

/** A client's own project file, as far as it differs from the others'. */
interface ClientFile {
  readonly path: string;
  /** The member that holds the servers by their names. */
  readonly servers: "mcpServers" | "servers";
  /** What this client wants in each server's entry beside the command. */
  readonly more?: Readonly<Record<string, string>>;
}

/** By the name that `connect` is given. */
export const CLIENTS: Readonly<Record<string, ClientFile>> = {
  claude: { path: ".mcp.json", servers: "mcpServers" },
  // https://code.visualstudio.com/docs/copilot/reference/mcp-configuration
  vscode: { path: ".vscode/mcp.json", servers: "servers", more: { type: "stdio" } },
  // https://cursor.com/docs/mcp
  cursor: { path: ".cursor/mcp.json", servers: "mcpServers", more: { type: "stdio" } },
};

const anyObject = z.record(z.string(), z.unknown());

/** The client's file of the project in `folder`, and what our entry in it is to be. */
export class ProjectFile {
  readonly path: string;
  readonly #client: ClientFile;
  readonly #entry: Readonly<Record<string, unknown>>;

  /** `env`: what the client's own environment may lack. */
  constructor(client: ClientFile, folder: string, env: Readonly<Record<string, string>>) {
    this.path = resolve(folder, client.path);
    this.#client = client;
    this.#entry = { ...client.more, ...commandFor(resolve(folder)), ...(Object.keys(env).length > 0 && { env }) };
  }

  /**
   * The file's text with our entry added or renewed; everything else in it stays. Throws CONFIG_INVALID for what cannot
   * be written again as it was: comments, too, would be lost.
   */
  withEntry(before: string | undefined): string {
    const { servers } = this.#client;
    const file = before === undefined || before.trim() === "" ? {} : this.#parsed(before);
    const known = anyObject.safeParse(file[servers] ?? {});
    if (!known.success) throw this.#refusal(`its "${servers}" is no object`);
    return `${JSON.stringify({ ...file, [servers]: { ...known.data, [NAME]: this.#entry } }, null, 2)}\n`;
  }

  #parsed(text: string): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(text.replace(/^\ufeff/, ""));
    } catch (cause) {
      throw this.#refusal(
        `it is no plain JSON: ${(cause as Error).message}; comments and trailing commas count`,
        cause,
      );
    }
    const { success, data } = anyObject.safeParse(value);
    if (!success) throw this.#refusal("it is no object");
    return data;
  }

  #refusal(why: string, cause?: unknown): HubError {
    const entry = JSON.stringify({ [NAME]: this.#entry }, null, 2);
    return new HubError(
      "CONFIG_INVALID",
      `${this.path} cannot be added to (${why}), and was left alone. Add this under "${this.#client.servers}" yourself:\n${entry}`,
      { cause },
    );
  }
}

/** Inside of this package npx finds the command by its name; elsewhere it is called by its place. */
function commandFor(folder: string) {
  const inside = !relative(dirname(dirname(BIN)), folder).startsWith("..") && existsSync(join(folder, "package.json"));
  return inside ? { command: "npx", args: [NAME, "stdio"] } : { command: process.execPath, args: [BIN, "stdio"] };
}
