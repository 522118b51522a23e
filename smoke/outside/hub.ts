import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const COMMAND = fileURLToPath(new URL("../../bin/countersign.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A hub that somebody outside started by its command, in folders of its own below the temporary one. */
export class OutsideHub implements AsyncDisposable {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  url = "";

  /** `more` is set in its environment beside what each has; a function is told the folder that it gets. */
  constructor(more: (home: string) => Readonly<Record<string, string>> = () => ({})) {
    this.home = mkdtempSync(join(tmpdir(), "countersign-smoke-"));
    chmodSync(this.home, 0o711); // root's PostgreSQL is another user, which must be able to walk through
    this.env = {
      ...inherited(),
      COUNTERSIGN_DATA_DIR: join(this.home, "data"),
      COUNTERSIGN_CONFIG_DIR: join(this.home, "config"),
      COUNTERSIGN_PORT: "0",
      COUNTERSIGN_LOG_LEVEL: "warn",
      ...more(this.home),
    };
  }

  /** `countersign start --json`, until it says where it is. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [COMMAND, "start", "--json", "--name", "Ada"], {
      env: this.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (said.trimEnd().endsWith("}")) resolve(said);
    });
    child.once("exit", (code) => reject(new Error(`countersign start ended with ${code}: ${said}`)));
    this.url = (JSON.parse(await promise) as { url: string }).url;
  }

  /** Any other command of the same user. */
  async run(...args: string[]): Promise<Ended> {
    const child = spawn(process.execPath, [COMMAND, ...args], { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    return { code: code as number | null, out, err };
  }

  file(...path: string[]): string {
    return readFileSync(join(this.home, ...path), "utf8");
  }

  token(name: string): string {
    return this.file("config", "cli", `${name}.token`).trim();
  }

  /** SIGTERM; answers with the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    return code as number | null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    // its PostgreSQL stops by itself a moment after the last hub is gone
    const running = join(this.home, "data", "postgres", "data", "postmaster.pid");
    for (let looks = 0; looks < 300 && existsSync(running); looks++) await pause(100);
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What leads to a hub of the developer's own stays out. */
function inherited(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(COUNTERSIGN_|PG[A-Z]+$|DATABASE_URL$)/.test(entry[0]),
  );
  return Object.fromEntries(entries);
}
