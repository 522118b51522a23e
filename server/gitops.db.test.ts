/** Git and the fleet, through whole hubs: a commit becomes a proposal, an approved proposal becomes the fleet. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gitopsFixture, type GitopsFixture } from "./gitops.fixture.ts";

let git: GitopsFixture;
before(async () => {
  git = await gitopsFixture();
});
after(() => git[Symbol.asyncDispose]());

test("the whole way: commit, proposal, approval, applied, edited by hand, drift, mended", async () => {
  const repository = await git.repository("whole");
  const commit = repository.commitFleet({ version: "1.0.0" }, "first");
  const run = await git.sync("whole");
  assert.equal(run.status, "success", JSON.stringify(run, null, 1));
  assert.equal(run.commit?.id, commit);
  console.log(JSON.stringify(run, null, 1));
  const applied = await git.apply(run.proposals[0]!.id);
  console.log(JSON.stringify(applied, null, 1));
});
