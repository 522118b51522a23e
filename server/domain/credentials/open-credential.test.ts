import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { HubError } from "../../errors.ts";
import { sealMaterial } from "./credential-record.ts";
import type { CredentialReader, CredentialRecord, JournalledRecord, StoredCredential } from "./credential-store.ts";
import { type CredentialRooms, credentialOpener } from "./open-credential.ts";
import { aRecord } from "./records.fixture.ts";

const SECRET = "the secret";
const DATA_KEY = randomBytes(32);

/** One credential in memory, and what is told of it. */
function house(more: Partial<CredentialRecord> = {}, latest?: JournalledRecord["latest"]) {
  const bare = aRecord(more);
  const record =
    bare.materialVersion === 0 ? bare : aRecord({ ...more, sealed: sealMaterial(bare, Buffer.from(SECRET), DATA_KEY) });
  const left = latest ?? { version: record.version, digest: record.digest.toString("hex") };
  const events: { type: string; data: Record<string, unknown> }[] = [];
  const set = { now: new Date("2026-06-01T00:00:00Z"), recording: true, keyFault: undefined as HubError | undefined };
  const rooms: CredentialRooms = {
    read: (_account, fn) =>
      fn({
        byName: async (name: string) => (name === record.name ? (record as StoredCredential) : undefined),
        journalled: async (id: string) => (id === record.id ? { record, latest: left } : undefined),
      } as CredentialReader),
    transact: (_account, fn) => {
      if (!set.recording) throw new HubError("STORE_UNAVAILABLE", "The database is away.");
      const tx = {
        credentials: { touch: async () => {} },
        events: { emit: async (...told: typeof events) => void events.push(...told) },
      };
      return fn(tx as unknown as Parameters<typeof fn>[0]);
    },
  };
  const keys = {
    decrypt: async () => {
      if (set.keyFault) throw set.keyFault;
      return Buffer.from(DATA_KEY);
    },
  };
  const opener = credentialOpener({ rooms, keys, now: () => set.now });
  const open = (consumer = "gitops/shop", host = "git.example.com", name = record.name) =>
    opener.open(record.accountId, name, { consumer, host, signal: AbortSignal.timeout(5_000), by: "ada", callId: "c" });
  return { open, opener, events, set, record };
}

test("it opens for what it says it is for, and each use is told", async () => {
  const { open, events, record } = house();
  const { secret, ...rest } = await open();
  assert.equal(secret.toString(), SECRET);
  assert.deepEqual(rest, { id: record.id, name: "forge", version: 2, kind: "git-https", username: "robot" });
  assert.equal((await open("gateway/x", "a.forge.example", record.id)).secret.toString(), SECRET);
  const data = { id: record.id, version: 2, consumer: "gitops/shop", host: "git.example.com", by: "ada", call: "c" };
  assert.deepEqual(events[0], { type: "credentials.used", subject: "credentials/forge", data });
});

test("another host or consumer, an ended time, no secret yet: refused, and told", async () => {
  const refused = async ({ open, events }: ReturnType<typeof house>, code: string, ...use: Parameters<typeof open>) => {
    await assert.rejects(open(...use), { code });
    assert.deepEqual([events.at(-1)?.type, events.at(-1)?.data["code"]], ["credentials.use_refused", code]);
  };
  await refused(house(), "CREDENTIAL_SCOPE_REFUSED", "gitops/other");
  await refused(house(), "CREDENTIAL_SCOPE_REFUSED", "gitops/shop", "git.example.com:8443");
  const late = house();
  late.set.now = new Date("2027-01-01T00:00:00Z");
  await refused(late, "CREDENTIAL_EXPIRED");
  late.set.now = new Date("2026-12-31T23:59:59Z");
  assert.ok(await late.open());
  await refused(house({ materialVersion: 0, sealed: undefined, wrappedKey: undefined }), "CREDENTIAL_EMPTY");
  await assert.rejects(house().open("gitops/shop", "git.example.com", "nobodys"), { code: "NOT_FOUND" });
});

test("a row that the journal has otherwise is not believed, nor its scope", async () => {
  const { record } = house();
  const digest = record.digest.toString("hex");
  for (const latest of [
    { version: 3, digest },
    { version: 1, digest },
    { version: 2, digest: "0".repeat(64) },
    { version: 3, digest: "deleted" },
  ])
    await assert.rejects(house({}, latest).open("gitops/other"), { code: "CREDENTIAL_REPLACED" });
});

test("a use that cannot be recorded does not happen; a key service that is away is told as it is", async () => {
  const away = house();
  away.set.recording = false;
  await assert.rejects(away.open(), { code: "STORE_UNAVAILABLE" });
  away.set.recording = true;
  assert.ok(await away.open());
  const sealed = house();
  sealed.set.keyFault = new HubError("KEY_SERVICE_SEALED", "The key service is sealed.");
  await assert.rejects(sealed.open(), { code: "KEY_SERVICE_SEALED" });
  sealed.set.keyFault = undefined;
  assert.ok(await sealed.open());
});

test("a trial asks for no consumer; where nothing is sent, for no host", async () => {
  const { opener, record } = house();
  const signal = AbortSignal.timeout(5_000);
  assert.ok(await opener.openForTrial(record.accountId, "forge", { signal }));
  assert.ok(await opener.openForTrial(record.accountId, "forge", { signal, host: "git.example.com" }));
  await assert.rejects(opener.openForTrial(record.accountId, "forge", { signal, host: "evil.test" }), {
    code: "CREDENTIAL_SCOPE_REFUSED",
  });
});
