/** What Git, its servers and its files can do wrong: a clear code, and the last good state stands. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { DIGEST, fleetFile, GitopsFixture } from "./gitops.fixture.ts";
import { SilentServer } from "./silent-server.fixture.ts";

let git: GitopsFixture;
let silent: SilentServer;
before(async () => {
  silent = await SilentServer.open();
  git = await GitopsFixture.open({ COUNTERSIGN_EGRESS_ALLOW: `localhost:${silent.port}`, COUNTERSIGN_GIT_MAX_MB: "8" });
});
after(async () => {
  await git[Symbol.asyncDispose]();
  silent[Symbol.dispose]();
});

/** The head of the repository as the hub has it. */
async function headOf(repository: string): Promise<string | undefined> {
  const { output } = await git.operator.done("system_gitops_get_repository", { repository });
  return (output["repository"] as { head: { id: string } | null }).head?.id;
}

async function failedSync(repository: string, code: string, more = {}) {
  const before = await headOf(repository);
  const run = await git.sync(repository, more);
  assert.deepEqual([run.status, run.error?.code], ["failed", code], JSON.stringify(run.error));
  assert.equal(await headOf(repository), before, "the last good head stands");
  assert.deepEqual(run.proposals, []);
  return run;
}

const REFUSED: Readonly<Record<string, string>> = {
  "another transport": "ext::sh -c whoami",
  "an option": "--upload-pack=touch /tmp/x",
  "an option as a host": "ssh://-oProxyCommand=x/repository",
  "a password": "https://user:secret@git.example/fleet.git",
  "a user where it is HTTPS": "https://token@git.example/fleet.git",
  "plain HTTP": "http://git.example/fleet.git",
  "Git's own protocol": "git://git.example/fleet.git",
  "a path without a scheme": "/etc",
  "an address as scp writes it": "git@git.example:fleet.git",
  "a folder that nobody listed": "file:///etc",
  "a query": "https://git.example/fleet.git?x=1",
};

for (const [what, url] of Object.entries(REFUSED)) {
  test(`a repository is not registered by ${what}`, async () => {
    const input = { name: "refused", url };
    await assert.rejects(git.agent.call("system_gitops_register_repository", input), {
      code: "REPOSITORY_URL_REFUSED",
    });
  });
}

test("what may be registered is kept, under a name that is free", async () => {
  await git.register("https", "https://git.example/fleet.git");
  await git.register("ssh", "ssh://git@git.example/fleet.git");
  await assert.rejects(
    git.operator.call("system_gitops_register_repository", { name: "ssh", url: "https://a.example/b" }),
    {
      code: "ALREADY_EXISTS",
      path: "name",
    },
  );
  for (const branch of ["-x", "a..b", "a b", "refs/heads/../x", "x.lock", "a~1"])
    await assert.rejects(
      git.operator.call("system_gitops_register_repository", { name: "branch", url: "https://a.example/b", branch }),
      { code: "INPUT_INVALID", path: "branch" },
      branch,
    );
  for (const path of ["/etc/passwd", "../x", "a/../../b", ".git/config"])
    await assert.rejects(
      git.operator.call("system_gitops_register_repository", { name: "path", url: "https://a.example/b", path }),
      { code: "INPUT_INVALID", path: "path" },
      path,
    );
});

test("an address that leads into the hub's own network is refused before anything is sent", async () => {
  await git.register("private", "https://127.0.0.1:9/fleet.git");
  await failedSync("private", "EGRESS_REFUSED");
  await git.register("number", "https://2130706433:9/fleet.git");
  await failedSync("number", "EGRESS_REFUSED");
});

test("a server that ends the connection is unreachable; meanwhile nobody else syncs the repository", async () => {
  await git.register("silent", silent.url);
  const runId = await git.begin("silent");
  await silent.connected();
  await assert.rejects(git.begin("silent"), { code: "SYNC_RUNNING", details: { runId } });
  await assert.rejects(git.run("system_gitops_remove_repository", { repository: "silent" }));
  silent.hangUp();
  const run = await git.ended(runId);
  assert.deepEqual([run.status, run.error?.code], ["failed", "GIT_UNREACHABLE"]);
  const again = await git.begin("silent");
  await silent.connected();
  silent.hangUp();
  assert.equal((await git.ended(again)).status, "failed");
});

test("a folder that is no repository, an empty repository, a branch and a file that are not there", async () => {
  const folder = join(git.hubs.repositories, "plain");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "fleet.yaml"), fleetFile("plain"));
  await git.register("plain", pathToFileURL(folder).href);
  await failedSync("plain", "GIT_NOT_A_REPOSITORY");

  const repository = await git.repository("empty");
  await failedSync("empty", "GIT_REPOSITORY_EMPTY");
  repository.commitFleet();
  await git.register("other-branch", repository.url, { branch: "stable" });
  const missing = await failedSync("other-branch", "GIT_BRANCH_MISSING");
  assert.match(missing.error?.message ?? "", /main/);
  await git.register("other-path", repository.url, { path: "clusters/fleet.yaml" });
  await failedSync("other-path", "GIT_PATH_MISSING");
  assert.equal((await git.sync("empty")).status, "success");
});

