import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { takeLock } from "../../server/adapters/git/mirror-lock.ts";
import { FleetRepository, fleetFile } from "../../server/gitops.fixture.ts";
import { eventually } from "../../server/test-hub.ts";
import { OPERATOR } from "../context.ts";
import { HubClient } from "../hub-client.ts";
import { callWithOwnSignature } from "../run-with-consent.ts";
import { COMMAND, type Ended, ScratchHub } from "../scratch-hub.fixture.ts";
import { readRepository } from "./gitops/read-gitops.ts";

let hub: ScratchHub;
let operator: HubClient;
before(async () => {
  hub = new ScratchHub();
  hub.env["COUNTERSIGN_GIT_FILE_ROOTS"] = join(hub.path, "repositories");
  await hub.start();
  operator = new HubClient(hub.url, hub.folder.token(OPERATOR) ?? "");
});
after(() => hub[Symbol.asyncDispose]());

const gitops = (...args: string[]) => hub.run("gitops", ...args);

/** The one document that a command with --json prints. */
const documentOf = ({ out }: Ended) => JSON.parse(out);

const signed = (action: string, input: unknown) => callWithOwnSignature(operator, hub.folder, action, input);

/** Made, and registered under the same name. */
async function repository(name: string): Promise<FleetRepository> {
  const made = new FleetRepository(join(hub.path, "repositories", name), name);
  await signed("system_gitops_register_repository", { name, url: made.url });
  return made;
}

/** Committed, synced and applied. */
async function settled(name: string): Promise<FleetRepository> {
  const made = await repository(name);
  made.commitFleet({}, "Declare the fleet");
  assert.equal((await gitops("sync", name)).code, 0);
  const { code, err } = await gitops("apply", name, "--yes");
  assert.equal(code, 0, err);
  return made;
}

/** Past Git, by an operator. */
async function editReplicas(name: string, replicas: number): Promise<void> {
  const ref = { kind: "Assignment", name: `${name}-prod` };
  const { output } = await operator.done("system_fleet_get_object", ref);
  const { version, spec } = output["object"] as { version: number; spec: Record<string, unknown> };
  const object = { ...ref, spec: { ...spec, parameters: { replicas } } };
  await signed("system_fleet_put_object", { object, expectedVersion: version });
}

function assertOk({ code, out, err }: Ended): string {
  assert.equal(code, 0, `${out}${err}`);
  return out;
}

function assertHarmless(text: string): void {
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
}

describe("registering", () => {
  test("waits where nobody signs, is done with one's own signature, and not twice", async () => {
    assert.match(assertOk(await gitops("status")), /npx countersign gitops add <name> <url>/);
    const { url } = new FleetRepository(join(hub.path, "repositories", "added"), "added");
    const waiting = await gitops("add", "added", url);
    assert.equal(waiting.code, 4, waiting.err);
    assert.match(waiting.out, /npx countersign approve \S+/);
    const added = await gitops("add", "added", url, "--branch", "release", "--path", "fleet/all.yaml", "--yes");
    assert.match(assertOk(added), /npx countersign gitops sync added/);
    assert.match(added.err, /url\n {4}\+ file:/, "the preview was not shown");
    const { branch, path, head, drift } = documentOf(await gitops("status", "added", "--json"));
    assert.deepEqual([branch, path, head, drift.counts.objects], ["release", "fleet/all.yaml", null, 0]);
    const twice = await gitops("add", "added", url, "--yes", "--json");
    assert.deepEqual([twice.code, documentOf(twice).error.code], [1, "ALREADY_EXISTS"]);
    assert.match(assertOk(await gitops("remove", "added", "--yes")), /added is removed/);
    assert.equal((await gitops("remove", "added", "--yes")).code, 1);
  });

  test("is refused for addresses that are not allowed, and names that are none", async () => {
    for (const url of ["ext::sh -c id", "file:///etc", "https://ada:secret@example.org/a"]) {
      const refused = await gitops("add", "bad", url, "--yes", "--json");
      assert.deepEqual([refused.code, documentOf(refused).error.code], [2, "REPOSITORY_URL_REFUSED"], url);
    }
    const name = await gitops("add", "No Name", "https://example.org/a", "--json");
    assert.deepEqual([name.code, documentOf(name).error.path], [2, "name"]);
  });
});

