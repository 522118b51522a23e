import assert from "node:assert/strict";
import { test } from "node:test";
import { signEnvelope } from "./dsse.ts";
import { generateKeyPair, keyId, publicKeyToBase64, sign } from "./ed25519.ts";
import {
  claimedCertificate,
  epochOrigin,
  issueLaneCertificate,
  LANE_CERTIFICATE_TYPE,
  type LaneCertificate,
  laneOrigin,
  verifyLaneCertificate,
} from "./lane-certificate.ts";
import { buildStatement, statementBytes } from "./statement.ts";

const root = generateKeyPair();
const processKey = generateKeyPair();
const certificate: LaneCertificate = {
  origin: laneOrigin("hub", 4, "account"),
  epoch: { id: "epoch id", no: 4, origin: epochOrigin("hub", 4) },
  processKey: processKey.publicKey,
  rootKey: root.publicKey,
  notBefore: new Date("2026-11-21T00:00:00.000Z"),
  notAfter: new Date("2026-11-22T00:00:00.000Z"),
};
const issue = (changes: Partial<LaneCertificate> = {}, key = root) =>
  issueLaneCertificate({ ...certificate, ...changes }, async (message) => sign(message, key.privateKey));
const isRoot = (key: LaneCertificate["rootKey"]) => keyId(key) === keyId(root.publicKey);

test("a certificate reads back as it was issued, and names its lane and epoch", async () => {
  const read = verifyLaneCertificate(await issue(), isRoot);
  assert.deepEqual({ ...read, processKey: null, rootKey: null }, { ...certificate, processKey: null, rootKey: null });
  assert.equal(publicKeyToBase64(read.processKey), publicKeyToBase64(processKey.publicKey));
  assert.deepEqual([read.origin, read.epoch.origin], ["countersign/hub/4/account", "countersign/hub/4"]);
  assert.deepEqual(claimedCertificate(await issue()).notAfter, certificate.notAfter);
});

test("a certificate counts under a trusted root key alone, by its own signature, for a time that exists", async () => {
  verifyLaneCertificate(await issue(), isRoot);
  const foreign = generateKeyPair();
  const good = await issue();
  const refused = [
    await issue({ rootKey: foreign.publicKey }, foreign), // another's, in itself sound
    await issue({ rootKey: root.publicKey }, foreign), // names the root key and is signed with another
    await issue({ notAfter: certificate.notBefore }),
    good.replace(/"sig":"./, '"sig":"_'),
    good.replace('"payload":"', '"payload":"A'),
    good.slice(1),
    "{}",
    "null",
    "",
  ];
  for (const text of refused) {
    assert.throws(() => verifyLaneCertificate(text, isRoot), { code: "ENVELOPE_INVALID" }, text);
  }
});

test("a statement of the root key about something else is no certificate", () => {
  const predicate = {
    origin: certificate.origin,
    epoch: { ...certificate.epoch },
    processKey: publicKeyToBase64(processKey.publicKey),
    rootKey: publicKeyToBase64(root.publicKey),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
  };
  const subject = [{ name: "process-key", digest: { sha256: keyId(processKey.publicKey) } }];
  const text = (type: string, said: typeof subject, body: Record<string, string | object>) =>
    JSON.stringify(signEnvelope(statementBytes(buildStatement(said, type, body as never)), root));
  verifyLaneCertificate(text(LANE_CERTIFICATE_TYPE, subject, predicate), isRoot);
  const otherKey = [{ name: "process-key", digest: { sha256: keyId(generateKeyPair().publicKey) } }];
  for (const [type, said, body] of [
    ["https://countersign.dev/lane-certificate/v2", subject, predicate],
    [LANE_CERTIFICATE_TYPE, otherKey, predicate],
    [LANE_CERTIFICATE_TYPE, subject, { ...predicate, processKey: "AAAA" }],
    [LANE_CERTIFICATE_TYPE, subject, { ...predicate, notAfter: "tomorrow" }],
    [LANE_CERTIFICATE_TYPE, subject, { ...predicate, forEver: "yes" }],
  ] as const) {
    assert.throws(() => verifyLaneCertificate(text(type, [...said], body), isRoot), { code: "ENVELOPE_INVALID" });
  }
});
