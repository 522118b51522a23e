import type { ActionRequest, ActionResult } from "../action/action-request.ts";
import type { Caller } from "../action/caller.ts";
import type { RegisteredAction } from "../action/registry.ts";
import type { Channel } from "../action/risk.ts";
import type { Logger } from "../config/log.ts";
import type { FollowedEvent } from "../domain/events/event-feed.ts";
import type { ErrorCode, HubError } from "../errors.ts";
import type { Catalogue } from "./mcp/catalogue.ts";

/** What is known of a call that a door refused by itself. */
export interface RefusalFacts {
  readonly channel: Channel;
  readonly caller?: Caller;
  readonly action?: string;
  readonly traceId?: string;
}

export interface Readiness {
  readonly ok: boolean;
  /** By name: database, journal, keys; with the code of what is met, where that says more. */
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly code?: ErrorCode }>>;
}

/** The hub as its doors see it. A door translates and limits; it decides nothing and keeps nothing. */
export interface HubDoor {
  /**
   * Throws UNAUTHENTICATED, TOKEN_EXPIRED, TOKEN_REVOKED, PRINCIPAL_BANNED, each recorded unless `mayRecord`, asked once
   * for a refusal, says no; STORE_UNAVAILABLE.
   */
  identify(token: string | undefined, channel: Channel, mayRecord?: () => boolean): Promise<Caller>;
  /** The gate. Throws HubError for every refusal and failure, each recorded. */
  run(request: ActionRequest): Promise<ActionResult>;
  /** What the caller is shown at this door, sorted by name. */
  visible(caller: Caller, channel: Channel): Promise<readonly RegisteredAction[]>;
  /** What was declared of an action; undefined where there is none. */
  action(name: string): RegisteredAction | undefined;
  /** Whether the gate would let this caller read this now. Nothing runs and nothing is recorded. Throws STORE_UNAVAILABLE. */
  mayRead(caller: Caller, action: string, input: unknown): Promise<boolean>;
  /**
   * Who a caller is by now, for streams that stay open between calls; undefined where they may not call any more. Throws
   * STORE_UNAVAILABLE.
   */
  current(caller: Caller): Promise<Caller | undefined>;
  /**
   * Whom the code of a credential's claim stands for. Throws NOT_FOUND, CLAIM_EXPIRED (used ones too), PRINCIPAL_BANNED,
   * STORE_UNAVAILABLE; none of it is recorded.
   */
  claimant(code: string): Promise<{ readonly caller: Caller; readonly credential: string }>;
  /**
   * Tells of the account's events, whichever process they come from, from the moment that it resolves until the function
   * that it answers with is called. Throws STORE_UNAVAILABLE.
   */
  follow(accountId: string, tell: (events: readonly FollowedEvent[]) => void): Promise<() => void>;
  /** Records what the door refused before the gate could: a body too large, a foreign Origin. */
  refuse(error: HubError, facts: RefusalFacts): void;
  ready(): Promise<Readiness>;
  /** What the MCP door offers in place of the hub's own catalogue; the protocol's test suite has it offer fixtures too. */
  readonly catalogue?: (own: Catalogue) => Catalogue;
  /** 32 bytes that every process of this hub has: seals what a client holds between two rounds. */
  readonly sealKey: Buffer;
  readonly version: string;
  readonly log: Logger;
}
