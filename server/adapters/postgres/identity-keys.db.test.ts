import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { envelopeOf, signEnvelope } from "../../../contracts/formats/dsse.ts";
import { generateKeyPair, type KeyPair, keyId } from "../../../contracts/formats/ed25519.ts";
import { readCertificate } from "../../../contracts/formats/openpgp/certificate.ts";
import { openpgp } from "../../../contracts/formats/openpgp/library.ts";
import {
  type KeyEnrolment,
  keyEnrolmentBytes,
  keyEnrolmentPayload,
} from "../../../contracts/identity/key-enrolment.ts";
import { type ScratchOpenPgpKey, scratchOpenPgpKey } from "../../../scripts/generators/examples/scratch-openpgp-key.ts";
import { type AddKeyInput, addKey, previewAddKey } from "../../domain/identity/add-key.ts";
import { banPrincipal } from "../../domain/identity/ban-principal.ts";
import { revokeKey } from "../../domain/identity/revoke-key.ts";
import {
  DAY_MS,
  foundAccount,
  type IdentityDatabase,
  identityDatabase,
  join,
  overlap,
  type TestAccount,
} from "./identity.fixture.ts";

let db: IdentityDatabase;
let key: ScratchOpenPgpKey;
// keys and their signatures are of this time
const now = new Date();
before(async () => {
  db = await identityDatabase();
  key = await scratchOpenPgpKey("Ada");
});
after(() => db[Symbol.asyncDispose]());

interface Change extends Partial<KeyEnrolment> {
  /** Who endorses. */
  readonly by?: KeyPair;
  /** What makes the proof. */
  readonly proof?: ScratchOpenPgpKey;
  readonly proves?: Buffer;
}

/** What Ada's command line makes. */
async function input(
  account: TestAccount,
  made: ScratchOpenPgpKey = key,
  { by, proof = made, proves, ...change }: Change = {},
): Promise<AddKeyInput> {
  const certificate = await readCertificate(made.certificate);
  const payload = keyEnrolmentPayload({
    ...{ account: account.accountId, personId: account.personId, keyId: certificate.keyId },
    ...{ requestedAt: now.toISOString(), certificate: certificate.bytes, ...change },
  });
  const signature = await proof.sign(proves ?? keyEnrolmentBytes(payload));
  return {
    certificate: made.certificate,
    endorsement: signEnvelope(payload, by ?? account.key),
    proof: signature.toString("base64"),
  };
}

const add = async (account: TestAccount, given: AddKeyInput | Promise<AddKeyInput>, call = account.callAt(now)) => {
  const made = await given;
  await account.read((identity) => previewAddKey(identity, made, call));
  return account.change((tx) => addKey(tx, made, call));
};
const refused = (account: TestAccount, given: AddKeyInput | Promise<AddKeyInput>, code: string, path: string) =>
  assert.rejects(add(account, given), { code, path });

const isLive = async (account: TestAccount, live = true) =>
  (await account.directory.listKeys({ personId: account.personId, live }, { limit: 50 }, now)).items.map(
    (listed) => listed.keyId,
  );

test("a key of one's own is enrolled by a key that one has and by the new one, and is told of", async () => {
  const account = await foundAccount(db);
  const { key: added, renewed } = await add(account, input(account));
  const { keyId: id } = await readCertificate(key.certificate);
  assert.deepEqual([added.id, added.state, added.person.name, renewed], [id, "live", "Ada", false]);
  assert.ok(added.expiresAt && new Date(added.expiresAt) > now);
  assert.deepEqual(await isLive(account), [keyId(account.key.publicKey), id].sort());
  const told = account.events.at(-1);
  assert.deepEqual(
    [told?.type, told?.subject, told?.data.keyId],
    ["identity.key_added", `identity/person/${account.personId}`, id],
  );
  // two keys are one person
  assert.equal(await account.read((identity) => identity.enrolledPeople(now)), 1);
});

