import type { Gate } from "../action/gate.ts";
import { runAction } from "../action/run-action.ts";
import type { Operation } from "../domain/operations/operation-store.ts";
import type { WalkedAccount } from "../domain/rotation/rotation-store.ts";
import { HubError } from "../errors.ts";

/** One slice of a walk through all accounts: what it is for, in whose name, and how long it may take. */
export interface Slice {
  readonly gate: Gate;
  /** The hub's own account, where the operation is. */
  readonly hubAccountId: string;
  readonly operation: Operation;
  /** Fires when the operation is over or held by another process, and when the hub stops. */
  readonly signal: AbortSignal;
  /** As `Date.now()` counts: from then on the rest is left to the next slice. */
  readonly until: number;
}

/**
 * What came of a slice: `ended`, the operation is over; `rests`, until somebody sends its job again; else there is more to
 * do, at once or from a time on.
 */
export type SliceEnd = "ended" | "rests" | { readonly again: Date | undefined };

export const isOver = ({ until }: Slice): boolean => Date.now() >= until;

/**
 * One step: an action in one account, through the gate, as the account's own `hub` service; all receipts of a walk carry
 * its operation's id. Throws what the gate throws, and NOT_FOUND where the account has no such service.
 */
export async function step(
  { gate, operation, signal }: Slice,
  { accountId, principalId }: WalkedAccount,
  action: string,
  input: object,
): Promise<Readonly<Record<string, unknown>>> {
  if (principalId === undefined) throw new HubError("NOT_FOUND", "The account has no service of the hub's own.");
  const found = await gate.identifier.byPrincipal(accountId, principalId);
  if ("refusal" in found) throw found.refusal;
  const result = await runAction(gate, {
    action,
    input,
    caller: found.caller,
    channel: "job",
    canConfirm: false,
    runId: operation.id,
    ...(operation.traceId !== undefined && { traceId: operation.traceId }),
    signal,
  });
  if (result.status !== "done") throw new HubError("INTERNAL", "A job's own action waits for nobody.");
  return result.output;
}

/** A step in the hub's own account. */
export async function inHubAccount(slice: Slice, action: string, input: object) {
  const { gate, hubAccountId } = slice;
  const principalId = await gate.store.read(hubAccountId, (read) => read.rotation.serviceId());
  const own = { accountId: hubAccountId, ...(principalId !== undefined && { principalId }) };
  return step(slice, own, action, input);
}

/** Ends the operation. */
export async function finish(slice: Slice): Promise<SliceEnd> {
  const { id: operationId, fence } = slice.operation;
  await inHubAccount(slice, "system_vault_finish_walk", { operationId, fence });
  return "ended";
}

/** How far it is. Throws CANCELLED where the operation is over, or another process carries it on. */
export function tell(
  { gate, hubAccountId, operation }: Slice,
  { done, total, sentence }: { done: number; total: number; sentence: string },
): Promise<void> {
  const within = Math.max(1, total);
  return gate.services.operations.report(
    hubAccountId,
    { operationId: operation.id, fence: operation.fence },
    { done: Math.min(done, within), total: within, sentence },
  );
}
