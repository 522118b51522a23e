import { type ErrorCode, HubError } from "../../errors.ts";

type Rule = readonly [text: RegExp, code: ErrorCode, sentence: string];

/**
 * What the transit engine says, and what it means here. The texts are those of Vault's and OpenBao's source
 * (`builtin/logical/transit`, `sdk/helper/keysutil/policy.go`); a text is matched and never passed on, since it may
 * quote what it was given.
 */
const RULES: readonly Rule[] = [
  [
    /version is disallowed by policy \(too old\)|version is too old|no such key version/,
    "KEY_VERSION_TOO_OLD",
    "This version of the key may not be used any more.",
  ],
  // what `encrypt` says of a type that it cannot make, asked for so that it never makes a key (vault-key-service.ts)
  [/key type \S+ not supported for this operation|unknown key type/, "KEY_NOT_FOUND", "There is no such key."],
  [/key version does not exist/, "KEY_NOT_FOUND", "The key has no such version."],
  [
    /key not found|no existing key named|invalid key name|could not delete key; not found/,
    "KEY_NOT_FOUND",
    "There is no such key.",
  ],
  [
    /invalid ciphertext|message authentication failed/,
    "CIPHERTEXT_INVALID",
    "This was not encrypted by this key for this use, or it was changed since.",
  ],
  [
    /not supported for key type|does not support (signing|verification)|derivation not supported/,
    "KEY_TYPE_MISMATCH",
    "The key is of a kind that cannot do this.",
  ],
  [
    /missing 'context' for key derivation/,
    "KEY_TYPE_MISMATCH",
    "Keys are derived from this key: a context has to say which.",
  ],
  [
    /cannot set min|min (de|en)cryption version|minimum available version|deletion is not allowed/,
    "CONFLICT",
    "The rules of the key do not allow this.",
  ],
  [
    /high complexity|exceeds (the )?(allowed|maximum|max)/i,
    "INPUT_TOO_LARGE",
    "The key service takes no request of this size.",
  ],
  [/soft-deleted/, "KEY_SERVICE_DENIED", "The key was put out of use in the key service."],
];

/**
 * What a request may not be, as far as Vault says it with the status of a fault of its own: limits on the JSON of a request
 * answer 500 (HashiCorp Vault 1.21, `wrapJSONLimitsHandler` of `http/util.go`, `sdk/helper/jsonutil/json.go`). Read as one,
 * a few large inputs would have the breaker spare a server that is well.
 */
const OVERSIZED = /JSON .*exceeds allowed|request body too large/;

/** A signature or hash that is none, which is an answer and no failure: see `isNot`. */
const NOT = /invalid (signature|HMAC)|supplied signature|signature value|decode verification HMAC/;

/** Whether a refusal to verify says that there is nothing valid to verify. */
export function isNot(error: unknown): boolean {
  return error instanceof HubError && error.details?.["verdict"] === "invalid";
}

/**
 * What an answer of Vault's that is no success means.
 * @param errors its `errors`, or an item's `error`
 */
export function refusalOf(status: number, errors: readonly string[]): HubError {
  const text = errors.join("\n");
  const refusal = (code: ErrorCode, sentence: string, details = {}) =>
    new HubError(code, sentence, { details: { status, ...details } });
  if (/sealed/i.test(text) && status >= 500) {
    return refusal("KEY_SERVICE_SEALED", "The key service is sealed: somebody has to unseal it.");
  }
  if (status === 413 || OVERSIZED.test(text)) {
    return refusal("INPUT_TOO_LARGE", "The key service takes no request of this size.");
  }
  if (status === 403) return refusal("KEY_SERVICE_DENIED", "The key service does not let the hub do this.");
  if (status === 404) {
    const place =
      "The key service has no transit engine there: COUNTERSIGN_VAULT_MOUNT or COUNTERSIGN_VAULT_NAMESPACE names another place.";
    return refusal("KEY_SERVICE_UNREACHABLE", place, { reason: "NO_ENGINE" });
  }
  if (status >= 500 || status === 429 || status < 400) {
    return refusal("KEY_SERVICE_UNREACHABLE", `The key service cannot answer now (${status}).`, { reason: "STATUS" });
  }
  if (NOT.test(text)) return refusal("CIPHERTEXT_INVALID", "There is nothing valid to verify.", { verdict: "invalid" });
  const rule = RULES.find(([words]) => words.test(text));
  if (rule !== undefined) return refusal(rule[1], rule[2]);
  return refusal("KEY_SERVICE_DENIED", `The key service refused what the hub asked for (${status}).`);
}

/** Failures of the service, not of what was asked: another try may find it well. */
export function isDown(error: unknown): error is HubError {
  return error instanceof HubError && (error.code === "KEY_SERVICE_UNREACHABLE" || error.code === "KEY_SERVICE_SEALED");
}

/** `details.reason` of a sign-in that was refused, as opposed to a use. */
export const NOT_LET_IN = "NOT_LET_IN";

/** One that another try cannot help: it has answered, or was given all the time that it gets. */
export function isLasting(error: HubError): boolean {
  const { status, reason } = error.details ?? {};
  return (typeof status === "number" && status < 500) || reason === "TIMEOUT";
}
