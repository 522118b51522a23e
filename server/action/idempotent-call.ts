import { timingSafeEqual } from "node:crypto";
import { type ErrorCode, HubError } from "../errors.ts";
import type { Done, ReceiptReference } from "./action-request.ts";
import type { CallInProgress } from "./call.ts";
import type { Gate } from "./gate.ts";
import type { IdempotencyRow, IdempotencyScope } from "./idempotency.ts";
import type { JudgedCall } from "./judge.ts";
import type { Transaction } from "./store.ts";

/** A change under its idempotency key, or without one. */
export interface Once {
  /** What an earlier call with this key came to. */
  readonly replay?: Done;
  settle(tx: Transaction, state: "done", kept: Kept): Promise<void>;
  fail(failure: HubError): Promise<void>;
  release(): Promise<void>;
}

type Kept =
  | { output: Record<string, unknown>; receipt: ReceiptReference }
  | { code: ErrorCode; message: string; path?: string };

const UNKEYED: Once = { settle: async () => {}, fail: async () => {}, release: async () => {} };

/**
 * Takes the key for this call, or answers from the call that holds it. Authorisation has run before: a caller that
 * lost the right does not get the recorded outcome either. Throws IN_PROGRESS, IDEMPOTENCY_MISMATCH, AMBIGUOUS, and
 * the recorded failure of a call that failed.
 */
export async function beginOnce(
  gate: Gate,
  call: CallInProgress,
  judged: JudgedCall,
  key: string | undefined,
): Promise<Once> {
  if (key === undefined) return UNKEYED;
  const { caller, entry, input } = judged;
  const accountId = caller.account.id;
  const scope: IdempotencyScope = { principalId: caller.principal.id, action: entry.action.name, key };
  const inputMac = await gate.inputMac(accountId, entry.action.name, input.canonical);
  const epoch = await gate.journal.epoch();
  const expiresAt = new Date(call.now.getTime() + gate.idempotency.ttlMs);
  const held = await gate.store.transact(accountId, (tx) =>
    tx.idempotency.claim(scope, { callId: call.id, epoch, inputMac, expiresAt }),
  );
  if (held) return { ...UNKEYED, replay: await replay(gate, accountId, judged, held, inputMac) };
  const seal = (kept: Kept) => gate.idempotency.seal(accountId, call.id, kept);
  return {
    settle: async (tx, state, kept) => {
      if (await tx.idempotency.settle(scope, call.id, state, await seal(kept))) return;
      const message = "This process was taken for dead while the call ran: nothing was changed. Call again.";
      throw new HubError("LANE_LOST", message);
    },
    fail: async (failure) => {
      const kept = await seal({
        code: failure.code,
        message: failure.message,
        ...(failure.path !== undefined && { path: failure.path }),
      });
      // a key that was taken away meanwhile is somebody else's to settle
      await gate.store.transact(accountId, (tx) => tx.idempotency.settle(scope, call.id, "failed", kept));
    },
    release: () => gate.store.transact(accountId, (tx) => tx.idempotency.release(scope, call.id)),
  };
}

/**
 * What an earlier call with this key came to, for a call that would only ask people anew. Throws as `beginOnce`;
 * undefined where the key is free.
 */
export async function recordedOnce(gate: Gate, judged: JudgedCall, key: string | undefined): Promise<Done | undefined> {
  if (key === undefined) return undefined;
  const { caller, entry, input } = judged;
  const accountId = caller.account.id;
  const scope: IdempotencyScope = { principalId: caller.principal.id, action: entry.action.name, key };
  const held = await gate.store.transact(accountId, (tx) => tx.idempotency.find(scope));
  if (!held) return undefined;
  return replay(gate, accountId, judged, held, await gate.inputMac(accountId, entry.action.name, input.canonical));
}

async function replay(
  gate: Gate,
  accountId: string,
  judged: JudgedCall,
  row: IdempotencyRow,
  inputMac: Buffer,
): Promise<Done> {
  if (row.inputMac.length !== inputMac.length || !timingSafeEqual(row.inputMac, inputMac))
    throw new HubError(
      "IDEMPOTENCY_MISMATCH",
      "This idempotency key was used with other arguments; use a new key for a new call.",
    );
  if (row.state === "running")
    throw new HubError("IN_PROGRESS", "The first call with this idempotency key is still running.", {
      details: { callId: row.callId },
    });
  if (row.state === "ambiguous" || row.outcome === undefined)
    throw new HubError(
      "AMBIGUOUS",
      "The first call with this key was cut off; whether it took effect is unknown. Look at its target before you use a new key.",
      { details: { callId: row.callId } },
    );
  const kept = (await gate.idempotency.open(accountId, row.callId, row.outcome)) as Kept;
  if ("code" in kept) throw new HubError(kept.code, kept.message, kept.path === undefined ? {} : { path: kept.path });
  return {
    status: "done",
    output: kept.output,
    summary: judged.entry.action.summary(kept.output),
    receipt: kept.receipt,
    replayed: true,
  };
}
