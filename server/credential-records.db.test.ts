/** What is kept of credentials, with the superuser's hands in the table: copied rows do not open, old ones are noticed. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { EmbeddedKeyService } from "./adapters/embedded-keys/embedded-key-service.ts";
import { openRootKeyFile } from "./adapters/embedded-keys/root-key-file.ts";
import { credentialReader } from "./adapters/postgres/credential-store.ts";
import { Database } from "./adapters/postgres/database.ts";
import { PostgresKeyStore } from "./adapters/postgres/key-store.ts";
import { CredentialsFixture, keptRow, PASSWORD, putRow, submit } from "./credentials.fixture.ts";
import { type CheckedRecord, checkRecords } from "./domain/credentials/check-records.ts";
import type { LeftInJournal } from "./domain/credentials/credential-store.ts";
import type { KeyService } from "./domain/keys/key-service.ts";

const SCOPE = "system_credentials_update_scope";
const TEST = "system_credentials_test";

let all: CredentialsFixture;
let database: Database;
let keys: KeyService;
before(async () => {
  all = await CredentialsFixture.open();
  const { hubs } = all.git;
  database = new Database(hubs.db.runtime ?? assert.fail("a database of its own"), { poolSize: 2 });
  const { COUNTERSIGN_CONFIG_DIR: config, COUNTERSIGN_DATA_DIR: dataFolder = "" } = hubs.env();
  const rootKey = await openRootKeyFile({ path: `${config}/hub/root.key`, dataFolder, create: false });
  keys = new EmbeddedKeyService(rootKey, new PostgresKeyStore(database));
});
after(async () => {
  await database.close();
  await all[Symbol.asyncDispose]();
});

/** As a verification does: every row with what the journal has of it, and what has no row. */
async function checked(accountId = all.git.hubs.accountId): Promise<Map<string, CheckedRecord["verdict"]>> {
  const { rows, lost } = await database.read(accountId, async (session) => {
    const reader = credentialReader(session);
    return { rows: await reader.batch(undefined, 500), lost: (await reader.lost({ limit: 100 })).items };
  });
  const latest = new Map<string, LeftInJournal>();
  for (const { record, latest: left } of rows) if (left) latest.set(record.id, left);
  for (const { id, version } of lost) latest.set(id, { version, digest: "some digest" });
  const found = await checkRecords(
    rows.map(({ record }) => record),
    keys,
    latest,
  );
  return new Map(found.map(({ id, name, verdict }) => [name ?? id, verdict]));
}

const use = (name: string) => all.git.operator.call(TEST, { name });
const set = (name: string, change: string) =>
  all.git.hubs.sql(`update credential set ${change} where name = $1`, [name]);

test("sound records are what the journal has of them; one without a secret is told apart", async () => {
  await all.ready("sound");
  await all.store("waiting");
  await all.git.operator.done(SCOPE, { name: "sound", consumers: ["gitops/sound"] });
  const verdicts = await checked();
  assert.deepEqual([verdicts.get("sound"), verdicts.get("waiting")], ["OK", "EMPTY"]);
  assert.equal((await use("sound")).status, "done");
});

test("an old row put back is not used, and is found", async () => {
  await all.ready("old", "the-first-password");
  const { git } = all;
  const before = await keptRow(git, "old");
  const { claim } = (await git.run("system_credentials_rotate", { name: "old" })) as { claim: { link: string } };
  assert.equal((await submit(claim.link, PASSWORD)).status, 200);
  const now = await keptRow(git, "old");
  await putRow(git, before);
  await assert.rejects(use("old"), { code: "CREDENTIAL_REPLACED" });
  assert.equal((await checked()).get("old"), "CREDENTIAL_REPLACED");
  await assert.rejects(git.operator.call(SCOPE, { name: "old", consumers: ["gitops/old"] }), {
    code: "CREDENTIAL_REPLACED",
  });
  await putRow(git, now);
  assert.equal((await use("old")).status, "done");
  assert.equal((await checked()).get("old"), "OK");
});

test("a scope that somebody widened in the table is not believed", async () => {
  await all.ready("widened");
  const change = "consumers = array['gitops', 'gateway']";
  const [row] = await all.git.hubs.sql<{ consumers: string[] }>(
    "select consumers from credential where name = 'widened'",
  );
  await set("widened", change);
  await assert.rejects(use("widened"), { code: "CREDENTIAL_REPLACED" });
  assert.equal((await checked()).get("widened"), "CREDENTIAL_REPLACED");
  await all.git.hubs.sql("update credential set consumers = $1 where name = 'widened'", [row?.consumers]);
  assert.equal((await use("widened")).status, "done");
});

test("a wrapped key that was changed does not open, and says so by its own code", async () => {
  await all.ready("corrupt");
  const row = await keptRow(all.git, "corrupt");
  await set("corrupt", "wrapped_key = regexp_replace(wrapped_key, '.{4}$', 'AAAA')");
  await assert.rejects(use("corrupt"), { code: "CIPHERTEXT_INVALID" });
  const verdicts = await checked();
  assert.equal(verdicts.get("corrupt"), "CIPHERTEXT_INVALID");
  assert.equal(verdicts.get("sound"), "OK", "one corrupt record keeps no other from being looked at");
  await putRow(all.git, row);
  assert.equal((await checked()).get("corrupt"), "OK");
});

