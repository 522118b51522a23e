import { chmodSync, existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { configFrom } from "../../server/config/config.ts";
import { readEnv } from "../../server/config/env.ts";
import { AGENT, type CliContext } from "../context.ts";
import { makeFirstAccount } from "../first-account.ts";
import { startHubProcess } from "../hub-process.ts";
import { scratchEnv } from "../scratch-env.ts";
import { Person } from "./person.ts";
import { stopDatabase } from "./scratch-database.ts";

/** A hub with a database, folders and people of its own, in a temporary folder that goes away with it. */
export interface ScratchAccount extends AsyncDisposable {
  readonly ada: Person;
  readonly ben: Person;
  readonly cleo: Person;
  /** The agent, as a real MCP client over HTTP. */
  readonly agent: Client;
  readonly dataDir: string;
  stopHub(): Promise<void>;
  /** Starts it anew at the same address, with the database of another data folder. */
  startHub(dataDir: string): Promise<void>;
  /** Ada's, at a terminal where nobody sits: for commands beyond those that people of a demo run. */
  readonly context: CliContext;
  /** A folder whose Git repositories the hub may read; nothing is in it, and it is not made yet. */
  readonly repositories: string;
}

/** `signal` gives up; what was made by then is removed. */
export async function openScratchAccount(context: CliContext, signal: AbortSignal): Promise<ScratchAccount> {
  await using opening = new AsyncDisposableStack();
  const home = mkdtempSync(join(tmpdir(), "countersign-demo-"));
  chmodSync(home, 0o711); // root's PostgreSQL is another user, which must be able to walk through
  // rmSync gives up without an error where the ending server removes a file at the same time
  opening.defer(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
  const repositories = join(home, "repositories");
  const env = { ...scratchEnv(home), COUNTERSIGN_GIT_FILE_ROOTS: repositories };
  const config = configFrom(readEnv(env));
  const dataDirs = [config.folders.data];
  opening.defer(async () => {
    for (const dir of new Set(dataDirs)) if (existsSync(dir)) await stopDatabase(dir);
  });
  const people = join(home, "people");
  const secrets = { databaseUrl: undefined, migrationUrl: undefined, token: undefined };
  const base = { ...context, config, secrets };
  const ada = new Person("ada", people, base);
  const start = (more: NodeJS.ProcessEnv = {}) =>
    startHubProcess({
      env: { ...env, ...more },
      log: "inherit",
      signal,
      progress: (text) => context.terminal.progress(text),
      firstAccount: () => makeFirstAccount(ada.folder, "Ada"),
    });
  let hub = await start();
  opening.defer(() => hub.stop());
  context.terminal.progress("");
  const { url, accountId, rootKey } = hub.ready;
  ada.folder.saveHub({ url, accountId, rootKey });
  const agent = opening.adopt(await connectAgent(url, ada.folder.token(AGENT) ?? ""), (client) => client.close());
  const joining = { ...base, config: { ...config, cli: { ...config.cli, url } } };
  const rooms = opening.move();
  return {
    ada,
    ben: new Person("ben", people, joining),
    cleo: new Person("cleo", people, joining),
    agent,
    dataDir: config.folders.data,
    get context() {
      const folders = { ...config.folders, data: dataDirs.at(-1) ?? config.folders.data };
      return { ...base, config: { ...config, folders }, folder: ada.folder };
    },
    stopHub: () => hub.stop(),
    async startHub(dataDir) {
      dataDirs.push(dataDir);
      hub = await start({ COUNTERSIGN_DATA_DIR: dataDir, COUNTERSIGN_PORT: new URL(url).port });
      context.terminal.progress("");
    },
    repositories,
    [Symbol.asyncDispose]: () => rooms.disposeAsync(),
  };
}

async function connectAgent(url: string, token: string): Promise<Client> {
  const client = new Client(
    { name: "countersign-demo", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  );
  return client;
}
