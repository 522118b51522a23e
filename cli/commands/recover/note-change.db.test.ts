/** The way back for who owns the tables and has no root key: noted first, recorded by the next hub that has the key. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import pg from "pg";
import { v7 } from "uuid";
import { eventually, TestHubs, TestPerson } from "../../../server/test-hub.ts";
import { runCommand } from "../../scratch-hub.fixture.ts";

const NO_PRIVILEGE = "42501";

let hubs: TestHubs;
before(async () => {
  hubs = await TestHubs.open();
  await (await hubs.start()).stop();
});
after(() => hubs[Symbol.asyncDispose]());

/** A folder that never had the root key. */
function without(name: string, more: NodeJS.ProcessEnv = {}) {
  const config = join(hubs.home, "configs", name);
  const env = { ...hubs.env(), COUNTERSIGN_CONFIG_DIR: config, ...more };
  const recover = async (...args: string[]) => {
    const { code, out, err } = await runCommand(env, ["recover", ...args, "--json"]);
    return { code, err, answer: out === "" ? undefined : JSON.parse(out) };
  };
  return { recover, person: new TestPerson(join(config, "cli")) };
}

const receiptsOf = (callId: string) =>
  hubs.sql<{ epoch_no: string; sequence: string; action: string; phase: string; code: string }>(
    "select epoch_no, sequence, action, phase, code from receipt where call_id = $1 order by phase",
    [callId],
  );

const noteOf = async (callId: string) =>
  (
    await hubs.sql<{ effected_at: Date | null; closed_at: Date | null; recorded_at: Date | null }>(
      "select effected_at, closed_at, recorded_at from recovery_note where call_id = $1",
      [callId],
    )
  )[0];

const recordedNote = (callId: string) =>
  eventually("note in the journal", async () => ((await noteOf(callId))?.recorded_at ? noteOf(callId) : undefined));

async function assertVerifies(): Promise<void> {
  const { code, out, err } = await runCommand(hubs.env(), ["journal", "verify", "--json"]);
  assert.equal(code, 0, out + err);
}

test("an operator is let in while no hub runs; the next one records that before anything else", async () => {
  const { recover, person: ada } = without("ada");
  assert.equal(
    (await recover("operator", "--yes")).answer.error.code,
    "KEY_SERVICE_UNREACHABLE",
    "only when it is said",
  );
  const unasked = await recover("operator", "--without-root-key");
  assert.equal(unasked.answer.error.code, "CONFIRMATION_DECLINED");
  assert.match(unasked.err, /owns the database's tables/);
  assert.equal((await hubs.sql("select from recovery_note")).length, 0);

  const { code, err, answer } = await recover("operator", "--without-root-key", "--yes");
  assert.equal(code, 0, err);
  const { callId } = answer.receipt;
  assert.deepEqual(await receiptsOf(callId), [], "nobody could sign");
  assert.ok((await noteOf(callId))?.effected_at);

  const hub = await hubs.start();
  await ada.operator(hub).done("system_identity_whoami");
  await assert.rejects(hubs.ada.operator(hub).done("system_identity_whoami"), { code: "TOKEN_REVOKED" });
  assert.ok((await recordedNote(callId))?.recorded_at);
  const receipts = await receiptsOf(callId);
  assert.deepEqual(
    receipts.map(({ action, phase, code: ending }) => [action, phase, ending]),
    [
      ["recover_operator_by_owner", "intent", "PENDING"],
      ["recover_operator_by_owner", "outcome", "OK"],
    ],
  );
  const [first] = await hubs.sql<{ call_id: string }>(
    "select call_id from receipt where epoch_no = $1 and account_id = $2 order by sequence limit 1",
    [receipts[0]?.epoch_no, hubs.accountId],
  );
  assert.equal(first?.call_id, callId);
  await hub.stop();
  await assertVerifies();
});

test("a policy gives way beside a running hub, which records it within moments", async () => {
  const hub = await hubs.start();
  await hubs.sql(
    `insert into policy_document (account_id, version, document, hash, created_by)
     select account_id, version + 1, document, repeat('f', 64), created_by from policy_document
     where account_id = $1 order by version desc limit 1`,
    [hubs.accountId],
  );
  const { recover } = without("policy");
  const { code, err, answer } = await recover("policy", "--without-root-key", "--yes");
  assert.equal(code, 0, err);
  await recordedNote(answer.receipt.callId);
  const [, outcome] = await receiptsOf(answer.receipt.callId);
  assert.deepEqual([outcome?.action, outcome?.code], ["recover_policy_by_owner", "OK"]);
  assert.equal((await recover("policy", "--without-root-key", "--yes")).answer.error.code, "CONFLICT");
  await hub.stop();
  await assertVerifies();
});

test("what was noted and never done is recorded as that, and cannot be done any more", async () => {
  const callId = v7();
  await hubs.sql(
    `insert into recovery_note (account_id, call_id, action, input, target_type, target_id, noted_at)
     values ($1, $2, 'recover_policy_by_owner', $3, 'Account', $4, now() - interval '11 minutes')`,
    [hubs.accountId, callId, "a".repeat(64), hubs.accountId],
  );
  const hub = await hubs.start();
  await recordedNote(callId);
  const [, outcome] = await receiptsOf(callId);
  assert.equal(outcome?.code, "CANCELLED");
  const [late] = await hubs.sql<{ effected: boolean }>("select hub_recovery_effected($1, $2, $3) as effected", [
    hubs.accountId,
    callId,
    "b".repeat(64),
  ]);
  assert.equal(late?.effected, false);
  await hub.stop();
  await assertVerifies();
});

test("the runtime role cannot write a note, nor say of one that it was recorded", async () => {
  const [callId, other] = [v7(), v7()];
  const note = (id: string) => ({
    text: `insert into recovery_note (account_id, call_id, action, input, target_type, target_id)
      values ($1, $2, 'recover_policy_by_owner', $3, 'Account', $1::uuid::text)`,
    values: [hubs.accountId, id, "c".repeat(64)],
  });
  await hubs.sql(note(callId).text, note(callId).values);
  const runtime = new pg.Client(hubs.db.runtime ?? assert.fail());
  await runtime.connect();
  try {
    await runtime.query("select set_config('app.account_id', $1, false)", [hubs.accountId]);
    await assert.rejects(runtime.query(note(other)), { code: NO_PRIVILEGE });
    await assert.rejects(runtime.query("update recovery_note set recorded_at = now()"), { code: NO_PRIVILEGE });
    await assert.rejects(runtime.query("delete from recovery_note"), { code: NO_PRIVILEGE });
    await runtime.query("select hub_recovery_recorded($1, $2)", [hubs.accountId, callId]);
    assert.equal((await noteOf(callId))?.recorded_at, null);
  } finally {
    await runtime.end();
  }
  await hubs.sql("delete from recovery_note where call_id = $1", [callId]);
});

test("without the owner's login there is no way", async () => {
  const { recover } = without("nobody", { COUNTERSIGN_MIGRATION_URL: "" });
  for (const what of ["policy", "operator"])
    assert.equal((await recover(what, "--without-root-key", "--yes")).answer.error.code, "CONFIG_INVALID");
});
