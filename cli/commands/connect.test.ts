import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CliFolder } from "../cli-folder.ts";
import { runCommand } from "../scratch-hub.fixture.ts";

const home = mkdtempSync(join(tmpdir(), "countersign-connect-"));
after(() => rmSync(home, { recursive: true }));
const env = { PATH: process.env["PATH"], HOME: join(home, "home") };
const SECRET = "cs_0193a0000000700080000000000000c1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
new CliFolder(join(home, "home/.config/countersign/cli")).saveToken("agent", SECRET);

const project = () => mkdtempSync(join(home, "project-"));
const file = (folder: string) => join(folder, ".mcp.json");
const connect = (folder: string, more: string[] = ["--yes"], added: Record<string, string> = {}) =>
  runCommand({ ...env, ...added }, ["connect", "claude", "--dir", folder, ...more]);

test("a project without a client file gets one that runs the bridge and holds no token", async () => {
  const folder = project();
  const { code, out, err } = await connect(folder);
  assert.equal(code, 0, err);
  const text = readFileSync(file(folder), "utf8");
  const { command, args, env: set } = JSON.parse(text).mcpServers.countersign;
  assert.ok(existsSync(command));
  assert.ok(existsSync(args[0]));
  assert.deepEqual(args.slice(1), ["stdio"]);
  assert.equal(set, undefined);
  assert.ok(err.includes(text.trim()), "the file was not shown before it was written");
  assert.ok(!`${text}${out}${err}`.includes(SECRET.slice(-20)));
});

test("other servers and whatever else the file holds stay, ours is renewed, a second time changes nothing", async () => {
  const folder = project();
  const before = {
    mcpServers: { other: { command: "x", env: { KEY: "v" } }, countersign: { command: "old" } },
    note: [1],
  };
  writeFileSync(file(folder), JSON.stringify(before));
  assert.equal((await connect(folder)).code, 0);
  const text = readFileSync(file(folder), "utf8");
  const { mcpServers, note } = JSON.parse(text);
  assert.deepEqual(Object.keys(mcpServers), ["other", "countersign"]);
  assert.deepEqual(mcpServers.other, before.mcpServers.other);
  assert.notEqual(mcpServers.countersign.command, "old");
  assert.deepEqual(note, [1]);
  const again = await connect(folder, ["--json"]);
  assert.equal(again.code, 0);
  assert.deepEqual(JSON.parse(again.out), { file: file(folder), changed: false });
  assert.equal(readFileSync(file(folder), "utf8"), text);
});

for (const [name, broken] of Object.entries({
  "broken JSON": '{ "mcpServers": ',
  "another shape": '{ "mcpServers": [] }',
  "no object": "[]",
}))
  test(`a client file with ${name} is left alone`, async () => {
    const folder = project();
    writeFileSync(file(folder), broken);
    const { code, err } = await connect(folder);
    assert.equal(code, 2);
    assert.match(err, /CONFIG_INVALID: .*left alone/);
    assert.equal(readFileSync(file(folder), "utf8"), broken);
  });

test("where nobody can be asked, nothing is written without --yes", async () => {
  const folder = project();
  const { code, err } = await connect(folder, []);
  assert.equal(code, 3);
  assert.match(err, /Nothing was written/);
  assert.ok(!existsSync(file(folder)));
});

test("a config folder of one's own goes into the file: the client's environment may not have it", async () => {
  const folder = project();
  const own = join(home, "own");
  assert.equal((await connect(folder, ["--yes"], { COUNTERSIGN_CONFIG_DIR: own })).code, 0);
  const { countersign } = JSON.parse(readFileSync(file(folder), "utf8")).mcpServers;
  assert.deepEqual(countersign.env, { COUNTERSIGN_CONFIG_DIR: own });
});

test("a folder that is not there, and a client that is not known, are told", async () => {
  assert.equal((await connect(join(home, "nowhere"))).code, 2);
  const { code, err } = await runCommand(env, ["connect", "emacs"]);
  assert.equal(code, 2);
  assert.match(err, /INPUT_INVALID: There is no client "emacs"/);
});
