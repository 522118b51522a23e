/** `countersign credentials`: what a person sees and does, a command a process. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Ended, runCommand, ScratchHub } from "../scratch-hub.fixture.ts";

const SECRET = "a-password-on-the-line-1";
const STORE = ["--kind", "git-https", "--host", "git.example.com", "--user", "robot", "--yes"];

let hub: ScratchHub;
before(async () => {
  hub = await ScratchHub.open();
});
after(() => hub[Symbol.asyncDispose]());

const credentials = (...args: string[]) => hub.run("credentials", ...args);
const provide = (input: string, ...args: string[]) => runCommand(hub.env, ["credentials", "provide", ...args], input);

function assertOk({ code, out, err }: Ended): string {
  assert.equal(code, 0, `${out}${err}`);
  assert.ok(!`${out}${err}`.includes(SECRET), "a secret is not printed");
  return out;
}

test("stored, provided from standard input, shown, tested, narrowed, rotated, provided from a file, deleted", async () => {
  assert.match(assertOk(await credentials()), /No credential is stored/);
  const stored = assertOk(await credentials("store", "forge", ...STORE));
  assert.match(stored, /npx countersign credentials provide forge/);
  assert.match(stored, /\/claims\/csc_/);
  assert.match(assertOk(await credentials("list")), /forge +git-https +waiting +git\.example\.com +gitops/);
  const given = await provide(`${SECRET}\n`, "forge");
  assert.match(assertOk(given), /forge has its secret/);
  assert.match(given.err, /may be sent to git\.example\.com, for gitops/);
  assert.match(assertOk(await credentials("show", "forge")), /state +ready/);
  assert.match(assertOk(await credentials("test", "forge")), /opens/);
  assertOk(await credentials("scope", "forge", "--for", "gitops/shop"));

  const again = await provide("another-password", "forge");
  assert.equal(again.code, 3, again.out + again.err);
  assertOk(await credentials("rotate", "forge", "--yes"));
  const file = join(hub.path, "secret.txt");
  writeFileSync(file, `${SECRET}-2\n`, { mode: 0o600 });
  assert.match(assertOk(await credentials("provide", "forge", "--file", file)), /number 2/);
  assertOk(await credentials("delete", "forge", "--yes"));
  assert.match(assertOk(await credentials()), /No credential/);
});

test("--json prints one document, without the secret", async () => {
  assertOk(await credentials("store", "json", ...STORE, "--json"));
  const { out } = await provide(SECRET, "json", "--json");
  const { credential } = JSON.parse(out) as { credential: { state: string; materialVersion: number } };
  assert.deepEqual([credential.state, credential.materialVersion], ["ready", 1]);
  const list = JSON.parse(assertOk(await credentials("list", "--json"))) as { items: { name: string }[] };
  assert.deepEqual(
    list.items.map(({ name }) => name),
    ["json"],
  );
});

test("what does not fit is refused, and nothing is repeated of it", async () => {
  const noUser = await credentials("store", "unfit", "--kind", "git-https", "--host", "git.example.com");
  assert.equal(noUser.code, 2);
  assert.match(noUser.err, /--user: .*\(at --user\)/, "as it is typed");
  const noHost = await credentials("store", "unfit", "--kind", "git-https", "--host", "NOT A HOST", "--user", "robot");
  assert.equal(noHost.code, 2);
  assert.ok(noHost.err.includes("--host: ") && !noHost.err.includes("allowedHosts"), noHost.err);
  assertOk(await credentials("store", "unfit", ...STORE));
  for (const input of ["\n", `${SECRET}\nsecond line`, "x".repeat(20_000)]) {
    const { code, out, err } = await provide(input, "unfit");
    assert.equal(code, 2, out + err);
    assert.ok(!`${out}${err}`.includes(SECRET));
  }
  assert.equal((await credentials("provide", "unfit", "--file", join(hub.path, "nowhere"))).code, 2);
  assert.equal((await credentials("provide", "unfit", SECRET)).code, 2, "an argument is not taken");
  const widened = await credentials("scope", "unfit", "--host", "git.example.com", "evil.test");
  assert.equal(widened.code, 2);
  assert.match(widened.err, /--widen: .*Say so with --widen;/);
  assertOk(await credentials("scope", "unfit", "--host", "git.example.com", "other.test", "--widen", "--yes"));
  assertOk(await provide(SECRET, "unfit"));
});

test("whoever approves what somebody else asked for is told who gives the secret, and how", async () => {
  const input = {
    name: "approved",
    kind: "bearer-token",
    description: "a test",
    allowedHosts: ["api.example.com"],
    consumers: ["gitops"],
  };
  const asked = await hub.run("call", "system_credentials_store", "--as", "agent", "--json", JSON.stringify(input));
  const { requestId } = JSON.parse(asked.out).approval;
  const approved = await hub.run("approve", requestId, "--yes");
  const provide = "npx countersign credentials provide approved";
  assert.ok(assertOk(approved).includes(provide), approved.out);
  assert.ok(approved.err.includes(provide), "in the preview too");
  assertOk(await runCommand(hub.env, ["credentials", "provide", "approved"], SECRET));
});
