/**
 * One embedded PostgreSQL shared by any number of hub processes that come and go. The server is detached and stops
 * when no hub is left (embedded-reaper.ts). Starting needs no lock of ours: postmaster.pid lets one of several racing
 * servers live, and the others' hubs connect to that one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { HubError } from "../../errors.ts";
import { type Binaries, binaries, createCluster, type RunAs, reachablePrograms, runAs } from "./embedded-cluster.ts";
import { JOIN, REAPER_AT_WORK, SERVER_PID, sendReaper, unref } from "./embedded-reaper.ts";

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "", // unix socket only: no port to collide, nothing to scan
  unix_socket_directories: ".", // relative to the data folder, so the server's own path is never too long
  shared_buffers: "32MB",
  max_connections: "100",
  max_wal_size: "256MB",
  jit: "off",
  io_method: "sync",
  max_worker_processes: "2",
  max_parallel_workers_per_gather: "0",
  wal_level: "minimal",
  max_wal_senders: "0",
  timezone: "UTC",
  // no row values in the log
  log_min_messages: "warning",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
};

// The shell stays as the server's parent: a server killed with -9 must not remain a zombie, or its postmaster.pid
// counts as alive (PID 1 of a container may never reap). It also stops a server for which no reaper showed up in 15 s,
// because its starter was killed before it could send one.
const LAUNCH = `"$@" & p=$!; i=0
  while [ $i -lt 60 ] && [ ! -e reaper-$p ] && kill -0 $p; do sleep 0.25; i=$((i+1)); done 2> /dev/null
  [ -e reaper-$p ] || kill -INT $p 2> /dev/null
  wait $p; status=$?; rm -f reaper-$p; exit $status`;

/** SQLSTATEs of a server that will answer soon: stopping, crashed, starting, broken off, full. */
const WAIT = new Set(["57P01", "57P02", "57P03", "08006", "53300"]);

/** A server that never answered is given up after this many starts of ours; a failed one takes half a second. */
const HOPELESS = 12;

export interface JoinOptions {
  /** How long the server outlives its last hub. */
  readonly idleStopMs?: number;
  readonly timeoutMs?: number;
  /** Server settings beside the usual ones, for the process that happens to start it. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether membership alone keeps this process from ending; default true. */
  readonly keepsProcess?: boolean;
  readonly log?: (message: string) => void;
  readonly onProgress?: (sentence: string) => void;
}

export interface EmbeddedPostgres {
  /** As the superuser, in the database `postgres`. It stays valid when the server is restarted. */
  readonly superuser: pg.ClientConfig;
  /** The folder that holds the cluster, its passwords and its log. */
  readonly home: string;
  /** The OS user that the server runs as, where that is not the hub's own. */
  readonly osUser?: string;
  /** Leaves. The last one's leaving stops the server a moment later. */
  release(): Promise<void>;
}

/**
 * Joins the server of `dataDir`, starting or creating it where needed; rejoins by itself if the server dies.
 * Throws DATA_FOLDER_UNUSABLE, DATABASE_UNREACHABLE.
 */
export async function joinEmbeddedPostgres(dataDir: string, options: JoinOptions = {}): Promise<EmbeddedPostgres> {
  const home = resolve(dataDir, "postgres");
  const data = join(home, "data");
  makeDataFolder(home);
  const as = runAs();
  const programs = reachablePrograms(await binaries(), as);
  if (!existsSync(data)) {
    options.onProgress?.(`Creating a PostgreSQL of the hub's own in ${home}.`);
    createCluster(programs.initdb, home, data, as);
  }

  // connect() takes at most 107 bytes of path (103 on macOS): a private link makes a long one short
  const short = data.length > 85 ? join(mkdtempSync(join(tmpdir(), "cs-")), "d") : undefined;
  if (short) symlinkSync(data, short);
  const password = readFileSync(join(data, "superuser.password"), "utf8");
  const superuser = { host: short ?? data, port: 5432, user: "postgres", database: "postgres", password };

  const membership = new Membership(home, superuser, new Launcher(home, data, programs, as, options), options);
  await membership.join();
  return {
    superuser,
    home,
    ...(as.osUser ? { osUser: as.osUser } : {}),
    async release() {
      await membership.leave();
      if (short) rmSync(dirname(short), { recursive: true, force: true });
    },
  };
}

/** Stops the server of `dataDir` at once, whoever uses it, and waits until it is gone: for a folder about to be removed. */
export async function stopEmbeddedPostgres(dataDir: string): Promise<void> {
  const data = resolve(dataDir, "postgres", "data");
  if (!existsSync(join(data, "postmaster.pid"))) return;
  const embedded = await joinEmbeddedPostgres(dataDir);
  const client = new pg.Client(embedded.superuser);
  client.on("error", () => {});
  await client.connect();
  const stopped = new Promise((done) => client.once("end", done));
  await embedded.release();
  await client.query(`copy (select) to program 'kill -INT ${SERVER_PID}'`).catch(() => {}); // it may be cut off
  await stopped;
  while (existsSync(join(data, "postmaster.pid"))) await sleep(10); // the shutdown checkpoint
}