test("a row copied to another account does not open there, whatever else is copied along", async () => {
  const { git } = all;
  await all.ready("copied");
  const mallory = await git.hubs.addAccount("Mallory");
  const row = await keptRow(git, "copied");
  const [by] = await git.hubs.sql<{ id: string }>(
    "select id from principal where account_id = $1 and kind = 'operator'",
    [mallory.accountId],
  );
  const copy = { ...row, account_id: mallory.accountId, owner_id: by?.id, created_by: by?.id };
  await putRow(git, copy);
  const client = mallory.operator(git.hub);
  await assert.rejects(client.call(TEST, { name: "copied" }), { code: "CREDENTIAL_REPLACED" });
  assert.equal((await checked(mallory.accountId)).get("copied"), "CREDENTIAL_UNRECORDED");

  // even under a key that opens in both accounts, and with a journal that says so, the secret is bound to its account
  const [versions] = await git.hubs.sql<{ n: string }>("select count(*) as n from key_version where account_id = $1", [
    mallory.accountId,
  ]);
  assert.ok(Number(versions?.n) > 0);
  const { rows } = await database.read(mallory.accountId, async (session) => ({
    rows: await credentialReader(session).batch(undefined, 10),
  }));
  const foreign = {
    decryptBatch: (
      _: string,
      ...rest: Parameters<KeyService["decryptBatch"]> extends [string, ...infer R] ? R : never
    ) => keys.decryptBatch(git.hubs.accountId, ...rest),
  };
  const [verdict] = await checkRecords(
    rows.map(({ record }) => record),
    foreign,
    undefined,
  );
  assert.equal(verdict?.verdict, "CIPHERTEXT_INVALID");
});

test("a deleted credential that is put back is not the latest; one that vanished is missed", async () => {
  const { git } = all;
  await all.ready("deleted");
  const row = await keptRow(git, "deleted");
  await git.run("system_credentials_delete", { name: "deleted" });
  assert.ok(!(await checked()).has("deleted"), "what was deleted through the hub is missed by nobody");
  await putRow(git, row);
  await assert.rejects(use("deleted"), { code: "CREDENTIAL_REPLACED" });
  assert.equal((await checked()).get("deleted"), "CREDENTIAL_REPLACED");
  await git.run("system_credentials_delete", { name: "deleted" });
  assert.ok(!(await checked()).has("deleted"));

  await all.ready("vanished");
  const { id } = await all.metadata("vanished");
  await git.hubs.sql("delete from credential where name = 'vanished'");
  assert.equal((await checked()).get(id), "CREDENTIAL_MISSING");
});

test("one that vanished is given up by its id, once; one that has a row is not, and put back it is not the latest", async () => {
  const { git } = all;
  const forget = (credentialId: string) => git.run("system_credentials_forget", { credentialId });
  await all.ready("lost");
  const { id } = await all.metadata("lost");
  await assert.rejects(forget(id), { code: "CONFLICT" });
  await assert.rejects(forget(v7()), { code: "NOT_FOUND" });
  const row = await keptRow(git, "lost");
  await git.hubs.sql("delete from credential where name = 'lost'");
  assert.equal((await checked()).get(id), "CREDENTIAL_MISSING");
  await forget(id);
  assert.ok(!(await checked()).has(id));
  await assert.rejects(forget(id), { code: "NOT_FOUND" });
  await putRow(git, row);
  await assert.rejects(use("lost"), { code: "CREDENTIAL_REPLACED" });
  await git.run("system_credentials_delete", { name: "lost" });
  assert.ok(!(await checked()).has("lost"));
  // under its old name there may be another one
  await all.ready("lost");
  assert.equal((await checked()).get("lost"), "OK");
});

test("nobody is asked for a new secret of a row that somebody else wrote", async () => {
  const { git } = all;
  await all.ready("tampered");
  const asked = () => git.hubs.sql("select from approval_request");
  const row = await keptRow(git, "tampered");
  await git.hubs.sql("update credential set allowed_hosts = '{elsewhere.example}' where name = 'tampered'");
  const before = (await asked()).length;
  await assert.rejects(git.run("system_credentials_rotate", { name: "tampered" }), { code: "CREDENTIAL_REPLACED" });
  assert.equal((await asked()).length, before);
  await putRow(git, row);
  await git.run("system_credentials_rotate", { name: "tampered" });
});

test("what receipts say was left is part of what the journal verifies", async () => {
  const { output } = await all.git.operator.done("system_journal_verify");
  assert.equal(output["ok"], true);
  const [row] = await all.git.hubs.sql<{ left: { id: string; type: string; digest: string; version: number }[] }>(
    `select convert_from(statement, 'UTF8')::jsonb #> '{predicate,left}' as left from receipt
     where action = 'system_credentials_store' and phase = 'outcome' and code = 'OK' limit 1`,
  );
  assert.deepEqual([row?.left[0]?.type, row?.left[0]?.version], ["Credential", 1]);
});
