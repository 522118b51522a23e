import type { Progress } from "../../contracts/operations/progress.ts";
import type { Caller } from "./caller.ts";
import type { Channel } from "./risk.ts";
import type { Services } from "./services.ts";
import type { Reader, Transaction } from "./store.ts";
import type { Target } from "./target.ts";

/** The call that a handler serves. */
export interface Call {
  readonly id: string;
  readonly caller: Caller;
  readonly channel: Channel;
  /** Fires when the caller goes away, the time limit passes or the hub stops. */
  readonly signal: AbortSignal;
  /** The one time of this call, UTC. */
  readonly now: Date;
  /** Tells the caller how far a call is that waits; absent where nobody wants to know. */
  readonly tell?: (progress: Progress) => void;
}

export interface ReadContext {
  readonly call: Call;
  readonly read: Reader;
  readonly services: Services;
}

export interface ReachContext {
  readonly call: Call;
  /** Looks at the account's rows in a short transaction of its own. */
  readonly read: <T>(fn: (read: Reader) => Promise<T>) => Promise<T>;
  readonly services: Services;
}

export interface WriteContext {
  readonly call: Call;
  readonly tx: Transaction;
  /** What was judged, and agreed to where people were asked; it was looked at again before the handler runs. */
  readonly target: Target;
  readonly services: Services;
}
