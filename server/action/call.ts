import { v7 } from "uuid";
import { commit } from "../../contracts/formats/commitment.ts";
import { drawRandom } from "../../contracts/formats/randomness.ts";
import type { CallOutcome, CallRecord } from "../domain/evidence/call-record.ts";
import { type HubError, toHubError } from "../errors.ts";
import type { ReceiptReference } from "./action-request.ts";
import type { Caller } from "./caller.ts";
import type { Gate } from "./gate.ts";
import type { Channel } from "./risk.ts";

type Draft = { -readonly [K in keyof CallRecord]: CallRecord[K] };

/** One call on its way through the gate: its id, its one time, its salt, and what its receipts will commit to. */
export class CallInProgress {
  readonly id = v7();
  readonly now: Date;
  readonly salt: Buffer;
  readonly record: Draft;
  /**
   * Whether an intent, or a staged outcome, may be durable. From then on, who executes records how it ends; it is no refusal
   * any more.
   */
  underWay = false;

  constructor(
    gate: Gate,
    facts: {
      accountId: string;
      caller?: Caller;
      action: string;
      channel: Channel;
      salt?: Buffer;
      runId?: string;
      traceId?: string;
    },
  ) {
    this.now = gate.now();
    this.salt = facts.salt ?? drawRandom(32);
    this.record = {
      callId: this.id,
      accountId: facts.accountId,
      action: facts.action,
      schemaDigest: "",
      channel: facts.channel,
      ...(facts.caller && { principal: { id: facts.caller.principal.id, kind: facts.caller.principal.kind } }),
      ...(facts.runId !== undefined && { runId: facts.runId }),
      ...(facts.traceId !== undefined && { traceId: facts.traceId }),
    };
  }

  /** Salted, so that a reader of the journal cannot test a guess against the digest. */
  commitTo(canonical: string): string {
    return commit(Buffer.from(canonical), this.salt).digest;
  }

  reference(): ReceiptReference {
    return { id: `${this.id}.outcome`, callId: this.id, salt: this.salt.toString("base64") };
  }

  outcome(
    gate: Gate,
    code: CallOutcome["code"],
    more: Pick<CallOutcome, "output" | "approvalRequestId" | "left"> = {},
  ): CallOutcome {
    return { code, at: gate.now(), ...more };
  }
}

/**
 * Records a refusal: a call that ended before its intent. If even that cannot be recorded, the call is refused with
 * the journal's own code, whatever it was refused for.
 */
export function noteRefusal(gate: Gate, call: CallInProgress, error: unknown): HubError {
  const refusal = toHubError(error);
  if (call.underWay) return refusal;
  if (refusal.code === "INTERNAL") gate.report(error, { callId: call.id, action: call.record.action });
  gate.journal.note(call.record, call.outcome(gate, refusal.code));
  return refusal;
}
