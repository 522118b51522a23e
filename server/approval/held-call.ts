import * as z from "zod";
import { canonicalize, type Json } from "../../contracts/formats/canonical-json.ts";
import type { Ask, HeldCall } from "../action/approvals.ts";
import { CHANNELS } from "../action/risk.ts";
import type { ApprovalRequest } from "../domain/approvals/approval-store.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { boundToRequest } from "../domain/keys/payload-binding.ts";

/** Of the key service, what keeps bodies. */
export type Cipher = Pick<KeyService, "encrypt" | "decrypt">;

/** What waits, encrypted, with a request, until it is executed or can be no more. */
const heldFacts = z.strictObject({
  input: z.string(),
  salt: z.base64(),
  channel: z.enum(CHANNELS),
  idempotencyKey: z.string().optional(),
  runId: z.string().optional(),
  traceId: z.string().optional(),
});

export type HeldFacts = Pick<HeldCall, "salt" | "channel" | "idempotencyKey" | "runId" | "traceId"> & {
  /** Canonical JSON. */
  readonly input: string;
};

export function sealHeld(cipher: Cipher, accountId: string, requestId: string, ask: Ask): Promise<string> {
  const facts = {
    input: ask.canonicalInput,
    salt: ask.salt.toString("base64"),
    channel: ask.channel,
    ...(ask.idempotencyKey !== undefined && { idempotencyKey: ask.idempotencyKey }),
    ...(ask.runId !== undefined && { runId: ask.runId }),
    ...(ask.traceId !== undefined && { traceId: ask.traceId }),
  };
  return cipher.encrypt(
    accountId,
    "data",
    Buffer.from(canonicalize(facts)),
    boundToRequest(accountId, requestId, "held"),
  );
}

/** Throws CIPHERTEXT_INVALID where it was changed, or moved here from another request. */
export async function openHeld(
  cipher: Cipher,
  accountId: string,
  requestId: string,
  sealed: string,
): Promise<HeldFacts> {
  const bytes = await cipher.decrypt(accountId, "data", sealed, boundToRequest(accountId, requestId, "held"));
  const { salt, input, channel, idempotencyKey, runId, traceId } = heldFacts.parse(JSON.parse(bytes.toString()));
  return {
    input,
    salt: Buffer.from(salt, "base64"),
    channel,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(runId !== undefined && { runId }),
    ...(traceId !== undefined && { traceId }),
  };
}

/** `result` is canonical JSON. */
export function sealResult(cipher: Cipher, accountId: string, requestId: string, result: string): Promise<string> {
  return cipher.encrypt(accountId, "data", Buffer.from(result), boundToRequest(accountId, requestId, "result"));
}

export async function openResult(
  cipher: Cipher,
  accountId: string,
  request: ApprovalRequest,
): Promise<Json | undefined> {
  if (request.result === undefined) return undefined;
  const bytes = await cipher.decrypt(
    accountId,
    "data",
    request.result,
    boundToRequest(accountId, request.id, "result"),
  );
  return JSON.parse(bytes.toString()) as Json;
}