describe("from a commit to the fleet", () => {
  test("sync tells what came of it, diff what would change, apply what did", async () => {
    const made = await repository("whole");
    assert.match(assertOk(await gitops("diff", "whole")), /npx countersign gitops sync whole/);
    assert.match(assertOk(await gitops("status")), /whole +main +\(not synced\) +0 +none +none +nothing declared/);
    const commit = made.commitFleet({}, "Declare the fleet");
    const synced = assertOk(await gitops("sync", "whole"));
    assert.match(synced, /^Sync of whole: success\. 1 proposal waits/);
    assert.ok(synced.includes(`commit ${commit.slice(0, 10)} by Grace: Declare the fleet`));
    assert.match(synced, /4 objects declared: 4 to create\nproposal \S+: changes of 4 objects, open/);
    assert.match(synced, /npx countersign gitops apply whole\n$/);

    const diff = assertOk(await gitops("diff", "whole"));
    assert.match(diff, /changes, proposal \S+, open\nCommit .* would make and change 4 objects/);
    assert.match(diff, / {2}Create the assignment whole-prod\.\n[^]* {4}spec\.parameters\.replicas\n {6}\+ 2/);
    assert.match(diff, /The fleet: 4 pending of 4 objects/);
    const { proposals, drift } = documentOf(await gitops("diff", "whole", "--json"));
    assert.deepEqual([proposals.length, proposals[0].items.length, drift.counts.pending], [1, 4, 4]);

    const applied = await gitops("apply", "whole", "--yes");
    assert.match(applied.err, /Ada asks to apply what whole proposes: create 1 assignment/);
    assert.match(assertOk(applied), /4 of 4 objects changed[^]* {2}created +Assignment\/whole-prod +version 1\n/);
    assert.match(assertOk(await gitops("status")), /whole +main +\S+ +Declare the fleet +4 +none +success +in sync/);
    assert.match(assertOk(await gitops("diff", "whole")), /Nothing is proposed\.\n\nThe fleet: in sync/);
    assert.match(assertOk(await gitops("apply", "whole", "--yes")), /Nothing of whole is open/);
  });

  test("changes come first, then deletes, each with its own approval; one document tells of both", async () => {
    const made = await settled("less");
    made.commitFleet({ bare: true, version: "1.1.0" });
    const run = documentOf(await gitops("sync", "less", "--json"));
    assert.deepEqual([run.status, run.counts.update, run.counts.delete], ["success", 1, 1]);
    assert.match(
      assertOk(await gitops("diff", "less")),
      /changes, [^]*- 1\.0\.0\n {6}\+ 1\.1\.0[^]*\ndeletes, [^]*Delete/,
    );
    const unsigned = await gitops("apply", "less", "--json");
    assert.equal(unsigned.code, 4);
    const { applied: none, waiting } = documentOf(unsigned);
    assert.deepEqual([none, waiting.approval.action], [[], "system_gitops_apply_proposal"]);
    const both = await gitops("apply", "less", "--yes", "--json");
    assert.equal(both.err.match(/Ada asks to apply/g)?.length, 2);
    assertOk(both);
    const classes = documentOf(both).applied.map((one: { proposal: { riskClass: string } }) => one.proposal.riskClass);
    assert.deepEqual(classes, ["changes", "deletes"]);
  });

  test("what is proposed can be rejected, with a reason", async () => {
    const made = await repository("turned");
    made.commitFleet();
    await gitops("sync", "turned");
    const [id = ""] = (await readRepository(operator, "turned")).openProposals;
    assert.equal((await gitops("reject", id)).code, 2);
    assert.match(assertOk(await gitops("reject", id, "--reason", "not before Monday")), /rejected: not before Monday/);
    const late = await gitops("apply", id, "--yes", "--json");
    assert.deepEqual([late.code, documentOf(late).error.code], [1, "PROPOSAL_CLOSED"]);
    assert.match(assertOk(await gitops("diff", "turned")), /Nothing is proposed[^]*declared and was not applied yet/);
  });

  test("what was edited past Git is told with who did it, and a stale proposal three ways", async () => {
    const made = await settled("moved");
    made.commitFleet({ replicas: 5 });
    assertOk(await gitops("sync", "moved"));
    await editReplicas("moved", 7);
    const status = assertOk(await gitops("status", "moved"));
    assert.match(status, /1 pending, 1 drifted of 4 objects\n +Assignment\/moved-prod was changed past Git by Ada at /);
    const stale = assertOk(await gitops("diff", "moved"));
    assert.match(stale, /, stale\n[^]*was {6}2\n +live {5}7\n +desired {2}5\n[^]*npx countersign gitops sync moved\n$/);
    const refused = await gitops("apply", "moved", "--yes");
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /was {6}2\n +live {5}7\n +desired {2}5\n[^]*npx countersign gitops sync moved\n[^]*PROPOSAL_STALE/,
    );
    const told = documentOf(await gitops("apply", "moved", "--yes", "--json"));
    assert.deepEqual([told.error.code, told.error.details.moved[0].name], ["PROPOSAL_STALE", "moved-prod"]);

    const forced = await gitops("apply", "moved", "--force", "--yes");
    assert.match(forced.err, /FORCE what moved proposes, OVER 1 objects/);
    assert.match(assertOk(forced), /^Applied, over what others had changed: 1 of 1/);
    assert.match(assertOk(await gitops("status", "moved")), /in sync/);
  });
});

