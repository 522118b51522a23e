import assert from "node:assert/strict";
import { test } from "node:test";
import { v7 } from "uuid";
import { generateKeyPair } from "../formats/ed25519.ts";
import { generateSecret, secretDigest } from "./bearer-secret.ts";
import { type Enrolment, enrolmentBytes, proveEnrolment, provesEnrolment } from "./enrolment.ts";

const key = generateKeyPair();
const enrolment: Enrolment = {
  invitation: { id: v7(), secret: generateSecret() },
  publicKey: key.publicKey,
  token: { id: v7(), sha256: secretDigest(generateSecret()) },
};
const proof = Buffer.from(proveEnrolment(enrolment, key), "base64");

test("a proof holds for its key, invitation and token, and for nothing else", () => {
  assert.equal(provesEnrolment(enrolment, proof), true);
  const { invitation, token } = enrolment;
  const others: Record<string, Enrolment> = {
    "another key": { ...enrolment, publicKey: generateKeyPair().publicKey },
    "another invitation": { ...enrolment, invitation: { ...invitation, id: v7() } },
    "another code of it": { ...enrolment, invitation: { ...invitation, secret: generateSecret() } },
    "another token": { ...enrolment, token: { ...token, id: v7() } },
    "another token's secret": { ...enrolment, token: { ...token, sha256: Buffer.alloc(32) } },
  };
  for (const [what, other] of Object.entries(others)) assert.equal(provesEnrolment(other, proof), false, what);
  const flipped = Buffer.from(proof);
  flipped.writeUInt8(flipped.readUInt8(0) ^ 1);
  assert.equal(provesEnrolment(enrolment, flipped), false);
  assert.equal(provesEnrolment(enrolment, proof.subarray(1)), false);
});

test("what is signed is a DSSE statement that tells no secret", () => {
  const bytes = enrolmentBytes(enrolment).toString();
  assert.match(
    bytes,
    /^DSSEv1 28 application\/vnd\.in-toto\+json \d+ \{"_type":"https:\/\/in-toto\.io\/Statement\/v1"/,
  );
  for (const encoding of ["hex", "base64", "base64url"] as const) {
    assert.ok(!bytes.includes(enrolment.invitation.secret.toString(encoding)));
  }
});
