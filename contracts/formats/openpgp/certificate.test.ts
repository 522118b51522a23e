import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { PrivateKey } from "openpgp";
import { MAX_CERTIFICATE_LENGTH, readCertificate, standingOf } from "./certificate.ts";
import { openpgp } from "./library.ts";

const BORN = new Date("2026-01-01T00:00:00Z");
const END = new Date("2026-12-31T00:00:00Z");
const SUBKEY_END = new Date("2026-06-01T00:00:00Z");
const now = new Date("2026-05-01T00:00:00Z");
const secondsTo = (end: Date) => (end.getTime() - BORN.getTime()) / 1000;

let ada: PrivateKey;
let bob: PrivateKey;

async function made(name: string, more: { seconds?: number; subkey?: number } = {}): Promise<PrivateKey> {
  const { generateKey } = await openpgp();
  const { privateKey } = await generateKey({
    ...{ type: "ecc", userIDs: { name }, date: BORN, format: "object" },
    subkeys: [{ sign: true, keyExpirationTime: more.subkey ?? 0 }, {}],
    keyExpirationTime: more.seconds ?? 0,
  });
  return privateKey;
}

before(async () => {
  ada = await made("Ada");
  bob = await made("Bob");
});

const armour = async (type: "publicKey" | "privateKey", bytes: Uint8Array) => {
  const { armor, enums } = await openpgp();
  return armor(enums.armor[type], bytes);
};

test("a certificate is known by its whole fingerprint, and reads the same as text and as bytes", async () => {
  const read = await readCertificate(ada.toPublic().armor());
  assert.equal(read.keyId, `openpgp:${ada.getFingerprint()}`);
  assert.deepEqual(read.userIds, ["Ada"]);
  assert.equal(read.fingerprints.length, 3);
  const again = await readCertificate(read.bytes);
  assert.deepEqual([again.keyId, again.bytes], [read.keyId, read.bytes]);
});

const secrets: Record<string, () => Promise<string | Uint8Array>> = {
  "a private key": async () => ada.armor(),
  "a private key after a public one": async () => `${bob.toPublic().armor()}\n${ada.armor()}`,
  "a private key that is called public": () => armour("publicKey", ada.write()),
  "a private key without armour": async () => ada.write(),
  "a public key with a private subkey": async () => {
    const { SecretSubkeyPacket } = await openpgp();
    const secret = ada.toPacketList().find((packet) => packet instanceof SecretSubkeyPacket);
    const packets = ada.toPublic().toPacketList();
    assert.ok(secret);
    packets.push(secret);
    return armour("publicKey", packets.write());
  },
};
for (const [what, text] of Object.entries(secrets)) {
  test(`${what} is refused, and the refusal repeats nothing of it`, async () => {
    const given = await text();
    const error = await readCertificate(given).then(
      () => assert.fail("it was read"),
      (refusal: Error & { code: string; path: string }) => refusal,
    );
    assert.deepEqual([error.code, error.path, error.cause], ["INPUT_INVALID", "certificate", undefined]);
    const inside = Buffer.from(given).toString("latin1").slice(60, 100);
    assert.ok(!error.message.includes(inside));
  });
}

const unusable: Record<string, () => Promise<string | Uint8Array>> = {
  nothing: async () => "",
  "no key": async () => "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n",
  "two keys": async () => Buffer.concat([ada.toPublic().write(), bob.toPublic().write()]),
  "a text without end": async () => "x".repeat(MAX_CERTIFICATE_LENGTH + 1),
  "a signature": async () => Buffer.from("wnUEABYKACcFgmo", "base64"),
};
for (const [what, text] of Object.entries(unusable)) {
  test(`${what} is no certificate`, async () => {
    await assert.rejects(readCertificate(await text()), { code: "INPUT_INVALID", path: "certificate" });
  });
}

test("a certificate signs until the last of its keys that sign ends, and never after its primary key", async () => {
  const standing = async (key: PrivateKey, at = now) => standingOf(await readCertificate(key.toPublic().write()), at);
  assert.deepEqual(await standing(ada), {});
  const both = await made("Ada", { seconds: secondsTo(END), subkey: secondsTo(SUBKEY_END) });
  // its primary key signs too
  assert.deepEqual(await standing(both), { expiresAt: END });
  assert.deepEqual(await standing(await made("Ada", { seconds: secondsTo(SUBKEY_END), subkey: secondsTo(END) })), {
    expiresAt: SUBKEY_END,
  });
  await assert.rejects(standing(both, END), { code: "INPUT_INVALID", path: "certificate" });
  await assert.rejects(standing(ada, new Date(BORN.getTime() - 1000)), { code: "INPUT_INVALID" });
});

test("a revoked key signs nothing", async () => {
  const { revokeKey } = await openpgp();
  const { publicKey } = await revokeKey({ key: ada, date: BORN, format: "object" });
  const revoked = await readCertificate(publicKey.write());
  await assert.rejects(standingOf(revoked, now), { code: "INPUT_INVALID", path: "certificate" });
});
