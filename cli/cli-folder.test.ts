import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { generateKeyPair } from "../contracts/formats/ed25519.ts";
import { CliFolder } from "./cli-folder.ts";
import { makeFirstAccount } from "./first-account.ts";

const home = mkdtempSync(join(tmpdir(), "countersign-folder-"));
after(() => rmSync(home, { recursive: true }));

let number = 0;
const fresh = () => new CliFolder(join(home, `${++number}`, "cli"));
const HUB = { url: "http://127.0.0.1:7310/mcp", accountId: "0193a000-0000-7000-8000-000000000001" };

test("an empty folder has nothing, and asking makes nothing", () => {
  const folder = fresh();
  assert.equal(folder.hub(), undefined);
  assert.equal(folder.token("agent"), undefined);
  assert.equal(folder.signingKey(), undefined);
  assert.deepEqual(folder.tokens(), []);
  assert.ok(!existsSync(folder.path));
});

test("what is kept reads back, is for its owner alone, and leaves nothing half written beside it", () => {
  const folder = fresh();
  const { privateKey, publicKey } = generateKeyPair();
  folder.saveHub({ ...HUB, rootKey: "pem" });
  folder.saveToken("agent", "cs_x");
  folder.saveToken("operator", "cs_y");
  folder.saveSigningKey(privateKey);
  assert.deepEqual(folder.hub(), { ...HUB, rootKey: "pem" });
  assert.equal(folder.token("agent"), "cs_x");
  assert.deepEqual(folder.tokens(), ["agent", "operator"]);
  assert.ok(folder.signingKey()?.publicKey.equals(publicKey));
  assert.equal(statSync(folder.path).mode & 0o777, 0o700);
  const files = readdirSync(folder.path).sort();
  assert.deepEqual(files, ["agent.token", "hub.json", "operator.token", "signing-key.pem"]);
  for (const file of files) assert.equal(statSync(join(folder.path, file)).mode & 0o777, 0o600, file);
});

test("a folder that stood open is closed when something is kept in it", () => {
  const folder = fresh();
  folder.saveHub(HUB);
  chmodSync(folder.path, 0o755);
  folder.saveToken("agent", "cs_x");
  assert.equal(statSync(folder.path).mode & 0o777, 0o700);
});

test("a file that others can read is refused, and told how to mend; closed again it is read", () => {
  const folder = fresh();
  folder.saveToken("agent", "cs_x");
  const file = join(folder.path, "agent.token");
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(file, mode);
    assert.throws(() => folder.token("agent"), { code: "CONFIG_INVALID", message: /chmod 600/ }, mode.toString(8));
  }
  chmodSync(file, 0o600);
  assert.equal(folder.token("agent"), "cs_x");
});

test("a token's name never leads out of the folder", () => {
  const folder = fresh();
  for (const name of ["../agent", "a/b", "", "A", ".", "a.b", "x".repeat(64)])
    assert.throws(() => folder.saveToken(name, "cs_x"), { code: "INPUT_INVALID" }, name);
  folder.saveToken("ci-2", "cs_x");
});

test("a signing key is never replaced", () => {
  const folder = fresh();
  const first = generateKeyPair();
  folder.saveSigningKey(first.privateKey);
  assert.throws(() => folder.saveSigningKey(generateKeyPair().privateKey), { code: "ALREADY_EXISTS" });
  assert.ok(folder.signingKey()?.publicKey.equals(first.publicKey));
});

test("files that hold something else are refused by name", () => {
  const folder = fresh();
  folder.saveHub(HUB);
  for (const file of ["hub.json", "signing-key.pem"]) writeFileSync(join(folder.path, file), "{", { mode: 0o600 });
  assert.throws(() => folder.hub(), { code: "CONFIG_INVALID", message: /hub\.json/ });
  assert.throws(() => folder.signingKey(), { code: "CONFIG_INVALID", message: /signing-key\.pem/ });
});

test("a place that cannot be written is told with both variables that move it", () => {
  writeFileSync(join(home, "file"), "");
  const folder = new CliFolder(join(home, "file", "cli"));
  assert.throws(() => folder.saveHub(HUB), {
    code: "DATA_FOLDER_UNUSABLE",
    message: /COUNTERSIGN_CONFIG_DIR.*COUNTERSIGN_DATA_DIR/,
  });
});

test("the first account's keys and tokens are made once; a start that was cut off finds them again", () => {
  const folder = fresh();
  const first = makeFirstAccount(folder, "Ada");
  assert.deepEqual(makeFirstAccount(folder, "Ada"), first);
  assert.notEqual(first.operator.tokenId, first.agent.tokenId);
  assert.ok(!JSON.stringify(first).includes(folder.token("operator") ?? ""), "a token was told");
});

test("a folder that belongs to another account keeps its tokens", () => {
  const folder = fresh();
  const first = makeFirstAccount(folder, "Ada");
  folder.saveHub(HUB);
  const token = folder.token("operator");
  assert.throws(() => makeFirstAccount(folder, "Ada"), { code: "ALREADY_EXISTS", message: new RegExp(HUB.accountId) });
  assert.equal(folder.token("operator"), token);
  assert.ok(first);
});
