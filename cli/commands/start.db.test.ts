import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { AGENT, OPERATOR } from "../context.ts";
import { COMMAND, runCommand, ScratchHome } from "../scratch-hub.fixture.ts";

let home: ScratchHome;
before(() => {
  home = new ScratchHome();
});
after(() => home[Symbol.asyncDispose]());

interface Started {
  readonly child: ChildProcess;
  /** Its one document. */
  readonly document: { url: string; accountId: string; created: boolean; yours: boolean };
}

/** `start --json`, until it serves. */
async function start(env: NodeJS.ProcessEnv = home.env): Promise<Started> {
  const child = spawn(process.execPath, [COMMAND, "start", "--json"], { env, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8");
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    said += chunk;
    if (said.endsWith("}\n")) break;
  }
  return { child, document: JSON.parse(said) };
}

async function stop({ child }: Started, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
  child.kill(signal);
  const [code] = await once(child, "exit");
  return code as number | null;
}

test("the first start makes an account and keeps its keys; the next ones find it, and each signal ends it well", async () => {
  const first = await start();
  assert.equal(first.document.created, true);
  assert.equal(first.document.yours, true);
  const cli = home.folder.path;
  for (const file of ["hub.json", "operator.token", "agent.token", "signing-key.pem"])
    assert.equal(statSync(join(cli, file)).mode & 0o777, 0o600, file);
  const tokens = [OPERATOR, AGENT].map((name) => home.folder.token(name));
  assert.equal((await home.run("call", "system_identity_whoami")).code, 0);
  assert.equal(await stop(first), 0);
  assert.equal((await home.run("approvals")).code, 5, "nobody answers after the end");

  for (const signal of ["SIGINT", "SIGHUP"] as const) {
    const next = await start();
    assert.equal(next.document.created, false);
    assert.equal(next.document.accountId, first.document.accountId);
    assert.equal(home.folder.hub()?.url, next.document.url, "the folder knows where the hub is now");
    assert.deepEqual(
      [OPERATOR, AGENT].map((name) => home.folder.token(name)),
      tokens,
    );
    assert.equal((await home.run("approvals")).code, 0);
    assert.equal(await stop(next, signal), 0);
  }
});

test("a first start that was cut off before it kept where the hub is, is mended by the next", async () => {
  const { accountId, rootKey } = home.folder.hub() ?? {};
  rmSync(join(home.folder.path, "hub.json"));
  const started = await start();
  assert.equal(started.document.yours, true);
  assert.equal(home.folder.hub()?.accountId, accountId);
  assert.equal(home.folder.hub()?.rootKey, rootKey);
  await stop(started);
});

test("a folder of another account is left alone, and it is said that it does not fit", async () => {
  const kept = home.folder.hub();
  assert.ok(kept);
  const other = { ...kept, accountId: "0193a000-0000-7000-8000-000000000001", url: "http://127.0.0.1:9/mcp" };
  home.folder.saveHub(other);
  const child = spawn(process.execPath, [COMMAND, "start"], { env: home.env, stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  child.stdout.setEncoding("utf8");
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    said += chunk;
    if (said.includes("COUNTERSIGN_CONFIG_DIR")) break;
  }
  assert.match(said, new RegExp(`are not for this hub:\\s+they are for the account ${other.accountId}`));
  assert.ok(!said.includes("npx countersign call"), "a command that cannot work was printed");
  child.kill("SIGTERM");
  await once(child, "exit");
  assert.deepEqual(home.folder.hub(), other);
  home.folder.saveHub(kept);
});

test("a new database never takes the tokens of another account from the folder", async () => {
  const token = home.folder.token(OPERATOR);
  const data = join(home.path, "elsewhere");
  const env = { ...home.env, COUNTERSIGN_DATA_DIR: data };
  const { code, err } = await runCommand(env, ["start"]);
  assert.equal(code, 1);
  assert.match(err, new RegExp(`ALREADY_EXISTS: .*${home.folder.hub()?.accountId}.*COUNTERSIGN_CONFIG_DIR`));
  assert.equal(home.folder.token(OPERATOR), token);
  const { stopDatabase } = await import("../demo/scratch-database.ts");
  await stopDatabase(data);
});

test("a port that is taken is told with what to do", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const { code, err } = await runCommand({ ...home.env, COUNTERSIGN_PORT: `${port}` }, ["start"]);
  taken.close();
  assert.equal(code, 2);
  assert.match(err, new RegExp(`CONFIG_INVALID: The hub cannot listen on 127\\.0\\.0\\.1:${port}: .*COUNTERSIGN_PORT`));
});

test("a home that cannot be written stops with one sentence that names both folder variables", async () => {
  const { code, out, err } = await runCommand({ PATH: process.env["PATH"], HOME: "/dev/null" }, ["start"]);
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /^DATA_FOLDER_UNUSABLE: [^\n]*COUNTERSIGN_DATA_DIR and COUNTERSIGN_CONFIG_DIR[^\n]*\n$/);
});

test("bad settings are told as JSON where that was asked for", async () => {
  const { code, out } = await runCommand({ ...home.env, COUNTERSIGN_PROT: "1" }, ["start", "--json"]);
  assert.equal(code, 2);
  const { error } = JSON.parse(out);
  assert.equal(error.code, "CONFIG_INVALID");
  assert.match(error.message, /COUNTERSIGN_PROT is unknown; did you mean COUNTERSIGN_PORT\?/);
});

test("a start that is called off leaves no process behind", async () => {
  const child = spawn(process.execPath, [COMMAND, "start"], { env: home.env, stdio: ["ignore", "ignore", "pipe"] });
  const said = text(child.stderr);
  await once(child, "spawn");
  const pid = child.pid as number;
  const children = () => {
    try {
      return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    } catch {
      return "unknown";
    }
  };
  while (children() === "") await new Promise((resolve) => setImmediate(resolve));
  const hub = Number(children().split(" ")[0]);
  child.kill("SIGTERM");
  const [code, signal] = await once(child, "exit");
  assert.ok(code === 1 || code === 0 || signal !== null, await said);
  if (Number.isInteger(hub)) assert.throws(() => process.kill(hub, 0), { code: "ESRCH" });
});
