import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { COMMAND, runCommand, ScratchHome } from "../scratch-hub.fixture.ts";

let home: ScratchHome;
let env: NodeJS.ProcessEnv;
before(() => {
  home = new ScratchHome();
  const temporary = join(home.path, "tmp");
  mkdirSync(temporary, { mode: 0o711 });
  env = { ...home.env, TMPDIR: temporary };
});
after(() => home[Symbol.asyncDispose]());

const left = () => readdirSync(join(home.path, "tmp")).filter((name) => name.startsWith("countersign-demo-"));

test("the demo goes the whole way, tells it as one document, and leaves nothing", async () => {
  const { code, out, err } = await runCommand(env, ["demo", "--json"]);
  assert.equal(code, 0, err);
  const { steps, seconds } = JSON.parse(out);
  assert.ok(seconds > 0);
  assert.deepEqual(
    steps.map((step: { number: number }) => step.number),
    Array.from({ length: 11 }, (_, i) => i + 1),
  );
  const said = (number: number) => JSON.stringify(steps[number - 1].exchanges);
  assert.match(said(2), /FORBIDDEN: .*base\/agents-change-no-policy/);
  assert.match(said(4), /APPROVAL_PENDING/);
  assert.match(said(5), /base\/agents-never-decide/);
  assert.match(said(6), /Signed and executed/);
  assert.match(said(9), /DECISION_NOT_ALLOWED.*1 of 2 approvals.*Signed and executed/);
  assert.match(said(10), /The proof holds.*the one pinned here.*The journal holds/);
  const receipt = /([0-9a-f-]{36}\.outcome)/.exec(steps[10].exchanges[0].call)?.[1];
  assert.ok(steps[10].exchanges[1].answer.join("\n").includes(receipt), "the entry that was changed is not named");
  assert.deepEqual(left(), []);
  assert.ok(!existsSync(home.dataDir), "the demo used the user's own data folder");
});

test("the demo of GitOps goes from a commit to the fleet and back, and leaves nothing", async () => {
  // whatever the user's own git is set to
  const config = join(home.path, "gitconfig");
  writeFileSync(config, "[commit]\n\tgpgSign = true\n[core]\n\thooksPath = /nowhere\n[user]\n\tname = Somebody\n");
  const own = { ...env, GIT_CONFIG_GLOBAL: config, GIT_DIR: "/nowhere", GIT_AUTHOR_NAME: "Somebody" };
  const { code, out, err } = await runCommand(own, ["demo", "gitops", "--json"]);
  assert.equal(code, 0, err);
  const { steps } = JSON.parse(out);
  const said = (number: number) => JSON.stringify(steps[number - 1].exchanges);
  assert.equal(steps.length, 10);
  assert.match(said(2), /by Grace: Open the shop/);
  assert.match(said(3), /Create the assignment shop-eu\./);
  assert.match(said(4), /APPROVAL_PENDING.*Signed and executed.*shop: in sync, 5 objects/);
  assert.match(said(5), /replicas from 2 to 3\..*updated +Assignment\/shop-eu.*deleted +Module\/banner/);
  assert.match(said(6), /changed past Git by Ada at .*The proof holds/);
  assert.match(said(7), /updated +Assignment\/shop-eu.*shop: in sync, 4 objects/);
  assert.match(said(8), /DESIRED_STATE_INVALID.*fleet\.yaml:10:41 .*A third replica, no banner/);
  assert.match(said(9), /GIT_HISTORY_REWRITTEN/);
  assert.match(said(10), /The journal holds/);
  assert.deepEqual(left(), []);
  assert.ok(!existsSync(home.dataDir), "the demo used the user's own data folder");
});

test("a story that is not known is told, and nothing is started", async () => {
  const { code, err } = await runCommand(env, ["demo", "opera"]);
  assert.equal(code, 2);
  assert.match(err, /approvals, gitops/);
  assert.deepEqual(left(), []);
});

for (const [signal, story, line] of [
  ["SIGINT", "approvals", "Who am I?"],
  ["SIGTERM", "gitops", "A commit, and a sync"],
] as const)
  test(`stopped by ${signal} in the middle of ${story} it leaves nothing either`, async () => {
    const child = spawn(process.execPath, [COMMAND, "demo", story], { env, stdio: ["ignore", "pipe", "pipe"] });
    const said = text(child.stderr);
    child.stdout.setEncoding("utf8");
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false }))
      if ((chunk as string).includes(line)) break;
    child.stdout.resume();
    child.kill(signal);
    const [code] = await once(child, "exit");
    assert.equal(code, 1);
    assert.match(await said, /CANCELLED: The demo was stopped/);
    assert.deepEqual(left(), []);
  });

test("without anybody left to read it, it ends and leaves nothing", async () => {
  const child = spawn(process.execPath, [COMMAND, "demo"], { env, stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.once("data", () => child.stdout.destroy());
  const [code] = await once(child, "exit");
  assert.equal(code, 1);
  assert.deepEqual(left(), []);
});
