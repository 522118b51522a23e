/** Git and the fleet, through a whole hub: a commit becomes a proposal, an approved proposal becomes the fleet. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { requestDetail } from "../contracts/approval/request-view.ts";
import { DIGEST, GitopsFixture } from "./gitops.fixture.ts";
import { ask, eventually, settledRequest } from "./test-hub.ts";

const APPLY = "system_gitops_apply_proposal";

let git: GitopsFixture;
before(async () => {
  git = await GitopsFixture.open();
});
after(() => git[Symbol.asyncDispose]());

const idsOf = (run: { proposals: readonly { id: string; riskClass: string }[] }, riskClass: string): string =>
  run.proposals.find((proposal) => proposal.riskClass === riskClass)?.id ?? assert.fail(`no proposal of ${riskClass}`);

test("the whole way: commit, proposal, approval, applied, edited by hand, drift, proposed to be mended", async () => {
  const repository = await git.repository("whole");
  const commit = repository.commitFleet({}, "Declare the fleet");
  const run = await git.sync("whole");
  assert.deepEqual([run.status, run.commit?.id, run.commit?.author], ["success", commit, "Grace"]);
  assert.equal(run.counts?.create, 4);
  assert.equal(await git.live("Template", "whole-web"), undefined, "a sync changes nothing");
  assert.deepEqual((await git.drift("whole")).counts, { objects: 4, inSync: 0, pending: 4, drifted: 0 });

  const proposalId = idsOf(run, "changes");
  const requestId = await ask(git.agent, APPLY, { proposalId });
  await git.ada.decide(git.hub, requestId);
  assert.equal((await settledRequest(git.agent, requestId)).state, "executed");
  const live = await git.live("Assignment", "whole-prod");
  assert.deepEqual([live?.version, live?.owner, live?.spec["parameters"]], [1, "whole", { replicas: 2 }]);
  assert.deepEqual((await git.drift("whole")).inSync, true);
  const applied = (await git.ended(run.id)).applied.map(({ change, kind, version }) => `${change} ${kind} ${version}`);
  assert.deepEqual(applied, [
    "created Assignment 1",
    "created Module 1",
    "created ProviderConfig 1",
    "created Template 1",
  ]);

  await git.edit("Assignment", "whole-prod", { parameters: { replicas: 9 } });
  const report = await eventually("receipt of the edit", async () => {
    const drift = await git.drift("whole");
    return drift.objects[0]?.receiptId === null ? undefined : drift;
  });
  const [drifted] = report.objects;
  assert.deepEqual(report.counts, { objects: 4, inSync: 3, pending: 0, drifted: 1 });
  assert.deepEqual(drifted?.drifted, [{ field: "spec.parameters.replicas", before: "2", after: "9" }]);
  assert.equal(drifted?.changedBy?.name, "Ada");
  const receipt = await git.operator.done("system_journal_get_receipt", { id: drifted?.receiptId });
  assert.match(JSON.stringify(receipt.output), /system_fleet_put_object/);

  const next = await git.sync("whole");
  const mending = await git.proposal(idsOf(next, "changes"));
  assert.deepEqual(
    mending.items.map(({ action, name, words }) => [action, name, words]),
    [["update", "whole-prod", "Change the assignment whole-prod: parameter replicas from 9 to 2."]],
  );
  await git.apply(idsOf(next, "changes"));
  assert.deepEqual((await git.live("Assignment", "whole-prod"))?.spec["parameters"], { replicas: 2 });
  assert.equal((await git.drift("whole")).inSync, true);
  assert.deepEqual((await git.sync("whole")).proposals, [], "nothing is left to propose");
});

test("one sync of one commit leaves what it proposed before as it is", async () => {
  const repository = await git.repository("twice");
  repository.commitFleet();
  const first = await git.sync("twice");
  const second = await git.sync("twice");
  assert.deepEqual([second.counts, second.proposals], [first.counts, first.proposals]);
  const { output } = await git.operator.done("system_gitops_list_proposals", { repository: "twice" });
  assert.equal((output["items"] as unknown[]).length, 1);
});

test("what is declared no more is a proposal of its own, with an approval of its own", async () => {
  const repository = await git.repository("less");
  await git.settle(repository);
  repository.commitFleet({ bare: true, version: "1.1.0" });
  const run = await git.sync("less");
  assert.deepEqual(run.proposals.map(({ riskClass, items }) => `${riskClass} ${items}`).sort(), [
    "changes 1",
    "deletes 1",
  ]);
  await git.apply(idsOf(run, "changes"));
  assert.ok(await git.live("Assignment", "less-prod"), "changes delete nothing");
  await git.apply(idsOf(run, "deletes"));
  assert.equal(await git.live("Assignment", "less-prod"), undefined);
  assert.equal((await git.drift("less")).inSync, true);
});

test("a new head supersedes what is open, and withdraws what waits for people about it", async () => {
  const repository = await git.repository("super");
  repository.commitFleet();
  const old = idsOf(await git.sync("super"), "changes");
  const requestId = await ask(git.agent, APPLY, { proposalId: old });
  repository.commitFleet({ replicas: 3 });
  const run = await git.sync("super");
  assert.equal((await git.proposal(old)).proposal.state, "superseded");
  const request = await git.agent.output(requestDetail, "system_approval_get_request", { requestId });
  assert.deepEqual([request.state, request.errorCode], ["cancelled", "APPROVAL_CANCELLED"]);
  await assert.rejects(git.operator.call(APPLY, { proposalId: old }), { code: "PROPOSAL_CLOSED" });
  await git.apply(idsOf(run, "changes"));
});

test("where an object moved since, nothing is applied, and whoever asks is told three ways", async () => {
  const repository = await git.repository("stale");
  await git.settle(repository);
  repository.commitFleet({ replicas: 5, version: "2.0.0" });
  const proposalId = idsOf(await git.sync("stale"), "changes");
  const waiting = await ask(git.agent, APPLY, { proposalId });
  await git.edit("Assignment", "stale-prod", { parameters: { replicas: 7 } });

  await git.ada.decide(git.hub, waiting);
  const request = await settledRequest(git.agent, waiting);
  assert.deepEqual([request.state, request.errorCode], ["stale", "PROPOSAL_STALE"]);
  assert.equal((await git.live("Template", "stale-web"))?.spec["version"], "1.0.0", "nothing was changed");
  const { proposal, moved } = await git.proposal(proposalId);
  assert.equal(proposal.state, "stale");
  assert.deepEqual(moved[0]?.fields, [{ field: "spec.parameters.replicas", base: "2", live: "7", desired: "5" }]);
  await assert.rejects(git.agent.call(APPLY, { proposalId }), { code: "PROPOSAL_STALE" });
});

test("force overwrites what moved: two people have to agree, to the very versions that they saw", async () => {
  const repository = await git.repository("force");
  await git.settle(repository);
  repository.commitFleet({ replicas: 5 });
  const proposalId = idsOf(await git.sync("force"), "changes");
  await git.edit("Assignment", "force-prod", { parameters: { replicas: 7 } });

  const first = await ask(git.agent, APPLY, { proposalId, force: true });
  const asked = await git.operator.output(requestDetail, "system_approval_get_request", { requestId: first });
  assert.equal(
    (JSON.parse(asked.statement) as { predicate: { demand: { people: number } } }).predicate.demand.people,
    2,
  );
  await git.edit("Assignment", "force-prod", { parameters: { replicas: 8 } });
  await git.ada.decide(git.hub, first);
  assert.equal((await settledRequest(git.agent, first)).state, "stale", "it is not what was agreed to any more");

  await git.apply(proposalId, { force: true });
  assert.deepEqual((await git.live("Assignment", "force-prod"))?.spec["parameters"], { replicas: 5 });
  assert.equal((await git.proposal(proposalId)).proposal.forced, true);
});

test("an agent rejects nothing; a person gives a reason; what was rejected is not proposed again until something is new", async () => {
  const repository = await git.repository("reject");
  repository.commitFleet();
  const proposalId = idsOf(await git.sync("reject"), "changes");
  const reason = "Not before the audit.";
  const REJECT = "system_gitops_reject_proposal";
  await assert.rejects(git.agent.call(REJECT, { proposalId, reason }), { code: "FORBIDDEN" });
  await assert.rejects(git.operator.call(REJECT, { proposalId, reason: " " }), { code: "INPUT_INVALID" });
  await git.operator.done(REJECT, { proposalId, reason });
  assert.deepEqual((await git.proposal(proposalId)).proposal.reason, reason);
  assert.deepEqual((await git.sync("reject")).proposals, []);
  await assert.rejects(git.operator.call(APPLY, { proposalId }), { code: "PROPOSAL_CLOSED" });
  repository.commitFleet({ replicas: 3 });
  assert.equal((await git.sync("reject")).proposals.length, 1);
});

test("an object of one repository cannot be claimed by another: both are named, the rest is proposed", async () => {
  const one = await git.repository("one");
  await git.settle(one);
  const two = await git.repository("two");
  const more = `  - { name: one-edge, spec: { driver: null-driver, endpoint: "https://other.example" } }\n`;
  two.commitFleet({ bare: true, more });
  const run = await git.sync("two");
  assert.equal(run.status, "partial");
  assert.deepEqual(
    run.problems.map(({ code, path, line }) => [code, path, typeof line]),
    [["OWNED_ELSEWHERE", "ProviderConfig/one-edge", "number"]],
  );
  assert.match(run.problems[0]?.message ?? "", /repository one .* by two/);
  await git.apply(idsOf(run, "changes"));
  assert.equal((await git.live("ProviderConfig", "one-edge"))?.owner, "one");
});

test("what belongs to nobody is taken over, visibly; what a removed repository leaves stays and is free", async () => {
  const repository = await git.repository("first");
  await git.settle(repository);
  const removed = await git.run("system_gitops_remove_repository", { repository: "first" });
  assert.equal(removed["released"], 4);
  assert.equal((await git.live("Template", "first-web"))?.owner, null);
  await assert.rejects(git.operator.done("system_gitops_get_repository", { repository: "first" }), {
    code: "NOT_FOUND",
  });
  await git.register("second", repository.url);
  const run = await git.sync("second");
  assert.equal(run.counts?.adopt, 4);
  await git.apply(idsOf(run, "changes"));
  assert.equal((await git.live("Template", "first-web"))?.owner, "second");
});

test("a reference to an object that others keep is fine; to nothing, it is a fault with its place", async () => {
  const object = { kind: "ProviderConfig", name: "shared", spec: { driver: "d", endpoint: "https://shared.example" } };
  await git.run("system_fleet_put_object", { object });
  const repository = await git.repository("refer");
  const assignment = (provider: string) =>
    `assignments:\n  - { name: refer-x, spec: { template: refer-web, provider: ${provider}, selector: { a: b } } }\n`;
  repository.commitFleet({ bare: true, more: assignment("shared") });
  const good = await git.sync("refer");
  assert.equal(good.status, "success");
  repository.commitFleet({ bare: true, more: assignment("nowhere") });
  const bad = await git.sync("refer");
  assert.deepEqual([bad.status, bad.error?.code], ["failed", "DESIRED_STATE_INVALID"]);
  const [problem] = bad.problems;
  assert.deepEqual([problem?.file, problem?.path], ["fleet.yaml", "assignments[0].spec.provider"]);
  const { output } = await git.operator.done("system_gitops_get_repository", { repository: "refer" });
  assert.equal(
    (output["repository"] as { head: { id: string } }).head.id,
    good.commit?.id,
    "the last good head stands",
  );
});

test("going through Git is no way around what the policy says of an object", async () => {
  const repository = await git.repository("policy");
  repository.commitFleet();
  const proposalId = idsOf(await git.sync("policy"), "changes");
  const document = (cedar: string, rules: unknown[]) => ({
    apiVersion: "countersign/v1",
    kind: "Policy",
    authorization: { cedar },
    intervention: { rules },
  });
  const put = async (next: unknown) => {
    const { version } = (await git.operator.done("system_policy_get")).output as { version: number };
    await git.run("system_policy_put", { document: next, baseVersion: version });
  };
  const forbid = `@id("own/web") @why("Nobody touches this template.")
    forbid (principal, action == Action::"system_fleet_put_object", resource)
    when { resource has name && resource.name == "policy-web" };`;
  await put(document(forbid, []));
  await assert.rejects(git.agent.call(APPLY, { proposalId }), { code: "FORBIDDEN", message: /Template\/policy-web/ });
  const twoPeople = {
    id: "own/two",
    why: "Two people look at every put.",
    actions: ["system_fleet_put_object"],
    outcome: { approve: 2, holding: "system.approval.decide" },
  };
  await put(document("", [twoPeople]));
  const requestId = await ask(git.agent, APPLY, { proposalId });
  const asked = await git.operator.output(requestDetail, "system_approval_get_request", { requestId });
  const { demand } = (JSON.parse(asked.statement) as { predicate: { demand: { people: number; holding: string[] } } })
    .predicate;
  assert.deepEqual([demand.people, demand.holding], [2, ["system.approval.decide"]]);
  await put(document("", []));
});

test("a template and its assignments change together, and modules turn round, in one proposal", async () => {
  const repository = await git.repository("together");
  const module = (name: string, dependsOn: string) =>
    `  - name: ${name}\n    spec: { version: 1.0.0, source: "https://m.example/x.tgz", digest: "${DIGEST}", dependsOn: [${dependsOn}] }\n`;
  const file = (modules: string, parameter: string) => `apiVersion: countersign/v1
kind: Fleet
modules:
${modules}templates:
  - name: together-t
    spec: { version: 1.0.0, parameters: { ${parameter}: { type: integer, required: true } } }
providerConfigs:
  - { name: together-p, spec: { driver: d, endpoint: "https://p.example" } }
assignments:
  - name: together-a
    spec: { template: together-t, provider: together-p, selector: { a: b }, parameters: { ${parameter}: 1 } }
`;
  for (const [modules, parameter] of [
    [module("together-x", "together-y") + module("together-y", ""), "size"],
    [module("together-x", "") + module("together-y", "together-x"), "count"],
  ] as const) {
    repository.commit({ "fleet.yaml": file(modules, parameter) });
    await git.apply(idsOf(await git.sync("together"), "changes"));
    assert.equal((await git.drift("together")).inSync, true);
  }
  repository.commit({ "fleet.yaml": "apiVersion: countersign/v1\nkind: Fleet\n" });
  await git.apply(idsOf(await git.sync("together"), "deletes"));
  assert.equal(await git.live("Module", "together-y"), undefined);
});
