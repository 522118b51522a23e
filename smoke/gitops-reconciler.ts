/**
 * Git from outside: a commit becomes a proposal, an approved proposal becomes the fleet, and what is changed past Git is
 * seen, named and mended. An agent does it through real MCP clients, a person approves with the command, and the
 * repositories are real ones. Both official SDKs, over stdio and over HTTP.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { publicKeyFromPem } from "../contracts/formats/ed25519.ts";
import { verifyReceiptProof } from "../contracts/formats/receipt-proof.ts";
import type { SyncRunView } from "../contracts/gitops/sync-run.ts";
import { OutsideAgent } from "./outside/agent.ts";
import { codeOf, metaOf } from "./outside/called.ts";
import { type Answer, clients } from "./outside/clients.ts";
import { OutsideHub } from "./outside/hub.ts";
import { OutsideRepository } from "./outside/repository.ts";
import { HEAD, shopFiles, shopObjects, wrongFleets } from "./outside/shop.ts";

const REGISTER = "system_gitops_register_repository";
const SYNC = "system_gitops_sync_repository";
const APPLY = "system_gitops_apply_proposal";

await using hub = new OutsideHub((home) => ({ COUNTERSIGN_GIT_FILE_ROOTS: join(home, "repositories") }));
await hub.start();
const { rootKey } = JSON.parse(hub.file("config", "cli", "hub.json")) as { rootKey: string };

let number = 0;
for (const [name, connect] of Object.entries(clients)) {
  const client = await connect(hub);
  const agent = new OutsideAgent(hub, client);
  number++;
  await commitToFleet(agent, `shop-${number}`);
  await refuseAddresses(agent, `address-${number}`);
  if (name.startsWith("SDK v2")) await refuseCommits(agent, `commit-${number}`);
  await client.close();
  told(`${name}: proposed, approved, applied, drifted, mended, deleted; what is wrong was refused with its place`);
}

const verified = await hub.run("journal", "verify", "--json");
assert.equal(verified.code, 0, verified.out + verified.err);
const { ok, accounts } = JSON.parse(verified.out);
assert.equal(ok, true);
told(`the journal holds, seen from outside: ${accounts[0].receipts} receipts`);

assert.equal(await hub.stop(), 0);
told("the hub ended cleanly");

async function commitToFleet(agent: OutsideAgent, name: string): Promise<void> {
  const repository = repositoryAt("repositories", name);
  const commit = repository.commit(shopFiles(name), "Open the shop");
  const { repository: registered } = await agent.asks(REGISTER, { name, url: repository.url });
  assert.equal(registered.head, null, "registering fetches nothing");

  const run = await sync(agent, name);
  assert.deepEqual([run.status, run.commit?.id, run.commit?.author], ["success", commit, "Grace"]);
  assert.deepEqual([run.counts?.declared, run.counts?.create], [4, 4]);
  await proveTheRun(agent, run);
  const template = { kind: "Template", name: `${name}-web` };
  assert.equal(await agent.refused("system_fleet_get_object", template), "NOT_FOUND", "a sync changed the fleet");
  const proposalId = idOf(run, "changes");
  const { items } = await agent.does("system_gitops_get_proposal", { proposalId });
  assert.deepEqual(
    items.map(({ words, declaredAt }: Answer) => `${declaredAt} ${words}`),
    [
      `prod/assignments.yaml:4 Create the assignment ${name}-prod.`,
      `base.yaml:4 Create the module ${name}-base.`,
      `fleet.yaml:5 Create the provider config ${name}-edge.`,
      `base.yaml:7 Create the template ${name}-web.`,
    ],
  );

  const applied = await agent.asks(APPLY, { proposalId });
  assert.deepEqual([applied.proposal.state, applied.changed], ["applied", 4]);
  assert.deepEqual(await liveShop(agent, name), shopObjects(name));
  assert.deepEqual((await driftOf(agent, name)).counts, { objects: 4, inSync: 4, pending: 0, drifted: 0 });
  assert.equal(await agent.refused(APPLY, { proposalId }), "PROPOSAL_CLOSED");

  await mendDrift(agent, name);
  await deleteApart(agent, name, repository);
}

/** What an operator changes past Git is told with who did it and its proof; the next sync proposes to mend it. */
async function mendDrift(agent: OutsideAgent, name: string): Promise<void> {
  const began = new Date().toISOString();
  await editByHand(`${name}-prod`, { ...shopObjects(name)[0].spec, parameters: { replicas: 9 } });
  const drift = await agent.until("system_gitops_get_drift_report", { repository: name }, ({ objects }) =>
    objects.every(({ receiptId }: Answer) => receiptId !== null),
  );
  assert.deepEqual(drift.counts, { objects: 4, inSync: 3, pending: 0, drifted: 1 });
  const [{ kind, name: object, drifted, changedBy, changedAt, receiptId }] = drift.objects;
  assert.deepEqual([kind, object, changedBy.name], ["Assignment", `${name}-prod`, "Ada"]);
  assert.deepEqual(drifted, [{ field: "spec.parameters.replicas", before: "2", after: "9" }]);
  assert.ok(began <= changedAt && changedAt <= new Date().toISOString(), changedAt);
  const receipt = await proven(agent, receiptId);
  assert.deepEqual([receipt.action, receipt.code], ["system_fleet_put_object", "OK"]);
  assert.deepEqual(receipt.principal, { id: changedBy.id, kind: "operator" });

  const mending = await sync(agent, name);
  const proposalId = idOf(mending, "changes");
  const { items } = await agent.does("system_gitops_get_proposal", { proposalId });
  const words = items.map((item: Answer) => item.words);
  assert.deepEqual(words, [`Change the assignment ${name}-prod: parameter replicas from 9 to 2.`]);
  await agent.asks(APPLY, { proposalId });
  assert.deepEqual(await liveShop(agent, name), shopObjects(name));
  assert.equal((await driftOf(agent, name)).inSync, true);
  assert.deepEqual((await sync(agent, name)).proposals, [], "there is something left to mend");
}

