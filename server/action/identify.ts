import type { HubError } from "../errors.ts";
import { CallInProgress } from "./call.ts";
import type { Caller } from "./caller.ts";
import type { Gate } from "./gate.ts";
import type { Channel } from "./risk.ts";

/**
 * The gate's first step: who calls. A refusal is recorded in the token's account if it is known, else in the hub's; a
 * door that is flooded with them says by `mayRecord` which it logs instead.
 */
export async function identify(
  gate: Gate,
  token: string | undefined,
  channel: Channel,
  mayRecord: () => boolean = () => true,
): Promise<Caller> {
  const found = await gate.identifier.byToken(token);
  if ("caller" in found) return found.caller;
  if (!mayRecord()) throw found.refusal;
  const accountId = found.known?.accountId ?? gate.hubAccountId;
  const call = new CallInProgress(gate, { accountId, action: "door", channel });
  if (found.known) call.record.principal = { id: found.known.principal.id, kind: found.known.principal.kind };
  gate.journal.note(call.record, call.outcome(gate, found.refusal.code));
  throw found.refusal;
}

/** Records what a door refused by itself: a body too large, an unknown method, a foreign Origin. */
export function refuseAtDoor(
  gate: Gate,
  error: HubError,
  facts: { channel: Channel; caller?: Caller; action?: string; traceId?: string },
): void {
  const accountId = facts.caller?.account.id ?? gate.hubAccountId;
  const call = new CallInProgress(gate, { ...facts, accountId, action: facts.action ?? "door" });
  gate.journal.note(call.record, call.outcome(gate, error.code));
}
