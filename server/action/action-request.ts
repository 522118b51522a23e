import type { Progress } from "../../contracts/operations/progress.ts";
import type { Caller } from "./caller.ts";
import type { Channel } from "./risk.ts";

/** One call as a door hands it to the gate. The door has identified the caller (`identify`), nothing else. */
export interface ActionRequest {
  readonly action: string;
  /** Untrusted: what the client sent as arguments. */
  readonly input: unknown;
  readonly caller: Caller;
  readonly channel: Channel;
  /** Whether this client can be asked to confirm; if not, a confirmation becomes a request for approval. */
  readonly canConfirm: boolean;
  /** The answer to a confirmation asked before; its state was authenticated by the door. */
  readonly confirmation?: { readonly state: ConfirmationState; readonly accepted: boolean };
  /** A repeated call with the same key gets the first one's outcome. 1 to 200 characters. */
  readonly idempotencyKey?: string;
  /** The client's name for the job that this call is part of. */
  readonly runId?: string;
  readonly traceId?: string;
  /** Told how far the call is, where it waits for long work. Never called once the call is answered. */
  readonly onProgress?: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export type ActionResult = Done | Pending | ConfirmationAsked;

export interface Done {
  readonly status: "done";
  readonly output: Readonly<Record<string, unknown>>;
  readonly summary: string;
  readonly receipt: ReceiptReference;
  /** The outcome was recorded by an earlier call with the same idempotency key. */
  readonly replayed?: true;
}

/** Somebody else has to agree first. Nothing has happened yet. */
export interface Pending {
  readonly status: "pending";
  readonly approval: PendingApproval;
  readonly receipt: ReceiptReference;
}

export interface PendingApproval {
  readonly requestId: string;
  readonly action: string;
  /** In words: "one other person", "two people", "your own signature (solo)". */
  readonly needs: string;
  readonly headline: string;
  readonly approvalExpiresAt: Date;
  /** The same call was waiting already. */
  readonly merged: boolean;
}

/** The caller itself has to acknowledge, and has not yet. */
export interface ConfirmationAsked {
  readonly status: "confirm";
  readonly message: string;
  readonly state: ConfirmationState;
}

/** What a confirmation is bound to. The door seals it (authenticated, opaque to the client). */
export interface ConfirmationState {
  readonly id: string;
  readonly hub: string;
  readonly principal: string;
  readonly action: string;
  readonly schemaDigest: string;
  /** Keyed MAC of the canonical input, hex. */
  readonly inputMac: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

/** Where the call's evidence is. The salt opens the commitments in it and is the caller's alone. */
export interface ReceiptReference {
  /** `<call id>.outcome`; the intent of a change is `<call id>.intent`. */
  readonly id: string;
  readonly callId: string;
  /** Base64, 32 bytes. */
  readonly salt: string;
}
