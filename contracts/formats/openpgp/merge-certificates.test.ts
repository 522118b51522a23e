import assert from "node:assert/strict";
import { test } from "node:test";
import type { PrivateKey } from "openpgp";
import { type OpenPgpCertificate, readCertificate, standingOf } from "./certificate.ts";
import { openpgp } from "./library.ts";
import { mergeCertificates } from "./merge-certificates.ts";

const BORN = new Date("2026-01-01T00:00:00Z");
const LATER = new Date("2026-02-01T00:00:00Z");
const now = new Date("2026-05-01T00:00:00Z");
const YEAR = 365 * 86_400;

async function made(seconds = 0): Promise<PrivateKey> {
  const { generateKey } = await openpgp();
  const options = { type: "ecc", userIDs: { name: "Ada" }, date: BORN, keyExpirationTime: seconds } as const;
  return (await generateKey({ ...options, subkeys: [{ sign: true }], format: "object" })).privateKey;
}
const certificateOf = (key: PrivateKey) => readCertificate(key.toPublic().write());

/** Both ways round: which of the two is handed over later is the hander's choice. */
async function merged(one: OpenPgpCertificate, other: OpenPgpCertificate): Promise<OpenPgpCertificate> {
  const both = await mergeCertificates(one, other);
  const turned = await mergeCertificates(other, one);
  assert.deepEqual([...both.fingerprints].sort(), [...turned.fingerprints].sort());
  assert.deepEqual(
    await standingOf(both, now).catch(() => "ended"),
    await standingOf(turned, now).catch(() => "ended"),
  );
  return both;
}

test("a certificate merged with itself is itself", async () => {
  const certificate = await certificateOf(await made());
  assert.deepEqual((await mergeCertificates(certificate, certificate)).bytes, certificate.bytes);
});

test("a newer subkey comes to the older ones, and one that is left out stays", async () => {
  const key = await made();
  const before = await certificateOf(key);
  const after = await certificateOf(await key.addSubkey({ sign: true, date: LATER }));
  assert.equal(after.fingerprints.length, 3);
  assert.deepEqual((await merged(before, after)).fingerprints, after.fingerprints);
  after.key.subkeys = after.key.subkeys.slice(1);
  const cut = await readCertificate(after.key.write());
  assert.equal((await merged(before, cut)).fingerprints.length, 3);
});

test("a revocation and a later end are not lost by the certificate that was there before", async () => {
  const { revokeKey, reformatKey } = await openpgp();
  const key = await made(YEAR);
  const before = await certificateOf(key);
  const { privateKey: revoked } = await revokeKey({ key, date: LATER, format: "object" });
  await assert.rejects(standingOf(await merged(await certificateOf(revoked), before), now), { code: "INPUT_INVALID" });

  const shorter = { privateKey: key, userIDs: { name: "Ada" }, keyExpirationTime: YEAR / 2, date: LATER } as const;
  const { privateKey: shortened } = await reformatKey({ ...shorter, format: "object" });
  const both = await merged(await certificateOf(shortened), before);
  assert.deepEqual(await standingOf(both, now), { expiresAt: new Date(BORN.getTime() + (YEAR / 2) * 1000) });
});

test("certificates of two keys are not merged", async () => {
  const [one, other] = [await certificateOf(await made()), await certificateOf(await made())];
  await assert.rejects(mergeCertificates(one, other), { code: "INPUT_INVALID" });
});
