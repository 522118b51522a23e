import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalize } from "../formats/canonical-json.ts";
import { type KeyEnrolment, keyEnrolmentPayload, readKeyEnrolment } from "./key-enrolment.ts";

const enrolment: KeyEnrolment = {
  account: "0193a000-0000-7000-8000-0000000000a0",
  personId: "0193a000-0000-7000-8000-0000000000aa",
  keyId: `openpgp:${"ab".repeat(20)}`,
  requestedAt: "2026-11-21T10:00:00.000Z",
  certificate: Buffer.from("certificate"),
};
const other = "0193a000-0000-7000-8000-0000000000ff";

test("the statement is canonical in-toto about the certificate, and reads as what it was made of", () => {
  const payload = keyEnrolmentPayload(enrolment);
  const statement = JSON.parse(payload.toString());
  assert.equal(payload.toString(), canonicalize(statement));
  assert.equal(statement.subject[0].name, `person-key/${enrolment.keyId}`);
  assert.equal(statement.predicateType, "https://countersign.dev/key-enrolment/v1");
  assert.deepEqual(readKeyEnrolment(payload, enrolment), { requestedAt: new Date(enrolment.requestedAt) });
});

for (const [what, change] of Object.entries({
  "another account": { account: other },
  "another person": { personId: other },
  "another key": { keyId: `openpgp:${"cd".repeat(20)}` },
  "another version of the certificate": { certificate: Buffer.from("renewed") },
} satisfies Record<string, Partial<KeyEnrolment>>)) {
  test(`a statement about ${what} is refused`, () => {
    const payload = keyEnrolmentPayload({ ...enrolment, ...change });
    assert.throws(() => readKeyEnrolment(payload, enrolment), { code: "ENVELOPE_INVALID", path: "payload" });
  });
}

test("a statement that is not canonical, or of another meaning, is refused", () => {
  const payload = keyEnrolmentPayload(enrolment).toString();
  for (const text of [`${payload} `, payload.replace("key-enrolment", "approval-decision"), "{}", "yes"]) {
    assert.throws(() => readKeyEnrolment(Buffer.from(text), enrolment), { code: "ENVELOPE_INVALID" });
  }
});
