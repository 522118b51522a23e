import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { CliFolder } from "../cli-folder.ts";
import { runCommand } from "../scratch-hub.fixture.ts";

const home = mkdtempSync(join(tmpdir(), "countersign-connect-"));
after(() => rmSync(home, { recursive: true }));
const env = { PATH: process.env["PATH"], HOME: join(home, "home") };
const SECRET = "cs_0193a0000000700080000000000000c1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
new CliFolder(join(home, "home/.config/countersign/cli")).saveToken("agent", SECRET);

/** Each client's file, the member of its servers, and what its entries say beside the command. */
const CLIENTS = {
  claude: { path: ".mcp.json", servers: "mcpServers", type: undefined },
  vscode: { path: ".vscode/mcp.json", servers: "servers", type: "stdio" },
  cursor: { path: ".cursor/mcp.json", servers: "mcpServers", type: "stdio" },
} as const;

for (const [client, { path, servers, type }] of Object.entries(CLIENTS))
  describe(client, () => {
    const project = () => mkdtempSync(join(home, "project-"));
    const file = (folder: string) => join(folder, path);
    const holding = (text: string) => {
      const folder = project();
      mkdirSync(dirname(file(folder)), { recursive: true });
      writeFileSync(file(folder), text);
      return folder;
    };
    const connect = (folder: string, more: string[] = ["--yes"], added: Record<string, string> = {}) =>
      runCommand({ ...env, ...added }, ["connect", client, "--dir", folder, ...more]);
    const entryIn = (folder: string) => JSON.parse(readFileSync(file(folder), "utf8"))[servers].countersign;

    test("a project without a client file gets one that runs the bridge and holds no token", async () => {
      const folder = project();
      const { code, out, err } = await connect(folder);
      assert.equal(code, 0, err);
      const text = readFileSync(file(folder), "utf8");
      assert.deepEqual(Object.keys(JSON.parse(text)), [servers]);
      const { command, args, ...rest } = entryIn(folder);
      assert.ok(existsSync(command));
      assert.ok(existsSync(args[0]));
      assert.deepEqual(args.slice(1), ["stdio"]);
      assert.deepEqual(rest, type === undefined ? {} : { type });
      assert.ok(err.includes(text.trim()), "the file was not shown before it was written");
      assert.ok(!`${text}${out}${err}`.includes(SECRET.slice(-20)));
    });

    test("other servers and whatever else the file holds stay, ours is renewed, a second time changes nothing", async () => {
      const other = { command: "x", env: { KEY: "v" } };
      const folder = holding(JSON.stringify({ [servers]: { other, countersign: { command: "old" } }, inputs: [1] }));
      assert.equal((await connect(folder)).code, 0);
      const text = readFileSync(file(folder), "utf8");
      const written = JSON.parse(text);
      assert.deepEqual(Object.keys(written[servers]), ["other", "countersign"]);
      assert.deepEqual(written[servers].other, other);
      assert.notEqual(entryIn(folder).command, "old");
      assert.deepEqual(written.inputs, [1]);
      const again = await connect(folder, ["--json"]);
      assert.equal(again.code, 0);
      assert.deepEqual(JSON.parse(again.out), { file: file(folder), changed: false });
      assert.equal(readFileSync(file(folder), "utf8"), text);
    });

    for (const [name, whole] of Object.entries({ "without servers": '{ "inputs": [] }', "that is empty": "\n" }))
      test(`a client file ${name} gets ours`, async () => {
        const folder = holding(whole);
        const { code, err } = await connect(folder);
        assert.equal(code, 0, err);
        assert.deepEqual(entryIn(folder).args.slice(1), ["stdio"]);
      });

    for (const [name, broken] of Object.entries({
      "broken JSON": `{ "${servers}": `,
      "a comment": `{\n  // mine\n  "${servers}": {}\n}`,
      "a trailing comma": `{ "${servers}": {}, }`,
      "another shape": `{ "${servers}": [] }`,
      "no object": "[]",
    }))
      test(`a client file with ${name} is left alone, and what to add is shown`, async () => {
        const folder = holding(broken);
        const { code, err } = await connect(folder);
        assert.equal(code, 2);
        assert.match(err, /CONFIG_INVALID: .*left alone[^]*"countersign": \{[^]*"stdio"/);
        assert.equal(readFileSync(file(folder), "utf8"), broken);
      });

    test("where nobody can be asked, nothing is written without --yes", async () => {
      const folder = project();
      const { code, err } = await connect(folder, []);
      assert.equal(code, 3);
      assert.match(err, /Nothing was written/);
      assert.ok(!existsSync(file(folder)));
    });

    test("folders of one's own go into the file: the client's environment may not have them", async () => {
      const folder = project();
      const own = { COUNTERSIGN_CONFIG_DIR: join(home, "own"), COUNTERSIGN_DATA_DIR: join(home, "data") };
      assert.equal((await connect(folder, ["--yes"], { ...own, COUNTERSIGN_PORT: "7311" })).code, 0);
      assert.deepEqual(entryIn(folder).env, own);
    });

    test("a folder that is not there is told, and not made", async () => {
      const nowhere = join(home, "nowhere");
      const { code, err } = await connect(nowhere);
      assert.equal(code, 2);
      assert.ok(err.includes(nowhere) && err.includes("--dir") && !err.includes("ENOENT"), err);
      assert.ok(!existsSync(nowhere));
    });

    test("a client file that is none is told by its name", async () => {
      const folder = project();
      mkdirSync(file(folder), { recursive: true });
      const { code, err } = await connect(folder);
      assert.equal(code, 2);
      assert.match(err, /CONFIG_INVALID: .*mcp\.json/);
    });
  });

test("a client that is not known is told, whatever it is called", async () => {
  for (const client of ["emacs", "toString"]) {
    const { code, err } = await runCommand(env, ["connect", client]);
    assert.equal(code, 2);
    assert.match(err, new RegExp(`INPUT_INVALID: There is no client "${client}"`));
  }
});