/** What is declared no more is a proposal apart from the changes of the same commit, with an approval of its own. */
async function deleteApart(agent: OutsideAgent, name: string, repository: OutsideRepository): Promise<void> {
  repository.commit({ ...shopFiles(name, "1.1.0"), "prod/assignments.yaml": HEAD }, "Close the shop");
  const run = await sync(agent, name);
  assert.deepEqual([run.counts?.update, run.counts?.delete], [1, 1]);
  await agent.asks(APPLY, { proposalId: idOf(run, "changes") });
  const assignment = { kind: "Assignment", name: `${name}-prod` };
  assert.equal((await agent.does("system_fleet_get_object", assignment)).object.version, 3, "changes deleted it");
  const { objects } = await agent.asks(APPLY, { proposalId: idOf(run, "deletes") });
  assert.deepEqual(objects, [{ change: "deleted", ...assignment, version: 3 }]);
  assert.equal(await agent.refused("system_fleet_get_object", assignment), "NOT_FOUND");
  assert.equal((await driftOf(agent, name)).inSync, true);
}

/** Refused before anything is contacted or asked of a person, each with a reason that repeats no password. */
async function refuseAddresses(agent: OutsideAgent, name: string): Promise<void> {
  const unlisted = repositoryAt("elsewhere", name);
  unlisted.commit(shopFiles(name), "Nobody listed this folder");
  const marker = join(hub.home, `${name}-ran`);
  const addresses = [
    `ext::touch ${marker}`,
    `ext::touch%20${marker}`,
    `--upload-pack=touch ${marker}`,
    `ssh://-oProxyCommand=touch%20${marker}/shop`,
    "https://ada:hunter2@git.example/shop.git",
    "http://git.example/shop.git",
    unlisted.url,
    `${pathToFileURL(join(hub.home, "repositories")).href}/../elsewhere/${name}`,
  ];
  for (const url of addresses) {
    const called = await agent.call(REGISTER, { name, url });
    assert.equal(codeOf(called), "REPOSITORY_URL_REFUSED", url);
    assert.equal(metaOf(called, "countersign/error").path, "url");
    assert.doesNotMatch(JSON.stringify(called), /hunter2/);
  }
  const { url } = repositoryAt("repositories", name);
  for (const [field, value] of Object.entries({ path: "../fleet.yaml", branch: "--upload-pack=touch" })) {
    const called = await agent.call(REGISTER, { name, url, [field]: value });
    assert.deepEqual([codeOf(called), metaOf(called, "countersign/error").path], ["INPUT_INVALID", field]);
  }
  assert.equal(await agent.refused("system_gitops_get_repository", { repository: name }), "NOT_FOUND");
  assert.ok(!existsSync(marker), "an address was run");
}

