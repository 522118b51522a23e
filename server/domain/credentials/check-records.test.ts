import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { v7 } from "uuid";
import { type ErrorCode, HubError } from "../../errors.ts";
import { checkRecords } from "./check-records.ts";
import { sealMaterial, withDigest } from "./credential-record.ts";

const dataKey = randomBytes(32);

function record() {
  const place = { accountId: v7(), id: v7(), materialVersion: 1 };
  return withDigest({
    ...place,
    name: "ci",
    kind: "bearer-token",
    username: undefined,
    allowedHosts: ["api.example.com"],
    consumers: ["gitops"],
    expiresAt: undefined,
    rotateEveryDays: undefined,
    version: 1,
    wrappedKey: "vault:v1:x",
    sealed: sealMaterial(place, Buffer.from("secret"), dataKey),
  });
}

const failing = (code: ErrorCode) => ({
  decryptBatch: async () => [{ ok: false as const, error: new HubError(code, "") }],
});
const opening = { decryptBatch: async () => [{ ok: true as const, value: Buffer.from(dataKey) }] };

test("what opens holds, and what does not is told by its code", async () => {
  const row = record();
  const verdict = async (keys: Parameters<typeof checkRecords>[1]) =>
    (await checkRecords([row], keys, undefined))[0]?.verdict;
  assert.equal(await verdict(opening), "OK");
  assert.equal(await verdict(failing("CIPHERTEXT_INVALID")), "CIPHERTEXT_INVALID");
  assert.equal(await verdict(failing("KEY_VERSION_TOO_OLD")), "KEY_VERSION_TOO_OLD");
  assert.equal(await verdict(failing("KEY_NOT_FOUND")), "CIPHERTEXT_INVALID", "a version that never was");
});

test("a key service that is away says nothing of the record", async () => {
  await assert.rejects(checkRecords([record()], failing("KEY_SERVICE_UNREACHABLE"), undefined), {
    code: "KEY_SERVICE_UNREACHABLE",
  });
});

test("the row has to be what the journal has last", async () => {
  const row = record();
  const left = (digest: string, version = 1) => new Map([[row.id, { version, digest }]]);
  const verdict = async (latest: ReturnType<typeof left>) => (await checkRecords([row], opening, latest))[0]?.verdict;
  assert.equal(await verdict(left(row.digest.toString("hex"))), "OK");
  assert.equal(await verdict(left(row.digest.toString("hex"), 2)), "CREDENTIAL_REPLACED");
  assert.equal(await verdict(left("0".repeat(64))), "CREDENTIAL_REPLACED");
  assert.equal(await verdict(new Map()), "CREDENTIAL_UNRECORDED");
});