test("what is not endorsed by a key that the person has now is refused", async () => {
  const account = await foundAccount(db);
  const grace = await join(account, "Grace", ["admin"], now);
  const bad = (change: Change) => refused(account, input(account, key, change), "PROOF_INVALID", "endorsement");
  await bad({ by: generateKeyPair() });
  await bad({ by: grace.key });
  await bad({ personId: grace.principal.personId });
  await bad({ account: account.personId });
  await bad({ requestedAt: new Date(now.getTime() - 3 * DAY_MS).toISOString() });
  await bad({ requestedAt: new Date(now.getTime() + DAY_MS).toISOString() });
  await bad({ certificate: Buffer.from("another") });
  await refused(account, { ...(await input(account)), endorsement: "{}" }, "PROOF_INVALID", "endorsement");
  const itself = await input(account);
  const { signatures, ...rest } = itself.endorsement as ReturnType<typeof signEnvelope>;
  const { keyId: id } = await readCertificate(key.certificate);
  const own = envelopeOf(Buffer.from(rest.payload, "base64"), Buffer.from(itself.proof, "base64"), id);
  assert.equal(signatures.length, 1);
  await refused(account, { ...itself, endorsement: own }, "PROOF_INVALID", "endorsement");
  await add(account, itself);
});

test("who does not hold the new key does not enrol it", async () => {
  const account = await foundAccount(db);
  const other = await scratchOpenPgpKey("Mallory");
  await refused(account, input(account, key, { proof: other }), "PROOF_INVALID", "proof");
  await refused(account, input(account, key, { proves: Buffer.from("something else") }), "PROOF_INVALID", "proof");
  await refused(account, { ...(await input(account)), proof: "not Base 64" }, "PROOF_INVALID", "proof");
  await add(account, input(account));
});

test("a key that signs no more is not enrolled", async () => {
  const account = await foundAccount(db);
  const ended = await scratchOpenPgpKey("Ada", { date: new Date(now.getTime() - 3 * DAY_MS), seconds: 60 });
  const given = await input(account);
  await refused(account, { ...given, certificate: ended.certificate }, "INPUT_INVALID", "certificate");
  await add(account, given);
});

test("a key belongs to one person, once, and what was revoked stays so", async () => {
  const account = await foundAccount(db);
  await add(account, input(account));
  const grace = await join(account, "Grace", ["admin"], now);
  const hers = await input(account, key, { by: grace.key, personId: grace.principal.personId });
  const call = account.callAt(now, grace.principal);
  await assert.rejects(add(account, hers, call), { code: "ALREADY_EXISTS", path: "certificate" });
  const { keyId: id } = await readCertificate(key.certificate);
  await account.change((tx) => revokeKey(tx, { keyId: id }, account.callAt(now)));
  await refused(account, input(account), "ALREADY_EXISTS", "certificate");
  // in another account it is anybody's
  const elsewhere = await foundAccount(db);
  await add(elsewhere, input(elsewhere));
});

test("a certificate is renewed under its fingerprint, by the key itself too, and keeps its keys", async () => {
  const account = await foundAccount(db);
  const { key: first } = await add(account, input(account));
  const given = await input(account);
  const { payload } = given.endorsement as ReturnType<typeof signEnvelope>;
  const own = envelopeOf(Buffer.from(payload, "base64"), Buffer.from(given.proof, "base64"), first.id);
  const { key: again, renewed } = await add(account, { ...given, endorsement: own });
  assert.deepEqual([again.id, again.enrolledAt, renewed], [first.id, first.enrolledAt, true]);
  assert.equal(account.events.at(-1)?.data.renewed, true);

  const { key: whole } = await readCertificate(given.certificate);
  whole.subkeys = whole.subkeys.slice(1);
  const cut = await readCertificate(whole.write());
  await add(account, input(account, { ...key, certificate: whole.armor() }, { certificate: cut.bytes }));
  const kept = await account.read((identity) => identity.key(first.id));
  assert.equal((await readCertificate(kept?.publicKey ?? "")).fingerprints.length, cut.fingerprints.length + 1);
});

