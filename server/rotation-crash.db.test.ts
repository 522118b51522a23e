/**
 * kill -9 at every turn of a rotation and of its finalization, one after the other in one rotation, with credentials being
 * stored in between: the next process goes on where the last one fell, everything opens at any time, and nothing is lost.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ROTATE, RotationFixture } from "./rotation.fixture.ts";
import { ask, eventually, moduleNamed, settledRequest, type TestHub, type TestPerson } from "./test-hub.ts";

const RECORD = "system_vault_record_account_key";
const KEY = "system_vault_rotate_account_key";
const BATCH = "system_vault_rewrap_batch";
const RESEAL = "system_vault_reseal_payloads";
const FINISH = "system_vault_finish_walk";
const FLOOR = "system_vault_raise_key_floor";

const ROTATING = [
  `during-execution@${RECORD}`,
  `after-intent@${KEY}`,
  `during-execution@${KEY}`,
  `after-effect@${KEY}`,
  `after-intent@${BATCH}`,
  `during-execution@${BATCH}`,
  `after-effect@${BATCH}`,
  `during-execution@${RESEAL}`,
  `during-execution@${FINISH}`,
];
const FINALIZING = [`during-execution@${FLOOR}`, `after-effect@${FLOOR}`];

let room: RotationFixture;
let eve: TestPerson & { readonly accountId: string };
let first: TestHub;
before(async () => {
  room = await RotationFixture.open();
  first = await room.hubs.start(crashing(`before-intent@${RECORD}`));
  eve = await room.addAccount("Eve");
});
after(() => room[Symbol.asyncDispose]());

const crashing = (point: string) => ({ COUNTERSIGN_TEST_MODE: "1", COUNTERSIGN_TEST_CRASH_AT: point });

/** What a queue does by itself when a worker's heartbeat stays away, without the wait. */
async function comesAgain(): Promise<void> {
  await room.hubs.sql(
    "update pgboss.job set state = 'retry', start_after = now() where name = 'operation-advance' and state = 'active'",
  );
}

async function gone(doomed: TestHub): Promise<void> {
  await doomed.crashed();
  await comesAgain();
}

/** Starts a hub that is killed there, and waits until it was. */
async function killedAt(point: string): Promise<void> {
  await gone(await room.hubs.start(crashing(point)));
  for (const accountId of room.accounts) await room.addCredentials(accountId, 1);
  await room.allOpen();
}

test("a rotation that is killed at every turn completes, with every credential under the new version", async () => {
  for (const accountId of room.accounts) await room.addCredentials(accountId, 120);
  const corrupt = await room.addCredentials(eve.accountId, 1);
  for (const id of corrupt) await room.corrupt(id);
  const waiting = await ask(room.ada.agent(first), "system_fleet_put_object", { object: moduleNamed("waits") });
  const requestId = await ask(room.ada.operator(first), ROTATE, {});
  await room.ada.decide(first, requestId).catch(() => {}); // it may be gone before it answers
  await gone(first);
  for (const point of ROTATING) await killedAt(point);

  const hub = await room.hubs.start(crashing(`before-intent@${FLOOR}`));
  const [row] = await room.hubs.sql<{ id: string }>("select id from key_rotation");
  const rotationId = row?.id ?? "";
  const rotation = await room.ended(hub, rotationId);
  assert.deepEqual([rotation.state, rotation.failed, rotation.remaining], ["completed", 1, 0]);
  assert.deepEqual(
    rotation.failures,
    [{ accountId: eve.accountId, kind: "credential", recordId: corrupt[0], code: "CIPHERTEXT_INVALID" }],
    "the corrupt one is told by its id, and stopped nobody",
  );
  assert.deepEqual([...new Set(await room.allOpen())], [2], "no key was rotated twice");
  await room.ada.decide(hub, waiting);
  assert.equal((await settledRequest(room.ada.operator(hub), waiting)).state, "executed", "what waited still opens");

  await assert.rejects(room.finalize(hub, rotationId), { code: "KEY_VERSION_IN_USE" });
  await room.hubs.sql("delete from credential where id = $1", corrupt);
  const asked = await ask(room.ada.operator(hub), "system_vault_finalize_rotation", { rotationId, soakMinutes: 0 });
  await room.ada.decide(hub, asked).catch(() => {});
  await gone(hub);
  for (const point of FINALIZING) await killedAt(point);
  const last = await room.hubs.start();
  const { finalizedAt, finalization } = await room.finalized(last, rotationId);
  assert.deepEqual([finalization?.state, typeof finalizedAt], ["completed", "string"], JSON.stringify(finalization));
  assert.deepEqual([...new Set(await room.allOpen())], [2]);
  const keys = await room.keys();
  for (const accountId of room.accounts) {
    const { latestVersion, minDecryptionVersion, minEncryptionVersion } = await keys.metadata(accountId, "data");
    assert.deepEqual([latestVersion, minDecryptionVersion, minEncryptionVersion], [2, 2, 2]);
  }
  const cut = await eventually("receipts of what was cut off", async () => {
    const rows = await room.hubs.sql<{ action: string }>(
      "select distinct action from receipt where code = 'AMBIGUOUS' and phase = 'outcome' order by action",
    );
    return rows.length >= 4 ? rows.map(({ action }) => action) : undefined;
  });
  assert.ok(cut.includes(KEY) && cut.includes(BATCH), cut.join());
  const { output } = await room.ada.operator(last).done("system_journal_verify");
  assert.equal(output.ok, true, JSON.stringify(output));
});
