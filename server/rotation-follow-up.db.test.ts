/** What follows a rotation through a whole hub: what stands in the way of it is named, and nobody signs for nothing. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import type { OperationView } from "../contracts/operations/operation.ts";
import { pageOf } from "../contracts/page.ts";
import { rotationSummary } from "../contracts/vault/rotation.ts";
import { RotationFixture } from "./rotation.fixture.ts";
import { eventually, type TestHub, type TestPerson } from "./test-hub.ts";

const FINALIZE = "system_vault_finalize_rotation";
const TRIM = "system_vault_trim_key";

let room: RotationFixture;
let hub: TestHub;
let eve: TestPerson & { readonly accountId: string };
let first: string;
before(async () => {
  room = await RotationFixture.open();
  hub = await room.hubs.start();
  eve = await room.addAccount("Eve");
  await room.addCredentials(eve.accountId, 3);
});
after(() => room[Symbol.asyncDispose]());

const client = () => room.ada.operator(hub);
const open = async () =>
  Number((await room.hubs.sql<{ n: string }>("select count(*) as n from approval_request"))[0]?.n);

test("a backup that stands in the way is named by its id; once it is retired the rotation is finalised", async () => {
  first = await room.rotate(hub);
  assert.equal((await room.ended(hub, first)).state, "completed");
  const backup = v7();
  const values = [room.hubs.accountId, backup];
  await room.hubs.sql("insert into backup (account_id, id, file_name) values ($1, $2, 'nightly.age')", values);
  await room.hubs.sql(
    "insert into backup_key (account_id, backup_id, key_name, lowest_version) values ($1, $2, 'data', 1)",
    [eve.accountId, backup],
  );
  await assert.rejects(client().call(FINALIZE, { rotationId: first }), (error: HubFault) => {
    assert.deepEqual([error.code, error.details.backups, error.details.backupIds], ["KEY_VERSION_IN_USE", 1, [backup]]);
    for (const told of [backup, "nightly.age", "backup retire <id>", "backup list"])
      assert.ok(error.message.includes(told), error.message);
    return true;
  });
  await room.hubs.sql("update backup set retired_at = now() where id = $1", [backup]);
  await room.ada.run(hub, FINALIZE, { rotationId: first, soakMinutes: 60 });
});

interface HubFault {
  readonly code: string;
  readonly message: string;
  readonly details: { readonly backups?: number; readonly backupIds?: string[]; readonly operationId?: string };
}

test("lists tell of a soak, and until when", async () => {
  const finalization = await eventually("soak", async () => {
    const { items } = await client().output(pageOf(rotationSummary), "system_vault_list_rotations");
    return items.find(({ id }) => id === first)?.finalization?.soakUntil ? items[0]?.finalization : undefined;
  });
  assert.equal(finalization?.state, "working");
  const { summary } = await client().done("system_vault_list_rotations");
  assert.ok(summary.includes(String(finalization?.soakUntil)), summary);
  await assert.rejects(client().call(TRIM, { rotationId: first }), (error: HubFault) => {
    assert.equal(error.code, "CONFLICT");
    for (const told of [first, String(finalization?.soakUntil)]) assert.ok(error.message.includes(told), error.message);
    return true;
  });
});

test("while the soak of one rotation lasts another one is begun and ends; the soak puts its own old versions out of use alone", async () => {
  const soaking = (await room.rotation(hub, first)).finalization?.id ?? "";
  const second = await room.rotate(hub);
  assert.equal((await room.ended(hub, second)).state, "completed");
  assert.deepEqual(new Set(await room.allOpen()), new Set([3]));
  await assert.rejects(client().call(FINALIZE, { rotationId: second }), (error: HubFault) => {
    assert.deepEqual([error.code, error.details.operationId], ["ROTATION_RUNNING", soaking], "one after the other");
    return true;
  });
  // an hour later
  await room.hubs.sql("update key_follow_up set soak_until = now() where id = $1", [soaking]);
  await room.hubs.sql(
    "update pgboss.job set start_after = now() where name = 'operation-advance' and state = 'created'",
  );
  assert.equal((await room.finalized(hub, first)).finalization?.state, "completed");
  const keys = await room.keys();
  for (const accountId of room.accounts) {
    const { latestVersion, minDecryptionVersion } = await keys.metadata(accountId, "data");
    assert.deepEqual([latestVersion, minDecryptionVersion], [3, 2]);
  }
  await room.allOpen();
  assert.equal((await room.finalize(hub, second)).finalization?.state, "completed");
  for (const accountId of room.accounts) assert.equal((await keys.metadata(accountId, "data")).minDecryptionVersion, 3);
  await room.allOpen();
});

test("old versions are destroyed once: asked for again, nobody is asked to sign", async () => {
  const trim = async (input: object) => {
    const { operation } = await room.ada.run(hub, TRIM, { rotationId: first, ...input });
    return room.operation(hub, (operation as OperationView).id);
  };
  assert.equal((await trim({ accountId: eve.accountId })).state, "completed");
  const asked = await open();
  await assert.rejects(client().call(TRIM, { rotationId: first, accountId: eve.accountId }), { code: "NOT_FOUND" });
  assert.equal(await open(), asked);
  assert.equal((await trim({})).state, "completed", "the other accounts' are still there");
  const again = await open();
  await assert.rejects(client().call(TRIM, { rotationId: first }), { code: "CONFLICT" });
  assert.equal(await open(), again, "no request was made");
  await room.allOpen();
});

test("each line of the list of operations ends in words or in the call that tells more", async () => {
  const { summary } = await client().done("system_operations_list");
  const lines = summary.split("\n");
  for (const kind of ["vault.trimming", "vault.finalization", "vault.rotation"])
    assert.ok(
      lines.some((line) => line.startsWith(kind)),
      kind,
    );
  for (const line of lines) assert.match(line, /(?: Operation [0-9a-f-]{36}\.|More: system_\S+ \{.*\})$/);
});

test("a verification tells apart what it decrypted, what waits for its secret, and what failed", async () => {
  const input = {
    name: "waits",
    kind: "bearer-token",
    description: "a test",
    allowedHosts: ["api.example"],
    consumers: ["gitops"],
  };
  await room.ada.run(hub, "system_credentials_store", input);
  const { checked, opened, waiting, failed } = await room.verify(hub);
  // those of the fixture are in no journal
  assert.deepEqual([checked, opened, waiting, failed], [4, 0, 1, 3]);
});

test("credentials without a row are found page by page, each once, as in all receipts at once", async () => {
  const names = ["lost-a", "lost-b", "deleted", "kept"];
  const ids = new Map<string, string>();
  for (const name of names) {
    const input = {
      name,
      kind: "bearer-token",
      description: "a test",
      allowedHosts: ["api.example"],
      consumers: ["gitops"],
    };
    const { credential } = await room.ada.run(hub, "system_credentials_store", input);
    ids.set(name, (credential as { id: string }).id);
    await client().done("system_credentials_update_scope", { name, consumers: ["gitops/one"] });
  }
  await room.ada.run(hub, "system_credentials_delete", { name: "deleted" });
  await room.hubs.sql("delete from credential where name in ('lost-a', 'lost-b')");
  const lost = [ids.get("lost-a"), ids.get("lost-b")];
  for (const [receipts, most] of [
    [5_000, 500],
    [3, 500],
    [5_000, 1],
    [1, 1],
  ] as const)
    assert.deepEqual(await lostBy(receipts, most), lost, `${receipts} receipts, ${most} at most`);
});

/** As the account itself, page by page. */
async function lostBy(receipts: number, most: number): Promise<string[]> {
  const found: string[] = [];
  for (let place: [string, string] | undefined = ["0", "-1"]; place; ) {
    const rows: LostRow[] = await room.hubs.sql(
      `with at_work as materialized (select set_config('app.account_id', $1, false))
       select l.* from at_work cross join lateral hub_lost_credentials($2, $3, $4, $5) l`,
      [room.hubs.accountId, ...place, receipts, most],
    );
    const items = rows.filter(({ id }) => id !== null);
    found.push(...items.map(({ id }) => String(id)));
    const end = items.length === most ? rows[most - 1] : rows.find(({ id }) => id === null);
    place = end && [end.epoch_no, end.sequence];
  }
  return found;
}

interface LostRow {
  readonly epoch_no: string;
  readonly sequence: string;
  readonly id: string | null;
}
