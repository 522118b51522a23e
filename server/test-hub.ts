/**
 * For tests of whole hubs: real hub processes on one database, the people and agents who call them over HTTP, and the
 * superuser's view of what they left there.
 */
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { v7 } from "uuid";
import { claimSecret } from "../cli/claim-secret.ts";
import { CliFolder } from "../cli/cli-folder.ts";
import { AGENT, OPERATOR } from "../cli/context.ts";
import { signDecision } from "../cli/decide-request.ts";
import { makeFirstAccount, newSigningKey, ownToken } from "../cli/first-account.ts";
import { HubClient } from "../cli/hub-client.ts";
import { type HubProcess, startHubProcess } from "../cli/hub-process.ts";
import { callWithOwnSignature } from "../cli/run-with-consent.ts";
import { scratchEnv } from "../cli/scratch-env.ts";
import type { DecisionWord } from "../contracts/approval/decision.ts";
import { openRequest } from "../contracts/approval/request.ts";
import { type RequestDetail, requestDetail } from "../contracts/approval/request-view.ts";
import { publicKeyFromBase64, publicKeyToBase64 } from "../contracts/formats/ed25519.ts";
import type { FirstAccount } from "../contracts/hub/start-messages.ts";
import { INVITATION_PREFIX, parseSecret } from "../contracts/identity/bearer-secret.ts";
import { proveEnrolment } from "../contracts/identity/enrolment.ts";
import { EmbeddedKeyService } from "./adapters/embedded-keys/embedded-key-service.ts";
import { openRootKeyFile } from "./adapters/embedded-keys/root-key-file.ts";
import { accountWriter } from "./adapters/postgres/account-store.ts";
import { Database } from "./adapters/postgres/database.ts";
import { stopEmbeddedPostgres } from "./adapters/postgres/embedded-postgres.ts";
import { eventStore } from "./adapters/postgres/event-store.ts";
import { identityStore } from "./adapters/postgres/identity-store.ts";
import { PostgresKeyStore } from "./adapters/postgres/key-store.ts";
import { policyStore } from "./adapters/postgres/policy-store.ts";
import { type TestDatabase, testDatabase } from "./adapters/postgres/test-database.ts";
import { createAccount } from "./domain/identity/create-account.ts";
import { KEY_NAMES } from "./domain/keys/key-service.ts";
import { DEFAULT_POLICY } from "./domain/policy/default-document.ts";
import { QUEUES } from "./jobs/queues.ts";

const DEADLINE_MS = 30_000;