test("an older certificate does not bring back what was revoked since", async () => {
  const account = await foundAccount(db);
  const { SignaturePacket, enums } = await openpgp();
  const { key: first } = await add(account, input(account));
  const own = async (made: ScratchOpenPgpKey, certificate: string) => {
    const { bytes } = await readCertificate(certificate);
    const given = await input(account, { ...made, certificate }, { certificate: bytes });
    const { payload } = given.endorsement as ReturnType<typeof signEnvelope>;
    return {
      ...given,
      endorsement: envelopeOf(Buffer.from(payload, "base64"), Buffer.from(given.proof, "base64"), first.id),
    };
  };
  // by the subkey that signs; twin: nothing is revoked yet
  await add(account, own(key, key.certificate));
  const { key: revoked } = await readCertificate(key.certificate);
  const [subkey] = revoked.subkeys;
  assert.ok(subkey?.bindingSignatures[0]);
  // that it is there ends the subkey, whether or not it verifies
  const bytes = Uint8Array.from(subkey.bindingSignatures[0].write());
  bytes[1] = enums.signature.subkeyRevocation;
  const packet = new SignaturePacket();
  packet.read(bytes);
  subkey.revocationSignatures.push(packet);
  const { bytes: publicKey } = await readCertificate(revoked.write());
  await account.change((tx) => tx.identity.renewKey(first.id, { publicKey }));
  await refused(account, own(key, key.certificate), "PROOF_INVALID", "endorsement");
});

test("a key ends by itself, and its person cannot sign with it any more", async () => {
  const account = await foundAccount(db);
  await add(account, input(account));
  await account.change((tx) => revokeKey(tx, { keyId: keyId(account.key.publicKey) }, account.callAt(now)));
  const people = (at: Date) => account.read((identity) => identity.enrolledPeople(at));
  const later = new Date(now.getTime() + 366 * DAY_MS);
  assert.deepEqual([await people(now), await people(later)], [1, 0]);
  const { items } = await account.directory.listKeys({ live: false }, { limit: 50 }, later);
  assert.equal(items.length, 2);
});

test("a revoked key is on record with who did it; a second time is told", async () => {
  const account = await foundAccount(db);
  const { key: added } = await add(account, input(account));
  const revoked = await account.change((tx) => revokeKey(tx, { keyId: added.id }, account.callAt(now)));
  assert.deepEqual([revoked.personId, revoked.left], [account.personId, 1]);
  assert.equal(account.events.at(-1)?.type, "identity.key_revoked");
  const { items } = await account.directory.listKeys({ live: false }, { limit: 50 }, now);
  assert.deepEqual([items[0]?.keyId, items[0]?.revokedBy?.id], [added.id, account.operatorId]);
  const again = (id: string) => account.change((tx) => revokeKey(tx, { keyId: id }, account.callAt(now)));
  await assert.rejects(again(added.id), { code: "CONFLICT", path: "keyId" });
  await assert.rejects(again("f".repeat(64)), { code: "NOT_FOUND", path: "keyId" });
});

test("the last key of the last administrator stays; another's key, or another administrator, lets it go", async () => {
  const account = await foundAccount(db);
  const grace = await join(account, "Grace", ["approver"], now);
  const revoke = (pair: KeyPair) =>
    account.change((tx) => revokeKey(tx, { keyId: keyId(pair.publicKey) }, account.callAt(now)));
  await assert.rejects(revoke(account.key), { code: "CONFLICT", path: "keyId" });
  await revoke(grace.key);
  const linus = await join(account, "Linus", ["admin"], now);
  await account.change((tx) =>
    banPrincipal(tx, { principalId: linus.principal.id, reason: "test" }, account.callAt(now)),
  );
  await assert.rejects(revoke(account.key), { code: "CONFLICT", path: "keyId" });
  await join(account, "Dora", ["admin"], now);
  await revoke(account.key);
});

test("of two keys that are each other's last resort one stays, whoever is quicker", async () => {
  const account = await foundAccount(db);
  const { key: added } = await add(account, input(account));
  const revoke = (id: string) => (tx: Parameters<typeof revokeKey>[0]) =>
    revokeKey(tx, { keyId: id }, account.callAt(now));
  const { won, lost } = await overlap(db.database, account, revoke(added.id), revoke(keyId(account.key.publicKey)));
  assert.deepEqual([won, lost], [1, ["CONFLICT"]]);
});

test("keys are listed page by page", async () => {
  const account = await foundAccount(db);
  await add(account, input(account));
  const list = (cursor?: string) => account.directory.listKeys({}, { limit: 1, ...(cursor && { cursor }) }, now);
  const first = await list();
  const second = await list(first.next);
  assert.deepEqual(
    [...first.items, ...second.items].map((listed) => listed.keyId),
    await isLive(account),
  );
  assert.equal(second.next, undefined);
  await assert.rejects(list("x"), { code: "CURSOR_INVALID" });
});
