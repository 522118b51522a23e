/** A key is scoped to (account, principal, action): what another principal used is not seen. */
export interface IdempotencyScope {
  readonly principalId: string;
  readonly action: string;
  readonly key: string;
}

export interface IdempotencyRow {
  readonly callId: string;
  readonly inputMac: Buffer;
  readonly state: "running" | "done" | "failed" | "ambiguous";
  /** Encrypted for the requester; absent while running. */
  readonly outcome?: string;
}

export interface IdempotencyWriter {
  /** Takes the key for this call, or answers with the row that holds it. An expired row is replaced. */
  claim(
    scope: IdempotencyScope,
    call: { callId: string; epoch: number; inputMac: Buffer; expiresAt: Date },
  ): Promise<IdempotencyRow | undefined>;
  /** The row that holds the key, unless it has expired. */
  find(scope: IdempotencyScope): Promise<IdempotencyRow | undefined>;
  /** With the effect, or after a refusal. False where the key is not this running call's any more. */
  settle(scope: IdempotencyScope, callId: string, state: "done" | "failed", outcome: string): Promise<boolean>;
  /** Gives the key back: the call ended before anything began. */
  release(scope: IdempotencyScope, callId: string): Promise<void>;
}

/** Keeps outcomes for the one who asked, encrypted, until they expire. */
export interface Idempotency {
  readonly ttlMs: number;
  seal(accountId: string, callId: string, outcome: unknown): Promise<string>;
  open(accountId: string, callId: string, sealed: string): Promise<unknown>;
}