/**
 * What `look` comes to find: it is asked again until it answers with something. Whatever a hub does by itself, it does
 * within moments; the deadline is for a hub that never does.
 */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`in ${DEADLINE_MS / 1000} s there was no ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The logins that hubs get (without one they run a server of their own), and one that sees everything. */
export type HubDatabase = Partial<Pick<TestDatabase, "runtime" | "owner">> &
  Pick<TestDatabase, "superuser"> &
  AsyncDisposable;

/** Any number of hubs on one database of their own, with one root key; all gone when disposed of. */
export class TestHubs implements AsyncDisposable {
  readonly home = folderOfOurs();
  readonly db: HubDatabase;
  /** Ada: the person of the first account, and her agent. */
  readonly ada = new TestPerson(join(this.home, "people", "ada"));
  readonly #superuser: pg.Pool;
  readonly #hubs: TestHub[] = [];
  #accountId: string | undefined;

  constructor(db: HubDatabase | ((home: string) => HubDatabase)) {
    this.db = typeof db === "function" ? db(this.home) : db;
    this.#superuser = new pg.Pool({ ...this.db.superuser, max: 3 });
    this.#superuser.on("error", () => {}); // a test may stop its server
  }

  /** On a database that is migrated and has no account yet. */
  static async open(): Promise<TestHubs> {
    return new TestHubs(await testDatabase({ queues: QUEUES }));
  }

  /** On the server that the hubs themselves start and share. */
  static embedded(): TestHubs {
    return new TestHubs((home) => {
      const host = join(home, "data", "postgres", "data");
      const password = () => readFileSync(join(host, "superuser.password"), "utf8");
      return {
        superuser: { host, port: 5432, user: "postgres", password, database: "countersign" },
        [Symbol.asyncDispose]: () => stopEmbeddedPostgres(join(home, "data")),
      };
    });
  }

  /** Starts one more hub and waits until it serves. The first one to ask is given Ada. */
  async start(env: NodeJS.ProcessEnv = {}): Promise<TestHub> {
    const logFile = join(this.home, `hub-${this.#hubs.length}-${v7()}.log`);
    const log = openSync(logFile, "a", 0o600);
    try {
      const hubProcess = await startHubProcess({
        env: { ...this.env(), ...env },
        log,
        progress: () => {},
        firstAccount: () => this.firstAccount(),
      });
      const hub = new TestHub(hubProcess, logFile, { doomed: env["COUNTERSIGN_TEST_CRASH_AT"] !== undefined });
      this.#hubs.push(hub);
      this.#accountId = hubProcess.ready.accountId;
      return hub;
    } finally {
      closeSync(log);
    }
  }

  /** Hubs may fetch from Git repositories in this folder. */
  get repositories(): string {
    return join(this.home, "repositories");
  }

  /** What a hub on this database is started with. */
  env(): NodeJS.ProcessEnv {
    const { runtime, owner } = this.db;
    return {
      ...scratchEnv(this.home),
      COUNTERSIGN_LOG_FORMAT: "json",
      COUNTERSIGN_GIT_FILE_ROOTS: this.repositories,
      ...(runtime && { DATABASE_URL: urlOf(runtime) }),
      ...(owner && { COUNTERSIGN_MIGRATION_URL: urlOf(owner) }),
    };
  }

  /** Keys and tokens are made once, whoever asks how often. */
  firstAccount(): FirstAccount {
    this.#firstAccount ??= makeFirstAccount(this.ada.folder, "Ada");
    return this.#firstAccount;
  }
  #firstAccount: FirstAccount | undefined;

  /** The hub's own account, which is Ada's. */
  get accountId(): string {
    if (this.#accountId === undefined) throw new Error("no hub was started yet");
    return this.#accountId;
  }

  /** Another account on the same hubs, with a person, an operator and an agent, who are strangers to Ada. */
  async addAccount(name: string): Promise<TestPerson & { readonly accountId: string }> {
    const accountId = v7();
    const person = Object.assign(new TestPerson(join(this.home, "people", name.toLowerCase())), { accountId });
    const { operator, agent } = makeFirstAccount(person.folder, name);
    const seed = (made: { tokenId: string; tokenSha256: string }) => ({
      id: made.tokenId,
      sha256: Buffer.from(made.tokenSha256, "hex"),
    });
    const database = new Database(this.db.superuser, { poolSize: 2 });
    try {
      await database.transact(accountId, (session) =>
        createAccount(
          {
            accounts: accountWriter(session),
            identity: identityStore(session),
            policy: policyStore(session),
            events: eventStore(session),
          },
          {
            accountId,
            name,
            isHub: false,
            person: { name, publicKey: publicKeyFromBase64(operator.publicKey) },
            agent: { name: agent.name },
            tokens: { operator: seed(operator), agent: seed(agent) },
            policy: { document: DEFAULT_POLICY.canonical, hash: DEFAULT_POLICY.hash },
            now: new Date(),
          },
        ),
      );
      const { COUNTERSIGN_CONFIG_DIR: config, COUNTERSIGN_DATA_DIR: dataFolder = "" } = this.env();
      const rootKey = await openRootKeyFile({ path: `${config}/hub/root.key`, dataFolder, create: false });
      const keys = new EmbeddedKeyService(rootKey, new PostgresKeyStore(database));
      for (const key of KEY_NAMES) await keys.create(accountId, key);
    } finally {
      await database.close();
    }
    return person;
  }

  /** As the superuser, past row-level security. */
  async sql<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return (await this.#superuser.query<R>(text, [...values])).rows;
  }

  /**
   * Runs `fn` while a transaction of the superuser's holds what `lock` locks; `fn` may let go of it earlier.
   */
  async whileLocked<T>(lock: string, fn: (held: Held) => Promise<T>, values: readonly unknown[] = []): Promise<T> {
    const client = new pg.Client(this.db.superuser);
    client.on("error", () => {}); // its server may be stopped: then nothing is locked any more
    await client.connect();
    try {
      await client.query("begin");
      await client.query(lock, [...values]);
      let release: Promise<unknown> | undefined;
      const held: Held = {
        release: async () => void (await (release ??= client.query("rollback").catch(() => {}))),
        waiters: async (count) => {
          const text = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
          const look = async () => ((await this.sql(text)).length >= count ? true : undefined);
          await eventually(`${count} sessions waiting for a lock`, look);
        },
      };
      try {
        return await fn(held);
      } finally {
        await held.release();
      }
    } finally {
      await client.end();
    }
  }

  /** By invitation of the account's one person. Answers when they have joined, with a key of their own. */
  async join(hub: TestHub, name: string, roles: readonly string[] = ["admin"]): Promise<TestPerson> {
    const person = new TestPerson(join(this.home, "people", name.toLowerCase()));
    const { claimId } = await this.ada.run(hub, "system_identity_invite_person", { personName: name, roles });
    const { secret: code } = await claimSecret(this.ada.operator(hub), String(claimId));
    const invitation = parseSecret(INVITATION_PREFIX, code);
    if (!invitation) throw new Error(`no invitation code: ${code}`);
    const key = newSigningKey(person.folder);
    const { tokenId: id, tokenSha256: sha256 } = ownToken(person.folder, OPERATOR);
    await new HubClient(hub.url, code).done("system_identity_accept_invitation", {
      code,
      publicKey: publicKeyToBase64(key.publicKey),
      proof: proveEnrolment({ invitation, token: { id, sha256: Buffer.from(sha256, "hex") } }, key),
      token: { id, sha256 },
    });
    return person;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#hubs.map((hub) => hub.stop()));
    await this.#superuser.end();
    await this.db[Symbol.asyncDispose]();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A lock that a test holds. */
export interface Held {
  readonly release: () => Promise<void>;
  /** Resolves when so many sessions stand in its way. */
  readonly waiters: (count: number) => Promise<void>;
}

/** One hub process. */
export class TestHub {
  readonly process: HubProcess;
  readonly logFile: string;
  /** Whether this test ends it. */
  #ending: boolean;

  constructor(hubProcess: HubProcess, logFile: string, { doomed = false } = {}) {
    this.process = hubProcess;
    this.logFile = logFile;
    this.#ending = doomed;
    void hubProcess.ended.then((code) => {
      if (!this.#ending) console.error(`a hub ended by itself, with ${code}:\n${this.log()}`);
    });
  }

  get url(): string {
    return this.process.ready.url;
  }

  /** Another way to the same hub: a path on its port. */
  at(path: string): URL {
    return new URL(path, this.url);
  }

  log(): string {
    return readFileSync(this.logFile, "utf8");
  }

  /** As a power cut would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#ending = true;
    this.process.child.kill("SIGKILL");
    await this.process.ended;
  }

  /** Waits until the process has killed itself, as it was started to do. */
  async crashed(): Promise<void> {
    const { child } = this.process;
    await eventually("end of the hub", async () => child.signalCode ?? child.exitCode ?? undefined);
    const { signalCode, exitCode } = child;
    if (signalCode !== "SIGKILL") throw new Error(`the hub ended with ${exitCode ?? signalCode}: ${this.log()}`);
  }

  /** SIGTERM; answers with the exit code when it has drained. */
  async stop(): Promise<number> {
    this.#ending = true;
    this.process.child.kill("SIGTERM");
    return this.process.ended;
  }
}

/** Somebody with a config folder of their own: tokens, and a signing key that no hub has. */
export class TestPerson {
  readonly folder: CliFolder;

  constructor(folder: string) {
    this.folder = new CliFolder(folder);
  }

  /** Speaks to this hub with the person's own token. */
  operator(hub: TestHub): HubClient {
    return new HubClient(hub.url, this.token(OPERATOR));
  }

  agent(hub: TestHub): HubClient {
    return new HubClient(hub.url, this.token(AGENT));
  }

  token(name: string = OPERATOR): string {
    const token = this.folder.token(name);
    if (token === undefined) throw new Error(`there is no token ${name} in ${this.folder.path}`);
    return token;
  }

  /** Reads the request, checks it as the command line does, signs and sends the decision. */
  async decide(hub: TestHub, requestId: string, decision: DecisionWord = "approve", reason?: string) {
    const client = this.operator(hub);
    const detail = await client.output(requestDetail, "system_approval_get_request", { requestId });
    return signDecision(this.folder, client, {
      id: requestId,
      request: openRequest(requestId, detail),
      decision,
      ...(reason !== undefined && { reason }),
    });
  }

  /** In the profile solo: asks, signs, and waits for the result. */
  run(hub: TestHub, action: string, input: unknown): Promise<Record<string, unknown>> {
    return callWithOwnSignature(this.operator(hub), this.folder, action, input);
  }
}

/** Asks for what has to wait for people; answers with the request's id. */
export async function ask(client: HubClient, action: string, input: unknown, key?: string): Promise<string> {
  const answer = await client.call(action, input, ...(key === undefined ? [] : [key]));
  if (answer.status !== "pending") throw new Error(`${action} did not wait for anybody`);
  return answer.approval.requestId;
}

/** The request as soon as it is over: executed, failed, ambiguous, ... */
export function settledRequest(client: HubClient, requestId: string): Promise<RequestDetail> {
  return eventually(`end of the request ${requestId}`, async () => {
    const detail = await client.output(requestDetail, "system_approval_get_request", { requestId });
    return ["open", "approved", "executing"].includes(detail.state) ? undefined : detail;
  });
}

/** A policy by which the action ends as `outcome` says. */
export function policyOf(action: string, outcome: "auto" | "confirm") {
  const rule = { id: "test/loose", why: "This test is not about people.", actions: [action], outcome, loosens: true };
  return {
    apiVersion: "countersign/v1",
    kind: "Policy",
    authorization: { cedar: "" },
    intervention: { rules: [rule] },
  };
}

/** The account's one person puts a policy in force by which nobody is asked before the action. */
export async function loosen(person: TestPerson, hub: TestHub, action: string): Promise<void> {
  const { output } = await person.operator(hub).done("system_policy_get");
  const input = { document: policyOf(action, "auto"), baseVersion: output.version };
  await person.run(hub, "system_policy_put", input);
}

/** A fleet object that refers to nothing. */
export function moduleNamed(name: string) {
  const spec = { version: "1.0.0", source: "https://modules.example/it", digest: `sha256:${"5".repeat(64)}` };
  return { kind: "Module", name, spec };
}

/** Root's PostgreSQL is another user, which must be able to walk through. */
function folderOfOurs(): string {
  const path = mkdtempSync(join(tmpdir(), "countersign-hubs-"));
  chmodSync(path, 0o711);
  return path;
}

/** As `DATABASE_URL` names it. */
export function urlOf({ user, password, host, port, database }: pg.PoolConfig): string {
  const place = `${encodeURIComponent(host ?? "")}:${port}/${encodeURIComponent(database ?? "")}`;
  return `postgres://${encodeURIComponent(user ?? "")}:${encodeURIComponent(String(password))}@${place}`;
}
