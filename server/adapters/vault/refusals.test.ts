import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, HubError } from "../../errors.ts";
import { isDown, isLasting, isNot, refusalOf } from "./refusals.ts";

/** Texts as in OpenBao's source; see refusals.ts. */
const MEANINGS: readonly [status: number, text: string, code: ErrorCode][] = [
  [503, "Vault is sealed", "KEY_SERVICE_SEALED"],
  [503, "namespace is sealed", "KEY_SERVICE_SEALED"],
  [503, "node is not active", "KEY_SERVICE_UNREACHABLE"],
  [503, "no active Vault instance found", "KEY_SERVICE_UNREACHABLE"],
  [500, "1 error occurred:\n\t* internal error\n\n", "KEY_SERVICE_UNREACHABLE"],
  [502, "", "KEY_SERVICE_UNREACHABLE"],
  [429, 'request path "transit/encrypt/x": rate limit quota exceeded', "KEY_SERVICE_UNREACHABLE"],
  [307, "", "KEY_SERVICE_UNREACHABLE"],
  [404, 'no handler for route "transit/keys/x". route entry not found.', "KEY_SERVICE_UNREACHABLE"],
  [404, "namespace not found", "KEY_SERVICE_UNREACHABLE"],
  [403, "1 error occurred:\n\t* permission denied\n\n", "KEY_SERVICE_DENIED"],
  [413, "failed to parse JSON input: http: request body too large", "INPUT_TOO_LARGE"],
  [400, "refused JSON input due to high complexity: exceeded maximum number of strings", "INPUT_TOO_LARGE"],
  [500, "JSON string value exceeds allowed length", "INPUT_TOO_LARGE"],
  [500, "JSON array exceeds allowed element count", "INPUT_TOO_LARGE"],
  [500, "JSON payload exceeds allowed token count", "INPUT_TOO_LARGE"],
  [400, "encryption key not found", "KEY_NOT_FOUND"],
  [400, "signing key not found", "KEY_NOT_FOUND"],
  [400, "signature verification key not found", "KEY_NOT_FOUND"],
  [400, "key not found", "KEY_NOT_FOUND"],
  [400, "no existing key named x could be found", "KEY_NOT_FOUND"],
  [400, "error deleting policy x: could not delete key; not found", "KEY_NOT_FOUND"],
  [400, "key type ecdsa-p256 not supported for this operation", "KEY_NOT_FOUND"],
  [400, "key version does not exist; latest key version is 1", "KEY_NOT_FOUND"],
  [400, "ciphertext or signature version is disallowed by policy (too old)", "KEY_VERSION_TOO_OLD"],
  [400, "cannot generate HMAC: version is too old (disallowed by policy)", "KEY_VERSION_TOO_OLD"],
  [400, "cannot verify HMAC: version is too old (disallowed by policy)", "KEY_VERSION_TOO_OLD"],
  [400, "no such key version", "KEY_VERSION_TOO_OLD"],
  [400, "invalid ciphertext: no prefix", "CIPHERTEXT_INVALID"],
  [400, "invalid ciphertext: version is too new", "CIPHERTEXT_INVALID"],
  [400, "invalid ciphertext length", "CIPHERTEXT_INVALID"],
  [400, "cipher: message authentication failed", "CIPHERTEXT_INVALID"],
  [400, "chacha20poly1305: message authentication failed", "CIPHERTEXT_INVALID"],
  [400, "message decryption not supported for key type hmac", "KEY_TYPE_MISMATCH"],
  [400, "key type aes256-gcm96 does not support signing", "KEY_TYPE_MISMATCH"],
  [400, "cannot set min decryption version of 5, latest key version is 4", "CONFLICT"],
  [400, "min encryption version should not be less than min available version", "CONFLICT"],
  [400, "minimum available version cannot be decremented", "CONFLICT"],
  [400, "error deleting policy x: deletion is not allowed for this key", "CONFLICT"],
  [400, "refusing to use soft-deleted key", "KEY_SERVICE_DENIED"],
  [400, "something that nobody has heard of", "KEY_SERVICE_DENIED"],
  [405, "unsupported operation", "KEY_SERVICE_DENIED"],
];

for (const [status, text, code] of MEANINGS) {
  test(`${status} "${text.replaceAll(/\s+/g, " ").slice(0, 70)}" is ${code}`, () => {
    const refusal = refusalOf(status, text === "" ? [] : [text]);
    assert.equal(refusal.code, code);
    assert.equal(refusal.details?.["status"], status);
    // the server's words may quote what it was given
    assert.ok(text === "" || !refusal.message.includes(text));
  });
}

test("what cannot be verified is told from what may not be", () => {
  for (const text of [
    "invalid signature: version is too new",
    "invalid HMAC: version is too new",
    "supplied signature is invalid",
    "supplied signature contains extra data",
  ]) {
    assert.ok(isNot(refusalOf(400, [text])), text);
  }
  assert.ok(!isNot(refusalOf(400, ["ciphertext or signature version is disallowed by policy (too old)"])));
  assert.ok(!isNot(refusalOf(400, ["invalid ciphertext: no prefix"])));
});

test("what may pass is tried again, what has answered is not", () => {
  const again = (status: number, text: string) => {
    const refusal = refusalOf(status, [text]);
    return isDown(refusal) && !isLasting(refusal);
  };
  assert.deepEqual(
    [again(503, "Vault is sealed"), again(500, "x"), again(503, "node is not active")],
    [true, true, true],
  );
  assert.deepEqual(
    [again(400, "x"), again(403, "permission denied"), again(429, "quota"), again(404, "no handler for route")],
    [false, false, false, false],
  );
});

test("what took all the time that a request gets is not asked for as long again", () => {
  const silent = (reason: string) => isLasting(new HubError("KEY_SERVICE_UNREACHABLE", "It.", { details: { reason } }));
  assert.deepEqual([silent("TIMEOUT"), silent("ECONNRESET")], [true, false]);
});