test("a rewritten branch is refused until a person accepts it", async () => {
  const repository = await git.repository("rewritten");
  await git.settle(repository);
  repository.commitFleet({ replicas: 4 });
  await git.sync("rewritten");
  repository.git("reset", "--quiet", "--hard", "HEAD~1");
  repository.commitFleet({ replicas: 6 });
  await failedSync("rewritten", "GIT_HISTORY_REWRITTEN");
  await failedSync("rewritten", "GIT_HISTORY_REWRITTEN");
  const asked = await git.agent.call("system_gitops_sync_repository", { repository: "rewritten", acceptRewrite: true });
  assert.equal(asked.status, "pending", "accepting it needs a person");
  const run = await git.sync("rewritten", { acceptRewrite: true });
  assert.equal(run.status, "success", JSON.stringify(run.error));
  assert.equal((await git.sync("rewritten")).status, "success", "from then on it is the history");
});

const FAULTS: Readonly<Record<string, { text: string; at: RegExp }>> = {
  "is no YAML": { text: "apiVersion: countersign/v1\nkind: Fleet\nmodules: [\n", at: /^fleet\.yaml:\d+:\d+/ },
  "names an unknown kind": { text: `${fleetFile("x")}widgets: []\n`, at: /^fleet\.yaml:\d+:1 widgets/ },
  "repeats a key": { text: "apiVersion: countersign/v1\nkind: Fleet\nkind: Fleet\n", at: /^fleet\.yaml:3:1/ },
  "holds a secret": {
    text: fleetFile("x", { more: "" }).replace("replicas: 2", "password: hunter2-hunter2"),
    at: /assignments\[0\]\.spec\.parameters\.password/,
  },
  "refers to nothing": {
    text: fleetFile("x").replace("modules: [x-base]", "modules: [nowhere]"),
    at: /templates\[0\]\.spec\.modules\[0\]/,
  },
};

test("files that declare no fleet: each fault with file, line, column and path, and no secret in any of it", async () => {
  const repository = await git.repository("faulty");
  await git.settle(repository);
  for (const [what, { text, at }] of Object.entries(FAULTS)) {
    repository.commit({ "fleet.yaml": text }, what);
    const run = await failedSync("faulty", "DESIRED_STATE_INVALID");
    const [problem] = run.problems;
    assert.match(`${problem?.file}:${problem?.line}:${problem?.column} ${problem?.path}`, at, what);
    assert.doesNotMatch(JSON.stringify(run), /hunter2/);
  }
  repository.commitFleet({ version: "9.0.0" });
  assert.equal((await git.sync("faulty")).status, "success");
});

test("files are read in the tree alone: links, and globs that leave it, are refused", async () => {
  const repository = await git.repository("links");
  symlinkSync("/etc/hostname", join(repository.folder, "link.yaml"));
  repository.commit({ "fleet.yaml": 'apiVersion: countersign/v1\nkind: Fleet\ninclude: ["*.yaml"]\n' });
  await failedSync("links", "GIT_TREE_REFUSED");
  repository.commit({ "link.yaml": null });
  assert.equal((await git.sync("links")).status, "success");
  repository.commit({ "fleet.yaml": 'apiVersion: countersign/v1\nkind: Fleet\ninclude: ["../*.yaml"]\n' });
  const run = await git.sync("links");
  assert.ok(["GIT_TREE_REFUSED", "DESIRED_STATE_INVALID"].includes(run.error?.code ?? ""), run.error?.code);
});

test("a blob that is far too large is not taken in", async () => {
  const repository = await git.repository("large");
  await git.settle(repository);
  const bytes = Buffer.alloc(24 * 2 ** 20);
  for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE((Math.imul(i, 2654435761) ^ (i >>> 3)) >>> 0, i);
  repository.commit({ "large.bin": bytes });
  await failedSync("large", "GIT_TOO_LARGE");
  repository.git("reset", "--quiet", "--hard", "HEAD~1");
  assert.equal((await git.sync("large")).status, "success");
});

test("5,000 objects are declared, proposed and applied; one more is refused", async () => {
  const repository = await git.repository("many");
  const entry = (i: number) =>
    `  - { name: many-${i}, spec: { version: 1.0.0, source: "https://m.example/${i}", digest: "${DIGEST}" } }\n`;
  const file = (count: number) =>
    `apiVersion: countersign/v1\nkind: Fleet\nmodules:\n${Array.from({ length: count }, (_, i) => entry(i)).join("")}`;
  repository.commit({ "fleet.yaml": file(5_000) });
  const run = await git.sync("many");
  assert.deepEqual([run.status, run.counts?.create], ["success", 5_000], JSON.stringify(run.error));
  const applied = await git.apply(run.proposals[0]?.id ?? "");
  assert.equal(applied["changed"], 5_000);
  assert.equal((await git.drift("many")).inSync, true);
  repository.commit({ "fleet.yaml": file(5_001) });
  await failedSync("many", "DESIRED_STATE_INVALID");
});

test("two apply one proposal at once: one does, the other is told that it is closed", async () => {
  const repository = await git.repository("race");
  repository.commitFleet();
  const run = await git.sync("race");
  const proposalId = run.proposals[0]?.id ?? "";
  const results = await Promise.allSettled([
    git.apply(proposalId),
    git.run("system_gitops_apply_proposal", { proposalId, force: true }),
  ]);
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1, JSON.stringify(results));
  assert.equal((await git.live("Template", "race-web"))?.version, 1);
});
