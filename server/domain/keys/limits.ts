import { HubError } from "../../errors.ts";

/** Bytes of one plaintext, message or input: in Base 64 it fits into a request of Vault's, which takes 32 MiB. */
export const PLAINTEXT_LIMIT = 16 * 1024 * 1024;
/** Items of one batch. An adapter may ask for them in several goes. */
export const BATCH_LIMIT = 1000;
/** Bytes of a context, or of associated data: these name a record. */
export const BINDING_LIMIT = 64 * 1024;

/** @throws HubError INPUT_TOO_LARGE */
export function requireFitting(
  bytes: { readonly length: number },
  bindings: { readonly context?: Uint8Array; readonly associatedData?: Uint8Array } = {},
): void {
  if (bytes.length > PLAINTEXT_LIMIT) throw tooLarge(`at most ${PLAINTEXT_LIMIT} bytes`, bytes.length, PLAINTEXT_LIMIT);
  for (const { length } of [bindings.context ?? [], bindings.associatedData ?? []]) {
    if (length > BINDING_LIMIT) throw tooLarge(`at most ${BINDING_LIMIT} bytes of context`, length, BINDING_LIMIT);
  }
}

/** A ciphertext's text: the limit's Base 64, and the prefix. Throws INPUT_TOO_LARGE. */
export function requireFittingText(text: string): void {
  const limit = Math.ceil((PLAINTEXT_LIMIT + 64) / 3) * 4;
  if (text.length > limit) throw tooLarge(`at most ${limit} characters`, text.length, limit);
}

/** @throws HubError INPUT_TOO_LARGE */
export function requireFittingBatch(items: readonly unknown[]): void {
  if (items.length > BATCH_LIMIT) throw tooLarge(`at most ${BATCH_LIMIT} items`, items.length, BATCH_LIMIT);
}

function tooLarge(what: string, found: number, limit: number): HubError {
  return new HubError("INPUT_TOO_LARGE", `The key service takes ${what} at a time.`, { details: { found, limit } });
}
