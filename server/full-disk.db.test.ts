/**
 * A disk that takes nothing more: PostgreSQL's, and the one with the hub's own data folder. Calls are refused with codes,
 * nothing is left half done, and the same hub goes on when there is room again.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ExternalPostgres } from "./external-postgres.fixture.ts";
import { type FleetRepository, GitopsFixture } from "./gitops.fixture.ts";
import { PUT, PutLoad } from "./put-load.fixture.ts";
import { SmallDisk } from "./small-disk.fixture.ts";
import { eventually, loosen, TestHubs } from "./test-hub.ts";

const skip = SmallDisk.missing;
const isDone = (said: string) => said === "done";
/** What a call may come to while the database can write nothing, or goes down over it. */
const FULL = ["STORE_UNAVAILABLE", "JOURNAL_UNAVAILABLE", "LANE_LOST", "AMBIGUOUS", "KEY_SERVICE_UNREACHABLE"];
const isRefused = (said: string) => FULL.includes(said);

test("PostgreSQL's disk is full", { skip }, async () => {
  using disk = new SmallDisk(160);
  await using server = await ExternalPostgres.start(18, { below: disk.folder });
  const logins = await server.roles();
  await using hubs = new TestHubs({ ...logins, superuser: server.admin, [Symbol.asyncDispose]: async () => {} });
  const { ada } = hubs;
  const hub = await hubs.start();
  await loosen(ada, hub, PUT);
  const load = new PutLoad(hubs, ada.agent(hub), { annotations: { note: randomBytes(3000).toString("base64url") } });
  await load.until(20, isDone);
  disk.fill();
  await load.until(40, isRefused);
  assert.equal((await fetch(hub.at("/healthz"))).status, 200);
  disk.free();
  await server.startAgain(); // PostgreSQL ends where it cannot write its log ahead
  await eventually("readiness", async () => ((await fetch(hub.at("/readyz"))).status === 200 ? true : undefined));
  await load.until(20, isDone);
  await load.stop();
  assert.equal(hub.process.child.exitCode, null);
  const strange = [...load.calls.values()].filter((said) => !isDone(said) && !isRefused(said));
  assert.deepEqual(strange, []);
  await load.settle();
  const { output } = await ada.operator(hub).done("system_journal_verify");
  assert.equal(output["ok"], true, JSON.stringify(output));
  assert.equal(await hub.stop(), 0, hub.log());
});

/** Room that is gone before a fetch begins, and room that a fetch uses up. */
const NO_ROOM: Readonly<Record<string, (disk: SmallDisk, repository: FleetRepository) => void>> = {
  "nothing is left": (disk, repository) => {
    disk.fill();
    repository.commitFleet({ version: "2.0.0" });
  },
  "a commit is larger than what is left": (disk, repository) => {
    disk.fill(2 << 20);
    repository.commit({ "noise.bin": randomBytes(4 << 20) });
  },
};

test("the disk of the hub's data folder is full", { skip }, async () => {
  using disk = new SmallDisk(24);
  await using git = await GitopsFixture.open({ COUNTERSIGN_DATA_DIR: join(disk.folder, "data") });
  const repository = await git.repository("shop");
  await git.settle(repository);
  for (const takeRoom of Object.values(NO_ROOM)) {
    const before = await standing(git);
    takeRoom(disk, repository);
    const run = await git.sync("shop");
    assert.deepEqual([run.status, run.error?.code], ["failed", "DATA_FOLDER_UNUSABLE"]);
    assert.deepEqual(run.proposals, []);
    assert.deepEqual(await standing(git), before);
    assert.deepEqual(
      readdirSync(join(disk.folder, "data", "git")).filter((name) => name.includes(".fetch-")),
      [],
    );
    assert.equal((await git.agent.done("system_identity_whoami")).output["policy"] !== undefined, true);
    disk.free();
    assert.equal((await git.sync("shop")).status, "success");
  }
  await git.settle(repository, { version: "3.0.0" });
  assert.equal((await git.live("Template", "shop-web"))?.spec["version"], "3.0.0");
  assert.equal(await git.hub.stop(), 0, git.hub.log());
});

/** What a sync that fails leaves as it was. */
async function standing(git: GitopsFixture) {
  const { output } = await git.operator.done("system_gitops_get_repository", { repository: "shop" });
  const { head } = output["repository"] as { head: unknown };
  return { head, live: await git.live("Template", "shop-web") };
}
