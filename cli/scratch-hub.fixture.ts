import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { CliFolder } from "./cli-folder.ts";
import { stopDatabase } from "./demo/scratch-database.ts";
import { makeFirstAccount } from "./first-account.ts";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import { scratchEnv } from "./scratch-env.ts";

export const COMMAND = fileURLToPath(new URL("../bin/countersign.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command, run with this environment. Nobody sits at its terminal. */
export async function runCommand(env: NodeJS.ProcessEnv, args: readonly string[], input = ""): Promise<Ended> {
  const child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: "pipe" });
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: code as number | null, out, err };
}

/** A home for one hub: folders below the temporary one, and no other hub's address in the environment. */
export class ScratchHome implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), "countersign-cli-"));
  readonly env: NodeJS.ProcessEnv = scratchEnv(this.path);
  readonly dataDir = join(this.path, "data");
  readonly folder = new CliFolder(join(this.path, "config", "cli"));

  constructor() {
    chmodSync(this.path, 0o711);
  }

  run(...args: string[]): Promise<Ended> {
    return runCommand(this.env, args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (existsSync(this.dataDir)) await stopDatabase(this.dataDir);
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A running hub with its first account, whose operator is called Ada. */
export class ScratchHub extends ScratchHome {
  #process: HubProcess | undefined;

  static async open(): Promise<ScratchHub> {
    const hub = new ScratchHub();
    await hub.start();
    return hub;
  }

  async start(): Promise<void> {
    const started = await startHubProcess({
      env: this.env,
      log: "inherit",
      progress: () => {},
      firstAccount: () => makeFirstAccount(this.folder, "Ada"),
    });
    this.#process = started;
    const { url, accountId, rootKey } = started.ready;
    this.folder.saveHub({ url, accountId, rootKey });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  get url(): string {
    return this.#process?.ready.url ?? "";
  }

  /** The environment of somebody else, who has nothing yet. */
  envOf(name: string): NodeJS.ProcessEnv {
    return { ...this.env, COUNTERSIGN_CONFIG_DIR: join(this.path, "people", name), COUNTERSIGN_URL: this.url };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await super[Symbol.asyncDispose]();
  }
}