/** Makes the data folder, or one below it, for this user alone. Throws DATA_FOLDER_UNUSABLE. */
export function makeDataFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    rmSync(mkdtempSync(join(path, ".writable-")), { recursive: true });
  } catch (cause) {
    throw new HubError(
      "DATA_FOLDER_UNUSABLE",
      `The hub cannot write to ${path} (${(cause as NodeJS.ErrnoException).code}): set COUNTERSIGN_DATA_DIR (data) and COUNTERSIGN_CONFIG_DIR (keys and tokens) to folders that this user may write to.`,
      { cause, details: { folder: path } },
    );
  }
}

/** Starts servers, one at a time, and counts those that ended. */
class Launcher {
  readonly #home: string;
  readonly #data: string;
  readonly #programs: Binaries;
  readonly #as: RunAs;
  readonly #options: JoinOptions;
  #child: ChildProcess | undefined;
  starts = 0;

  constructor(home: string, data: string, programs: Binaries, as: RunAs, options: JoinOptions) {
    this.#home = home;
    this.#data = data;
    this.#programs = programs;
    this.#as = as;
    this.#options = options;
  }

  start(): void {
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) return; // still coming up
    this.starts += 1;
    const log = openSync(join(this.#home, "server.log"), "a", 0o600);
    const settings = Object.entries({ ...SETTINGS, ...this.#options.settings });
    const folder = this.#as.folder(this.#data);
    const server = [this.#programs.postgres, "-D", folder, ...settings.flatMap(([k, v]) => ["-c", `${k}=${v}`])];
    this.#child = spawn("/bin/sh", ["-c", LAUNCH, "sh", ...server], {
      ...this.#as.ids,
      detached: true,
      stdio: ["ignore", log, log],
      cwd: this.#data,
    });
    this.#child.on("error", (error) => this.#options.log?.(`PostgreSQL did not start: ${error.message}`)).unref();
    closeSync(log);
  }
}

/** This process's connection to the server, kept for as long as it uses the server. */
class Membership {
  readonly #home: string;
  readonly #superuser: pg.ClientConfig;
  readonly #launcher: Launcher;
  readonly #options: JoinOptions;
  #member: pg.Client | undefined;
  #left = false;

  constructor(home: string, superuser: pg.ClientConfig, launcher: Launcher, options: JoinOptions) {
    this.#home = home;
    this.#superuser = superuser;
    this.#launcher = launcher;
    this.#options = options;
  }

  async join(): Promise<void> {
    this.#launcher.starts = 0;
    const end = Date.now() + (this.#options.timeoutMs ?? 60_000);
    for (let pause = 15; !this.#left; pause = Math.min(pause * 1.2, 250)) {
      const client = new pg.Client({ ...this.#superuser, application_name: "countersign-member" });
      client.on("error", () => {}); // 'end' follows
      try {
        await this.#enter(client);
        return;
      } catch (error) {
        await client.end().catch(() => {});
        const lost = !(error instanceof pg.DatabaseError); // no answer from a server, whatever pg calls it
        if (!lost && !WAIT.has(error.code ?? "")) throw error;
        if (Date.now() > end || this.#launcher.starts > HOPELESS) throw this.#gaveUp(error);
        if (lost) this.#launcher.start();
        else this.#launcher.starts = 0;
      }
      await sleep(pause);
    }
  }

  async leave(): Promise<void> {
    this.#left = true;
    await this.#member?.end().catch(() => {});
  }

  async #enter(client: pg.Client): Promise<void> {
    await client.connect();
    await client.query(JOIN);
    sendReaper(this.#superuser, this.#options.idleStopMs ?? 3000);
    // before that, leaving would leave a server behind
    for (let n = 1; !(await client.query(REAPER_AT_WORK)).rowCount; n++) {
      if (n % 200 === 0) sendReaper(this.#superuser, this.#options.idleStopMs ?? 3000); // a full server had no room
      await sleep(5);
    }
    if (this.#left) return await client.end();
    client.once("end", () => {
      if (!this.#left) this.join().catch((error: Error) => this.#options.log?.(error.message));
    });
    if (this.#options.keepsProcess === false) unref(client);
    this.#member = client;
  }

  #gaveUp(cause: unknown): HubError {
    const log = join(this.#home, "server.log");
    const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
    const said = lines.map((line) => /(?:FATAL|ERROR):.*/.exec(line)?.[0]).findLast((reason) => reason);
    const because = said ? ` It said: ${said}` : "";
    return new HubError(
      "DATABASE_UNREACHABLE",
      `The embedded PostgreSQL does not start; its log is ${log}.${because}`,
      {
        cause,
      },
    );
  }
}