describe("a sync", () => {
  test("that cannot take everything says what, where and why, and proposes the rest", async () => {
    await settled("owner");
    const made = await repository("claims");
    const [claim = ""] = /^ {2}- name: owner-base\n.*\n/m.exec(fleetFile("owner")) ?? [];
    made.commit({ "fleet.yaml": fleetFile("claims").replace("modules:\n", `modules:\n${claim}`) });
    const { code, out } = await gitops("sync", "claims");
    assert.equal(code, 1, out);
    assert.match(out, /^Sync of claims: partial/);
    assert.match(out, /\nfleet\.yaml:4:\d+ Module\/owner-base: .*belongs to the repository owner/);
    assert.match(out, /proposal \S+: changes of 4 objects, open/);
  });

  test("that fails ends with its error, names the line, and leaves the last good state", async () => {
    const empty = await repository("fails");
    const none = await gitops("sync", "fails", "--json");
    assert.deepEqual([none.code, documentOf(none).error.code], [1, "GIT_REPOSITORY_EMPTY"]);
    empty.commitFleet({}, "good");
    assertOk(await gitops("sync", "fails"));
    empty.commit({ "fleet.yaml": fleetFile("fails", { version: "new" }) }, "bad");
    const { code, out } = await gitops("sync", "fails");
    assert.equal(code, 1);
    assert.match(
      out,
      /^Sync of fails: failed\. DESIRED_STATE_INVALID\nfleet\.yaml:10:16 templates\[0\]\.spec\.version: /,
    );
    assert.match(
      assertOk(await gitops("status", "fails")),
      /head +\S+ by Grace: good\nlast sync +failed \(DESIRED_STATE_INVALID\)\n +fleet\.yaml:10:16/,
    );
  });

  test("refuses a rewritten history until a person accepts it", async () => {
    const made = await settled("rewritten");
    made.git("commit", "--quiet", "--amend", "--message", "another past");
    const refused = await gitops("sync", "rewritten");
    assert.equal(refused.code, 1);
    assert.match(refused.out, /GIT_HISTORY_REWRITTEN[^]*npx countersign gitops sync rewritten --accept-rewrite\n$/);
    assert.equal((await gitops("sync", "rewritten", "--accept-rewrite")).code, 4, "it needs a person");
    assert.match(assertOk(await gitops("sync", "rewritten", "--accept-rewrite", "--yes")), /another past/);
  });

  test("that runs already is followed", async () => {
    const made = await repository("busy");
    made.commitFleet();
    const { id } = await readRepository(operator, "busy");
    let first: Promise<Ended>;
    const second = { out: Promise.resolve(""), ended: Promise.resolve<unknown[]>([]) };
    {
      // the fetch waits for this lock: the run is under way until it is given back
      using _ = await takeLock(join(hub.dataDir, "git", "locks", id), AbortSignal.timeout(30_000));
      first = gitops("sync", "busy", "--json");
      await eventually("run", async () => (await readRepository(operator, "busy")).lastRun ?? undefined);
      const accepting = await gitops("sync", "busy", "--accept-rewrite", "--yes");
      assert.match(accepting.err, /SYNC_RUNNING/, "the one that runs was not asked to accept");
      const child = spawn(process.execPath, [COMMAND, "gitops", "sync", "busy", "--json"], { env: hub.env });
      second.out = text(child.stdout);
      second.ended = once(child, "exit");
      child.stderr.setEncoding("utf8");
      for await (const said of child.stderr.iterator({ destroyOnReturn: false }))
        if ((said as string).includes("Following that run")) break;
      child.stderr.resume();
    }
    const { code, out } = await first;
    assert.deepEqual([code, (await second.ended)[0]], [0, 0]);
    assert.equal(JSON.parse(out).id, JSON.parse(await second.out).id);
  });

  test("of what is not there is refused", async () => {
    for (const command of ["status", "sync", "diff", "apply"]) {
      const unknown = await gitops(command, "nowhere", "--json");
      assert.deepEqual([unknown.code, documentOf(unknown).error.code], [1, "NOT_FOUND"], command);
      const bad = await gitops(command, "No_Name", "--json");
      assert.deepEqual([bad.code, documentOf(bad).error.code], [2, "INPUT_INVALID"], command);
    }
    const id = "0193a000-0000-7000-8000-000000000001";
    assert.equal(documentOf(await gitops("apply", id, "--json")).error.code, "NOT_FOUND");
    assert.equal((await gitops("sync")).code, 2);
  });
});

test("text that comes from Git keeps to its line and cannot move the cursor", async () => {
  const made = await repository("hostile");
  const file = fleetFile("hostile").replace(
    "labels: { team: edge }",
    'annotations: { note: "\\e[2J\\u202ereversed\\nApplied: 4 of 4" }',
  );
  made.commit({ "fleet.yaml": file }, "\u001b[2J\u202enot what it seems");
  for (const args of [["sync"], ["status"], ["diff"], ["apply", "--yes"]]) {
    const { code, out, err } = await gitops(...args, "hostile");
    assert.equal(code, 0, `${out}${err}`);
    assertHarmless(out + err);
    assert.doesNotMatch(out, /^Applied: 4 of 4$/m);
  }
});
