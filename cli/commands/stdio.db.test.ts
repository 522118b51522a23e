import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { CliFolder } from "../cli-folder.ts";
import { AGENT, OPERATOR } from "../context.ts";
import { startHubProcess } from "../hub-process.ts";
import { COMMAND, ScratchHome } from "../scratch-hub.fixture.ts";

/** Ends by itself in tests alone: each waits for its end, however long it takes. */
const SOON = { COUNTERSIGN_IDLE_SECONDS: "1", COUNTERSIGN_LOG_LEVEL: "info", COUNTERSIGN_LOG_FORMAT: "json" };
const NEVER = { ...SOON, COUNTERSIGN_IDLE_SECONDS: "0" };
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** A home whose hub nobody started. */
class QuietHome extends ScratchHome {
  readonly logFile = join(this.dataDir, "hub.log");

  lines(): { msg: string; pid?: number; accountId?: string }[] {
    if (!existsSync(this.logFile)) return [];
    return readFileSync(this.logFile, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
  }

  /** Of each hub that came to serve. */
  ready() {
    return this.lines().filter(({ msg }) => msg === "ready");
  }

  /** Ends what a client started, and waits until it is gone. */
  async end(): Promise<void> {
    for (const { pid } of this.ready()) await ended(pid as number, "SIGTERM");
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await super[Symbol.asyncDispose]();
  }
}

async function ended(pid: number, signal: NodeJS.Signals | 0 = 0): Promise<void> {
  try {
    for (process.kill(pid, signal); ; await pause(20)) process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** `countersign stdio`, and a client of revision 2026-07-28 at its streams. */
class Client {
  readonly child: ChildProcess;
  readonly said: Promise<string>;
  #id = 0;
  #rest = "";
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  constructor(env: NodeJS.ProcessEnv, ...more: string[]) {
    this.child = spawn(process.execPath, [COMMAND, "stdio", ...more], { env, stdio: "pipe" });
    this.said = text(this.child.stderr as NodeJS.ReadableStream);
    this.child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (this.#rest + chunk).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) {
        const answer = JSON.parse(line) as Answer;
        this.#waiting.get(answer.id)?.(answer);
      }
    });
  }

  whoami(): Promise<Answer> {
    const id = ++this.#id;
    const params = { name: "system_identity_whoami", arguments: {}, _meta: META };
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params })}\n`);
    return answer;
  }

  /** Closes the client's end; answers with what was said on standard error. */
  async close(): Promise<{ code: number | null; said: string }> {
    this.child.stdin?.end();
    const [[code], said] = await Promise.all([once(this.child, "exit"), this.said]);
    return { code: code as number | null, said };
  }
}

interface Answer {
  readonly id: number;
  readonly result?: { readonly structuredContent?: { readonly account: { readonly id: string } } };
  readonly error?: { readonly data: { readonly code: string } };
}

const accountIn = ({ result, error }: Answer) => {
  assert.equal(error, undefined, JSON.stringify(error));
  return result?.structuredContent?.account.id;
};

test("two clients at once on an empty home start one hub, with an account, which outlives them both", async () => {
  await using home = new QuietHome();
  const env = { ...home.env, ...NEVER };
  const clients = [new Client(env), new Client(env)];
  const answers = await Promise.all(clients.map((client) => client.whoami()));
  const endings = await Promise.all(clients.map((client) => client.close()));
  assert.deepEqual(
    endings.map(({ code }) => code),
    [0, 0],
  );
  assert.equal(endings.filter(({ said }) => said.includes("No hub runs: starting one")).length, 1);

  const [ready, ...more] = home.ready();
  assert.deepEqual(more, [], "two hubs were started");
  assert.deepEqual(answers.map(accountIn), [ready?.accountId, ready?.accountId]);
  assert.equal(home.folder.hub()?.accountId, ready?.accountId);
  const asked = await home.run("call", "system_identity_whoami");
  assert.equal(asked.code, 0, asked.err);

  assert.equal(statSync(home.logFile).mode & 0o777, 0o600);
  const log = readFileSync(home.logFile, "utf8");
  for (const name of [OPERATOR, AGENT]) assert.ok(!log.includes(home.folder.token(name)?.slice(-20) ?? "?"));
});

test("an idle hub ends, and the next message of a client that stayed starts another, of the same account", async () => {
  await using home = new QuietHome();
  const client = new Client({ ...home.env, ...SOON });
  const account = accountIn(await client.whoami());
  const [first] = home.ready();
  await ended(first?.pid as number);
  assert.ok(home.lines().some(({ msg }) => msg === "no client is left"));
  assert.equal((await home.run("approvals")).code, 5, "nobody answers");

  assert.equal(accountIn(await client.whoami()), account);
  assert.equal(home.ready().length, 2);
  assert.equal((await client.close()).code, 0);
  await ended(home.ready()[1]?.pid as number);
});

test("a hub that a person started never ends by idleness", async () => {
  await using home = new ScratchHome();
  await using other = new QuietHome();
  const { makeFirstAccount } = await import("../first-account.ts");
  const hub = await startHubProcess({
    env: { ...home.env, ...SOON },
    log: "ignore",
    progress: () => {},
    firstAccount: () => makeFirstAccount(home.folder, "Ada"),
  });
  // one that ends is started after it, so that its time is over later
  const client = new Client({ ...other.env, ...SOON });
  await client.whoami();
  await client.close();
  await ended(other.ready()[0]?.pid as number);
  assert.equal((await fetch(new URL("/healthz", hub.ready.url))).status, 200);
  await hub.stop();
});

test("a starter that is killed before the hub is up leaves none behind", async () => {
  await using home = new QuietHome();
  const { child } = new Client({ ...home.env, ...NEVER });
  const children = () => {
    try {
      return readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
    } catch {
      return undefined;
    }
  };
  while (children() === "") await new Promise(setImmediate);
  const hub = Number(children()?.split(" ")[0]);
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
  if (Number.isInteger(hub)) await ended(hub);
  assert.deepEqual(home.ready(), []);
});

test("no hub is started for a folder that joined one elsewhere, nor for a hub that COUNTERSIGN_URL names", async () => {
  await using home = new QuietHome();
  const elsewhere = { url: "http://127.0.0.1:9/mcp", accountId: "0193a000-0000-7000-8000-000000000001" };
  home.folder.saveHub(elsewhere);
  home.folder.saveToken(AGENT, "cs_0193a0000000700080000000000000c1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  for (const env of [home.env, { ...home.env, COUNTERSIGN_URL: elsewhere.url }]) {
    const client = new Client(env);
    assert.equal((await client.whoami()).error?.data.code, "HUB_UNREACHABLE");
    assert.equal((await client.close()).code, 0);
  }
  assert.ok(!existsSync(home.dataDir));
});

test("a hub of another account is not left running for a folder that is not its", async () => {
  await using home = new QuietHome();
  const first = new Client({ ...home.env, ...SOON });
  await first.whoami();
  await first.close();
  await home.end();

  const stranger = new CliFolder(join(home.path, "stranger", "cli"));
  stranger.saveHub({ url: "http://127.0.0.1:9/mcp", accountId: "0193a000-0000-7000-8000-000000000001" });
  stranger.saveToken(AGENT, "cs_0193a0000000700080000000000000c1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  const rootKey = join(home.path, "config", "hub", "root.key");
  const client = new Client({
    ...home.env,
    ...NEVER,
    COUNTERSIGN_CONFIG_DIR: join(home.path, "stranger"),
    COUNTERSIGN_ROOT_KEY_FILE: rootKey,
  });
  assert.equal((await client.whoami()).error?.data.code, "CONFIG_INVALID");
  assert.match((await client.close()).said, /not for the hub of/);
  for (const { pid } of home.ready()) await ended(pid as number);
});

test("what keeps a first hub from starting is told on standard error, and ends the command", async () => {
  const home = mkdtempSync(join(tmpdir(), "countersign-stdio-"));
  after(() => rmSync(home, { recursive: true }));
  const client = new Client({ PATH: process.env["PATH"], HOME: "/dev/null", TMPDIR: home });
  const { code, said } = await client.close();
  assert.equal(code, 2);
  assert.match(said, /^DATA_FOLDER_UNUSABLE: [^\n]*COUNTERSIGN_DATA_DIR[^\n]*\n$/);
});
