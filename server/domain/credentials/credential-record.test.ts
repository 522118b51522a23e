import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { credentialDigest, openMaterial, sealMaterial, withDigest } from "./credential-record.ts";
import { aRecord } from "./records.fixture.ts";

const key = randomBytes(32);
const secret = Buffer.from("a secret of nobody's");

test("what was sealed opens in its place, and nowhere else", () => {
  const place = { accountId: "a", id: "1", materialVersion: 1 };
  const sealed = sealMaterial(place, secret, key);
  assert.deepEqual(openMaterial({ ...place, sealed }, key), secret);
  const invalid = { code: "CIPHERTEXT_INVALID" };
  for (const elsewhere of [
    { ...place, accountId: "b" },
    { ...place, id: "2" },
    { ...place, materialVersion: 2 },
  ])
    assert.throws(() => openMaterial({ ...elsewhere, sealed }, key), invalid);
  assert.throws(() => openMaterial({ ...place, sealed }, randomBytes(32)), invalid);
  assert.throws(() => openMaterial({ ...place, sealed }, randomBytes(16)), invalid);
  for (let at = 0; at < sealed.length; at += 7) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => openMaterial({ ...place, sealed: changed }, key), invalid);
  }
  assert.throws(() => openMaterial({ ...place, sealed: sealed.subarray(0, 20) }, key), invalid);
  assert.throws(() => openMaterial({ ...place, materialVersion: 0, sealed: undefined }, key), {
    code: "CREDENTIAL_EMPTY",
  });
  assert.notDeepEqual(sealMaterial(place, secret, key), sealed, "each sealing has a nonce of its own");
});

test("the digest covers what decides over a use, and neither the order of lists nor the wrapped key", () => {
  const record = aRecord();
  const digest = credentialDigest(record);
  const same = [
    { ...record, allowedHosts: [...record.allowedHosts].reverse() },
    { ...record, consumers: [...record.consumers].reverse() },
    { ...record, wrappedKey: "vault:v2:other" },
  ];
  for (const one of same) assert.deepEqual(credentialDigest(one), digest);
  const other = [
    { ...record, accountId: "another" },
    { ...record, id: "another" },
    { ...record, name: "another" },
    { ...record, kind: "bearer-token" as const },
    { ...record, username: undefined },
    { ...record, allowedHosts: ["git.example.com"] },
    { ...record, consumers: ["gitops"] },
    { ...record, expiresAt: undefined },
    { ...record, rotateEveryDays: undefined },
    { ...record, version: 3 },
    { ...record, materialVersion: 2 },
    { ...record, sealed: Buffer.from("other") },
    { ...record, salt: Buffer.alloc(32, 1) },
  ];
  for (const one of other) assert.notDeepEqual(credentialDigest(one), digest, JSON.stringify(one));
});

test("a new version has a salt of its own: its digest tells nothing of what is the same", () => {
  const record = aRecord();
  const [one, two] = [withDigest(record), withDigest(record)];
  assert.notDeepEqual(one.salt, two.salt);
  assert.notDeepEqual(one.digest, two.digest);
  assert.deepEqual(one.digest, credentialDigest(one));
});
