import type { EventWriter } from "../events/event-store.ts";
import type { IdentityReader, IdentityWriter } from "./identity-store.ts";

/** Of a call, what changes to identities need: when, and by whom. */
export interface ActingCall {
  /** The one time of the call. */
  readonly now: Date;
  readonly caller: {
    readonly principal: {
      readonly id: string;
      readonly kind: "operator" | "agent" | "service";
      readonly name: string;
      readonly personId?: string;
      readonly ownerPersonId?: string;
    };
  };
}

/** The rows that a change to identities touches, in one transaction. */
export interface IdentityChange {
  readonly identity: IdentityReader & IdentityWriter;
  readonly events: EventWriter;
}
