import type { Approvals } from "./approvals.ts";
import type { Authorizer } from "./authorizer.ts";
import type { Idempotency } from "./idempotency.ts";
import type { Identifier } from "./identifier.ts";
import type { Journal } from "./journal.ts";
import type { OnlineCalls } from "./online-calls.ts";
import type { Registry } from "./registry.ts";
import type { Services } from "./services.ts";
import type { Store } from "./store.ts";

/** What the gate stands on: the registry, the guards, the rows. Put together in server/main.ts. */
export interface Gate {
  /** The hub's own account: refusals without an account are recorded there. */
  readonly hubAccountId: string;
  readonly registry: Registry;
  readonly identifier: Identifier;
  readonly authorizer: Authorizer;
  readonly approvals: Approvals;
  readonly idempotency: Idempotency;
  readonly journal: Journal;
  readonly store: Store;
  readonly services: Services;
  readonly online: OnlineCalls;
  /** Keyed MAC of (action, canonical input) under the account's key: merges and compares without showing a digest. */
  readonly inputMac: (accountId: string, action: string, canonicalInput: string) => Promise<Buffer>;
  readonly now: () => Date;
  /** For the log only: the cause of an INTERNAL, never told to the caller. */
  readonly report: (error: unknown, facts: Readonly<Record<string, unknown>>) => void;
}