/** A sync of what is wrong ends with a code and the place, and leaves the last good head. */
async function refuseCommits(agent: OutsideAgent, name: string): Promise<void> {
  const repository = repositoryAt("repositories", name);
  await agent.asks(REGISTER, { name, url: repository.url });
  assert.equal((await sync(agent, name)).error?.code, "GIT_REPOSITORY_EMPTY");
  const good = repository.commit(shopFiles(name), "Fine");
  assert.equal((await sync(agent, name)).status, "success");

  const places = {
    noYaml: "fleet.yaml:5:1 ",
    unknownList: "fleet.yaml:3:1 gadgets",
    unknownKind: "fleet.yaml:2:7 kind",
    danglingReference: "fleet.yaml:9:17 assignments[0].spec.provider",
    plainSecret: "fleet.yaml:7:17 providerConfigs[0].spec.endpoint",
  };
  for (const [what, text] of Object.entries(wrongFleets)) {
    repository.commit({ "fleet.yaml": text }, what);
    const run = await sync(agent, name);
    assert.deepEqual([run.status, run.error?.code], ["failed", "DESIRED_STATE_INVALID"], what);
    const [problem] = run.problems;
    const place = `${problem?.file}:${problem?.line}:${problem?.column} ${problem?.path}`;
    assert.equal(place, places[what as keyof typeof places], problem?.message);
    assert.doesNotMatch(JSON.stringify(run), /hunter2/);
  }
  const standing = await agent.does("system_gitops_get_repository", { repository: name });
  assert.equal(standing.repository.head.id, good);

  await refuseRewrite(agent, name, repository);
}

/** A branch that lost what was synced is taken only with a person's approval. */
async function refuseRewrite(agent: OutsideAgent, name: string, repository: OutsideRepository): Promise<void> {
  repository.commit(shopFiles(name, "1.1.0"), "Fine again");
  assert.equal((await sync(agent, name)).status, "success");
  const rewritten = repository.rewrite("Never was otherwise");
  assert.equal((await sync(agent, name)).error?.code, "GIT_HISTORY_REWRITTEN");
  const { run } = await agent.asks(SYNC, { repository: name, acceptRewrite: true });
  const accepted = await ended(agent, run.id);
  assert.deepEqual([accepted.status, accepted.commit?.id], ["success", rewritten]);
}

async function sync(agent: OutsideAgent, repository: string): Promise<SyncRunView> {
  const { run } = await agent.does(SYNC, { repository });
  assert.equal(run.status, "pending");
  return ended(agent, run.id);
}

async function ended(agent: OutsideAgent, runId: string): Promise<SyncRunView> {
  return (await agent.until("system_gitops_get_sync_run", { runId }, ({ run }) => run.status !== "pending")).run;
}

/** What the hub's job did of a run has an intent before it and an outcome, which both name the run. */
async function proveTheRun(agent: OutsideAgent, { id: runId, requestedBy, createdAt }: SyncRunView): Promise<void> {
  const newest = { action: "system_gitops_run_sync", principalId: requestedBy, limit: 2 };
  const { items } = await agent.until("system_journal_list_receipts", newest, ({ items: found }) => {
    return found.length === 2 && found.every(({ at }: Answer) => at >= createdAt);
  });
  const receipts = await Promise.all(items.map(({ id }: Answer) => proven(agent, id)));
  assert.deepEqual(
    receipts.map(({ phase, code, channel, ...receipt }) => [receipt.runId, channel, phase, code]),
    [
      [runId, "job", "outcome", "OK"],
      [runId, "job", "intent", "PENDING"],
    ],
  );
}

/** A receipt whose proof leads to the root key that was pinned here. */
async function proven(agent: OutsideAgent, id: string) {
  const proof = await agent.does("system_journal_get_receipt", { id });
  return verifyReceiptProof(proof, { rootKey: publicKeyFromPem(rootKey) }).receipt;
}

/** Ada changes an assignment with the command, which asks for her signature. */
async function editByHand(name: string, spec: unknown): Promise<void> {
  const input = JSON.stringify({ object: { kind: "Assignment", name, spec }, expectedVersion: 1 });
  const asked = await hub.run("call", "system_fleet_put_object", input, "--json");
  assert.equal(asked.code, 4, asked.out + asked.err);
  const approved = await hub.run("approve", JSON.parse(asked.out).approval.requestId, "--yes");
  assert.equal(approved.code, 0, approved.err);
}

function driftOf(agent: OutsideAgent, repository: string): Promise<Answer> {
  return agent.does("system_gitops_get_drift_report", { repository });
}

function idOf({ proposals }: SyncRunView, riskClass: "changes" | "deletes"): string {
  const found = proposals.find((proposal) => proposal.riskClass === riskClass);
  return found?.id ?? assert.fail(`there is no proposal of ${riskClass}`);
}

/** The fleet's objects of a shop, without what the hub alone says of them. */
function liveShop(agent: OutsideAgent, shop: string): Promise<unknown[]> {
  const stated = shopObjects(shop).map(async ({ kind, name }) => {
    const { object } = await agent.does("system_fleet_get_object", { kind, name });
    const { labels, annotations, owner, spec } = object;
    return { kind, name, labels, annotations, owner, spec };
  });
  return Promise.all(stated);
}

function repositoryAt(...path: string[]): OutsideRepository {
  return new OutsideRepository(join(hub.home, ...path));
}

function told(what: string): void {
  console.log(`  ${what}`);
}
