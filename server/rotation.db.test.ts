/** Rotations of all accounts' keys through a whole hub: what they do, what they refuse, and that everything opens meanwhile. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { canonicalize } from "../contracts/formats/canonical-json.ts";
import { opens } from "../contracts/formats/commitment.ts";
import { pageOf } from "../contracts/page.ts";
import { rotationSummary } from "../contracts/vault/rotation.ts";
import { type WalkedBatchView, walkedBatchView } from "../contracts/vault/walk.ts";
import { Database } from "./adapters/postgres/database.ts";
import { rotationReader } from "./adapters/postgres/rotation-reader.ts";
import { submit } from "./credentials.fixture.ts";
import { ROTATE, RotationFixture } from "./rotation.fixture.ts";
import { ask, eventually, moduleNamed, settledRequest, type TestHub, type TestPerson } from "./test-hub.ts";

const PUT = "system_fleet_put_object";

let room: RotationFixture;
let hub: TestHub;
let eve: TestPerson & { readonly accountId: string };
before(async () => {
  room = await RotationFixture.open();
  hub = await room.hubs.start();
  eve = await room.addAccount("Eve");
});
after(() => room[Symbol.asyncDispose]());

const accountOf = async (accountId: string) =>
  (
    await room.hubs.sql<{ version: number; rotated: Date | null; floor: number }>(
      "select transit_key_version as version, transit_key_rotated_at as rotated, transit_key_floor as floor from account where id = $1",
      [accountId],
    )
  )[0];

test("every account's key is rotated, and what is stored under it is carried over: credentials, and what waits or is kept", async () => {
  await room.addCredentials(room.hubs.accountId, 3);
  await room.addCredentials(eve.accountId, 450);
  const waiting = await ask(room.ada.agent(hub), PUT, { object: moduleNamed("waits") });
  const id = await room.rotate(hub);
  const rotation = await room.ended(hub, id);
  assert.equal(rotation.state, "completed", JSON.stringify(rotation));
  const { rotated, skipped, failed, remaining, accounts, failures } = rotation;
  assert.deepEqual([rotated, skipped, failed, remaining], [453, 0, 0, 0]);
  assert.deepEqual([accounts, failures], [{ total: 2, done: 2, failed: 0 }, []]);
  assert.ok((rotation.ratePerSecond ?? 0) > 0);
  assert.ok(rotation.payloads >= 2, "the call that waits, and the result of the rotation's own approval");
  assert.deepEqual([...new Set(await room.allOpen())], [2]);
  for (const accountId of room.accounts) {
    const { version, rotated: at } = (await accountOf(accountId)) ?? {};
    assert.deepEqual([version, at instanceof Date], [2, true]);
  }
  await room.ada.decide(hub, waiting);
  assert.equal((await settledRequest(room.ada.operator(hub), waiting)).state, "executed");
});

test("each batch's receipt, in its account, commits to which credential went from which version to which", async () => {
  const [{ id: rotationId } = { id: "" }] = await room.hubs.sql<{ id: string }>("select id from key_rotation");
  const batches: WalkedBatchView[] = [];
  for (let cursor = {}; ; ) {
    const input = { rotationId, limit: 1, ...cursor };
    const page = await eve.operator(hub).output(pageOf(walkedBatchView), "system_vault_list_batches", input);
    batches.push(...page.items);
    if (page.next === undefined) break;
    cursor = { cursor: page.next };
  }
  assert.ok(batches.length > 1);
  assert.equal(new Set(batches.flatMap(({ moved }) => moved.map(({ id }) => id))).size, 450);
  for (const { callId, moved, salt, digest } of batches) {
    const statement = await eventually("receipt of the batch", async () => {
      const [row] = await room.hubs.sql<{ statement: Buffer }>(
        "select statement from receipt where account_id = $1 and call_id = $2 and phase = 'outcome'",
        [eve.accountId, callId],
      );
      return row && JSON.parse(row.statement.toString());
    });
    assert.equal(statement.predicate.left[0].digest, digest);
    assert.ok(opens(digest, Buffer.from(salt, "base64"), Buffer.from(canonicalize(moved))));
    assert.ok(!opens(digest, Buffer.from(salt, "base64"), Buffer.from(canonicalize(moved.slice(1)))));
    assert.ok(!JSON.stringify(statement).includes("vault:v"));
  }
  const ours = await room.ada
    .operator(hub)
    .output(pageOf(walkedBatchView), "system_vault_list_batches", { rotationId });
  assert.deepEqual(
    ours.items.map(({ moved }) => moved.length),
    [3],
    "each account sees its own",
  );
});

test("another account's people ask for none of it, and the hub's own account's people are answered", async () => {
  const rotationId = (await room.ada.operator(hub).done("system_vault_list_rotations")).output["items"] as {
    id: string;
  }[];
  const id = rotationId[0]?.id ?? "";
  for (const [action, input] of [
    [ROTATE, {}],
    ["system_vault_get_rotation", { rotationId: id }],
    ["system_vault_list_rotations", {}],
    ["system_vault_list_accounts", {}],
    ["system_vault_pause_rotation", { rotationId: id }],
    ["system_vault_resume_rotation", { rotationId: id }],
    ["system_vault_verify_credentials", {}],
    ["system_vault_get_verification", { verificationId: id }],
    ["system_vault_finalize_rotation", { rotationId: id }],
    ["system_vault_trim_key", { rotationId: id }],
  ] as const)
    await assert.rejects(eve.operator(hub).call(action, input), { code: "FORBIDDEN" }, action);
  assert.equal((await room.rotation(hub, id)).id, id);
});

test("what looks across accounts finds nothing for another account, whoever asks the database for it", async () => {
  const { runtime } = room.hubs.db;
  assert.ok(runtime);
  const [{ id } = { id: "" }] = await room.hubs.sql<{ id: string }>("select id from key_rotation");
  const database = new Database(runtime, { poolSize: 2 });
  const look = async (accountId: string) => {
    const found = [];
    for (const text of [
      `hub_rotation_due('${v7()}', true, 9)`,
      "hub_accounts_after(null, 9)",
      `hub_rotation_totals('${id}')`,
      `hub_keys_in_use('${id}')`,
      "hub_account_keys(now(), null, null, 9)",
    ]) {
      const { rows } = await database.read(accountId, (session) => session.query<object>(`select * from ${text}`));
      found.push(rows.length > 0);
    }
    const { credentials } = await database.read(accountId, (session) => rotationReader(session).size());
    return [...found, credentials > 0];
  };
  assert.deepEqual(new Set(await look(eve.accountId)), new Set([false]));
  assert.deepEqual(new Set(await look(room.hubs.accountId)), new Set([true]));
  await database.close();
});

test("of two rotations begun at once one begins, and another is told of it; paused it rests, resumed it goes on, and cancelled both versions stay readable", async () => {
  await room.addCredentials(eve.accountId, 50);
  const asked = [
    await ask(room.ada.operator(hub), ROTATE, { ratePerSecond: 20 }),
    await ask(room.ada.agent(hub), ROTATE, { ratePerSecond: 20 }),
  ];
  await Promise.all(asked.map((requestId) => room.ada.decide(hub, requestId)));
  const ends = await Promise.all(asked.map((requestId) => settledRequest(room.ada.operator(hub), requestId)));
  assert.deepEqual(ends.map(({ state, errorCode }) => errorCode ?? state).toSorted(), ["ROTATION_RUNNING", "executed"]);
  const { items } = await room.ada
    .operator(hub)
    .output(pageOf(rotationSummary), "system_vault_list_rotations", { limit: 1 });
  const id = items[0]?.id ?? "";
  await assert.rejects(
    room.ada.operator(hub).call(ROTATE, {}),
    (error: { code: string; details: { operationId: string } }) => {
      assert.deepEqual([error.code, error.details.operationId], ["ROTATION_RUNNING", id]);
      return true;
    },
  );
  await eventually("walk at work", async () => ((await room.rotation(hub, id)).rotated > 0 ? true : undefined));
  await room.ada.operator(hub).done("system_vault_pause_rotation", { rotationId: id });
  const at = await eventually("rest of the walk", async () => {
    const [before, now] = [await room.rotation(hub, id), await room.rotation(hub, id)];
    return now.progress.sentence.startsWith("Paused since") && before.rotated === now.rotated ? now : undefined;
  });
  assert.deepEqual([at.state, at.paused], ["working", true]);
  assert.ok(at.remaining > 0);
  await room.ada.operator(hub).done("system_vault_resume_rotation", { rotationId: id });
  await eventually("walk at work again", async () =>
    (await room.rotation(hub, id)).rotated > at.rotated ? true : undefined,
  );
  await room.ada.operator(hub).done("system_operations_cancel", { operationId: id });
  const over = await room.ended(hub, id);
  assert.equal(over.state, "cancelled");
  assert.deepEqual(new Set(await room.allOpen()), new Set([2, 3]), "both versions stay readable");
  for (const action of ["system_vault_pause_rotation", "system_vault_resume_rotation"])
    await assert.rejects(room.ada.operator(hub).call(action, { rotationId: id }), { code: "CONFLICT" });
  await assert.rejects(room.finalize(hub, id), { code: "CONFLICT" }, "what did not complete is not finalised");
});

test("what is stored while the walk is under way stays; a record that does not open is told by its id, and stops nobody", async () => {
  const [corrupt = ""] = await room.addCredentials(eve.accountId, 1);
  await room.corrupt(corrupt);
  const id = await room.rotate(hub, { ratePerSecond: 400 });
  for (let n = 0; n < 10; n++) {
    await room.addCredentials(eve.accountId, 2);
    await room.allOpen();
  }
  const rotation = await room.ended(hub, id);
  assert.deepEqual([rotation.state, rotation.failed, rotation.remaining], ["completed", 1, 0]);
  assert.deepEqual(rotation.failures, [
    { accountId: eve.accountId, kind: "credential", recordId: corrupt, code: "CIPHERTEXT_INVALID" },
  ]);
  assert.deepEqual([...new Set(await room.allOpen())], [4]);
  const { output } = await room.ada.operator(hub).done("system_vault_list_accounts", { olderThanDays: 90 });
  assert.deepEqual(
    (output["items"] as { accountId: string; below: number }[]).map(({ accountId, below }) => [accountId, below]),
    [[eve.accountId, 1]],
    "fresh keys are not due, and what is below one is",
  );

  await assert.rejects(room.finalize(hub, id), (error: { code: string; details: object }) => {
    assert.equal(error.code, "KEY_VERSION_IN_USE");
    assert.deepEqual(error.details, { credentials: 1, held: 0, results: 0, outcomes: 0, backups: 0 });
    return true;
  });
  await room.hubs.sql("delete from credential where id = $1", [corrupt]);
  const backup = v7();
  await room.hubs.sql("insert into backup (account_id, id, file_name) values ($1, $2, 'before')", [
    room.hubs.accountId,
    backup,
  ]);
  await room.hubs.sql(
    "insert into backup_key (account_id, backup_id, key_name, lowest_version) values ($1, $2, 'data', 3)",
    [eve.accountId, backup],
  );
  await assert.rejects(room.finalize(hub, id), { code: "KEY_VERSION_IN_USE" }, "a backup from before");
  await room.hubs.sql("update backup set retired_at = now() where id = $1", [backup]);
  await assert.rejects(room.ada.operator(hub).call("system_vault_trim_key", { rotationId: id }), { code: "CONFLICT" });
  const finalized = await room.finalize(hub, id);
  assert.equal(finalized.finalization?.state, "completed", JSON.stringify(finalized));
  await assert.rejects(room.finalize(hub, id), { code: "CONFLICT" }, "once");
  const keys = await room.keys();
  for (const accountId of room.accounts) {
    const { minDecryptionVersion, minEncryptionVersion, minAvailableVersion } = await keys.metadata(accountId, "data");
    assert.deepEqual([minDecryptionVersion, minEncryptionVersion, minAvailableVersion], [4, 4, 0]);
    assert.equal((await accountOf(accountId))?.floor, 4);
  }
  await room.allOpen();
  await assert.rejects(
    room.hubs.sql(
      "update credential set wrapped_key = replace(wrapped_key, 'vault:v4:', 'vault:v3:') where account_id = $1",
      [eve.accountId],
    ),
    { code: "40001" },
    "the database takes nothing below the floor any more",
  );

  const { operation } = await room.ada.run(hub, "system_vault_trim_key", { rotationId: id });
  assert.equal((await room.operation(hub, (operation as { id: string }).id)).state, "completed");
  for (const accountId of room.accounts) assert.equal((await keys.metadata(accountId, "data")).minAvailableVersion, 4);
  await room.allOpen();
});

test("an account whose policy does not let the hub in is told, and the others are rotated", async () => {
  const { output } = await eve.operator(hub).done("system_policy_get");
  const cedar =
    '@id("no-rotation")\n@why("We keep our key.")\nforbid (principal, action == Action::"system_vault_rotate_account_key", resource);';
  const document = {
    apiVersion: "countersign/v1",
    kind: "Policy",
    authorization: { cedar },
    intervention: { rules: [] },
  };
  await eve.run(hub, "system_policy_put", { document, baseVersion: output["version"] });
  const rotation = await room.ended(hub, await room.rotate(hub));
  assert.equal(rotation.state, "completed");
  assert.deepEqual(rotation.accounts, { total: 2, done: 1, failed: 1 });
  assert.deepEqual(rotation.failures, [{ accountId: eve.accountId, kind: null, recordId: null, code: "FORBIDDEN" }]);
  assert.deepEqual(new Set(await room.allOpen()), new Set([4, 5]));
});

test("a soak is waited for, whatever restarts meanwhile; called off, old versions go on decrypting", async () => {
  const { items } = await room.ada.operator(hub).output(pageOf(rotationSummary), "system_vault_list_rotations", {});
  const rotationId = items[0]?.id ?? "";
  const versions = async () => {
    const { minDecryptionVersion, minEncryptionVersion } = await (await room.keys()).metadata(
      room.hubs.accountId,
      "data",
    );
    return [minDecryptionVersion, minEncryptionVersion];
  };
  const soaking = async () => {
    await room.ada.run(hub, "system_vault_finalize_rotation", { rotationId, soakMinutes: 60 });
    return eventually("soak", async () => {
      const { finalization } = await room.rotation(hub, rotationId);
      return finalization?.soakUntil ? finalization : undefined;
    });
  };
  const called = await soaking();
  assert.deepEqual([called.state, await versions()], ["working", [4, 5]]);
  await room.ada.operator(hub).done("system_operations_cancel", { operationId: called.id });
  const { finalization, finalizedAt } = await room.rotation(hub, rotationId);
  assert.deepEqual([finalization?.state, finalizedAt, await versions()], ["cancelled", null, [4, 5]]);

  const { id } = await soaking();
  await hub.stop();
  hub = await room.hubs.start();
  const again = await room.rotation(hub, rotationId);
  assert.deepEqual([again.finalization?.id, again.finalization?.state], [id, "working"]);
  // an hour later
  await room.hubs.sql("update key_follow_up set soak_until = now() where id = $1", [id]);
  await room.hubs.sql(
    "update pgboss.job set start_after = now() where name = 'operation-advance' and state = 'created'",
  );
  assert.equal((await room.finalized(hub, rotationId)).finalization?.state, "completed");
  assert.deepEqual(await versions(), [5, 5]);
  await room.allOpen();
});

test("a verification opens every credential, changes nothing, and tells those that do not hold by id", async () => {
  await room.forget();
  const ids = [];
  for (const name of ["sound", "tampered", "put-back", "lost"]) ids.push(await stored(name));
  const whole = await room.verify(hub);
  assert.deepEqual([whole.state, whole.checked, whole.failed, whole.accounts], ["completed", 4, 0, 2]);
  const [sound, tampered = "", putBack = "", lost = ""] = ids;
  const [added = ""] = await room.addCredentials(eve.accountId, 1);
  await room.corrupt(tampered);
  await room.hubs.sql("update credential set version = version - 1 where id = $1", [putBack]);
  await room.hubs.sql("delete from credential where id = $1", [lost]);
  const rows = () => room.hubs.sql("select md5(string_agg(c::text, '' order by c.id)) as all from credential c");
  const before = await rows();
  const { state, failed, findings, unreached } = await room.verify(hub);
  assert.deepEqual(await rows(), before);
  assert.deepEqual([state, failed, unreached], ["completed", 4, []]);
  const found = new Map(findings.map(({ credentialId, code }) => [credentialId, code]));
  assert.deepEqual(
    found,
    new Map([
      [tampered, "CIPHERTEXT_INVALID"],
      [putBack, "CREDENTIAL_REPLACED"],
      [lost, "CREDENTIAL_MISSING"],
      [added, "CREDENTIAL_UNRECORDED"],
    ]),
  );
  assert.ok(!found.has(sound ?? ""));
});

/** Through the gate, its secret given on the claim's page. */
async function stored(name: string): Promise<string> {
  const input = {
    name,
    kind: "bearer-token",
    description: "a test",
    allowedHosts: ["api.example.com"],
    consumers: ["gitops"],
  };
  const { credential, claim } = await room.ada.run(hub, "system_credentials_store", input);
  const page = await submit((claim as { link: string }).link, `secret-of-${name}`);
  assert.equal(page.status, 200, page.text);
  return (credential as { id: string }).id;
}

test("no secret and no wrapped key is in a receipt, an event or a log", async () => {
  const texts = await room.hubs.sql<{ text: string }>(
    "select convert_from(statement, 'UTF8') as text from receipt union all select data::text from event",
  );
  for (const { text } of texts) assert.ok(!/vault:v\d+:|secret.of/.test(text));
  assert.ok(!/vault:v\d+:|secret.of/.test(hub.log()));
});
