import { v7 } from "uuid";
import type { DecisionWord } from "../../../contracts/approval/decision.ts";
import { peopleNeeded } from "../../../contracts/approval/request.ts";
import type { DecisionTaken } from "../../../contracts/approval/request-view.ts";
import { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { IdentityReader } from "../identity/identity-store.ts";
import {
  exclusion,
  filled,
  isAgreed,
  needsInWords,
  type Rules,
  signedPredicate,
  signedRules,
  type Voice,
} from "./agreement.ts";
import { approvalEvent } from "./approval-events.ts";
import type {
  ApprovalDecision,
  ApprovalReader,
  ApprovalRequest,
  ApprovalWriter,
  PrincipalKind,
} from "./approval-store.ts";
import { closedForDecision, stateAt } from "./request-state.ts";
import { type Signed, verifySigned } from "./verify-signed.ts";

/** Who decides: the caller, as far as deciding goes. */
export interface Decider {
  readonly account: { readonly profile: "solo" | "team" };
  readonly principal: { readonly id: string; readonly kind: PrincipalKind; readonly personId?: string };
  /**
   * Whether the decider holds a permission beyond system.approval.decide, which the gate has asked for already, for the
   * very call that the request is about.
   */
  readonly holds: (permission: string, request: ApprovalRequest) => Promise<boolean>;
}

export interface DecisionInput {
  readonly requestId: string;
  readonly decision: DecisionWord;
  /** A DSSE envelope, as an object or as JSON text. Absent: only the hub vouches for the decision. */
  readonly envelope?: unknown;
  readonly reason?: string | undefined;
}

interface Rows {
  readonly approvals: ApprovalReader & ApprovalWriter;
  readonly events: EventWriter;
  readonly identity: Pick<IdentityReader, "principal">;
}

/**
 * Takes one person's decision. The last approval sends the job that executes the call, in this same transaction; one
 * rejection ends the request. Throws DECISION_NOT_ALLOWED (who decides), DECISION_INVALID (what was signed),
 * APPROVAL_DECIDED, APPROVAL_EXPIRED, APPROVAL_CANCELLED, APPROVAL_STALE, NOT_FOUND.
 */
export async function decideRequest(
  rows: Rows,
  input: DecisionInput,
  decider: Decider,
  now: Date,
): Promise<DecisionTaken> {
  const personId = personOf(decider);
  // locked: of two last approvals at once, the second sees the first
  const request = await rows.approvals.lock(input.requestId);
  const state = stateAt(request, now);
  if (state !== "open") throw closedForDecision(state);
  const rules = await rulesOfSigned(rows, request, decider);
  refuseExcluded(rules, personId);
  const earlier = await rows.approvals.decisions(request.id);
  const own = earlier.find((decision) => decision.personId === personId);
  if (own !== undefined && !gives(own, input)) throw decidedBefore(own);
  const signed =
    input.envelope === undefined ? undefined : await verifySigned(rows.approvals, request, input, personId, now);
  const reason = reasonOf(input, signed);
  // a veto needs no permission, and must not fail for what only an approval is asked
  const holding = input.decision === "approve" ? await held(rules, decider, request) : [];
  const assurance = signed === undefined ? "hub-attested" : "signed";
  const others = voices(earlier.filter((decision) => decision !== own));
  const voice: Voice = { personId, assurance, holding };
  const after = filled(rules, [...others, voice]);
  const adds = after > filled(rules, others);
  if (input.decision === "approve") refuseUseless(rules, voice, adds);

  await rows.approvals.decide(
    {
      id: v7(),
      requestId: request.id,
      personId,
      principalId: decider.principal.id,
      decision: input.decision,
      assurance,
      holding,
      ...signed?.kept,
      ...(reason !== undefined && { reason }),
      decidedAt: now,
    },
    own?.id,
  );
  await rows.events.emit(approvalEvent("decided", request, { decision: input.decision, assurance, personId }));
  const taken = {
    requestId: request.id,
    decision: input.decision,
    assurance,
    needed: peopleNeeded(rules),
    needs: needsInWords(rules),
  } as const;
  if (input.decision === "reject") {
    await rows.approvals.close(request.id, ["open"], {
      state: "denied",
      at: now,
      errorCode: "APPROVAL_DENIED",
      errorMessage: denial(reason),
    });
    await rows.events.emit(approvalEvent("denied", request));
    return { ...taken, state: "denied", counts: true, approvals: filled(rules, others) };
  }
  if (!isAgreed(rules, [...others, voice])) return { ...taken, state: "open", counts: adds, approvals: after };
  const executionExpiresAt = await approve(rows, request, now);
  return {
    ...taken,
    state: "approved",
    counts: adds,
    approvals: after,
    executionExpiresAt: executionExpiresAt.toISOString(),
  };
}

/** The execution window begins now; the one that was signed is the latest it can end. */
async function approve(rows: Rows, request: ApprovalRequest, now: Date): Promise<Date> {
  const window = request.executionExpiresAt.getTime() - request.approvalExpiresAt.getTime();
  const executionExpiresAt = new Date(Math.min(now.getTime() + window, request.executionExpiresAt.getTime()));
  await rows.approvals.approve(request.id, executionExpiresAt);
  await rows.approvals.enqueueExecution(request.id);
  await rows.approvals.enqueueExpiry(request.id, executionExpiresAt);
  await rows.events.emit(approvalEvent("approved", request));
  return executionExpiresAt;
}

async function rulesOfSigned({ identity }: Rows, request: ApprovalRequest, decider: Decider): Promise<Rules> {
  const predicate = signedPredicate(request);
  const requester = await identity.principal(predicate.requester.id);
  if (requester === undefined) throw new HubError("APPROVAL_STALE", "Nobody here is the one who asked for this.");
  const { kind, person, owner } = requester;
  const asked = { kind, ...(person && { personId: person.id }), ...(owner && { ownerPersonId: owner.id }) };
  return signedRules(predicate, asked, decider.account.profile);
}

function personOf({ principal: { kind, personId } }: Decider): string {
  if (kind === "operator" && personId !== undefined) return personId;
  throw new HubError(
    "DECISION_NOT_ALLOWED",
    `Only people decide: ${kind === "agent" ? "an agent" : "a service"} never approves or rejects.`,
  );
}

function refuseExcluded(rules: Rules, personId: string): void {
  const excluded = exclusion(rules, personId);
  if (excluded === undefined) return;
  const why =
    excluded === "requester"
      ? "Whoever asks does not decide: another person has to."
      : "This needs two people, and the owner of the agent that asks is not one of them.";
  throw new HubError(
    "DECISION_NOT_ALLOWED",
    `${why} To withdraw the request, cancel it (system_approval_cancel_request).`,
  );
}

/** A word that only the hub vouched for gives way to the same person's signature; nothing else is said twice. */
function gives(own: ApprovalDecision, input: DecisionInput): boolean {
  return own.assurance === "hub-attested" && input.envelope !== undefined;
}

function decidedBefore(own: ApprovalDecision): HubError {
  const hint = own.assurance === "hub-attested" ? " A signature of the same person would replace it." : "";
  return new HubError(
    "APPROVAL_DECIDED",
    `This person has decided on this request already (${own.decision}, ${own.assurance}).${hint}`,
    {
      details: { decision: own.decision, assurance: own.assurance },
    },
  );
}

function reasonOf(input: DecisionInput, signed: Signed | undefined): string | undefined {
  if (signed !== undefined && input.reason !== undefined && input.reason !== signed.reason) {
    throw new HubError(
      "DECISION_INVALID",
      "The decision is refused: the reason that was signed is another than the one sent along.",
      {
        path: "reason",
      },
    );
  }
  const reason = signed === undefined ? input.reason : signed.reason;
  if (input.decision === "reject" && reason === undefined) {
    throw new HubError("DECISION_INVALID", "A rejection says why: give a reason.", { path: "reason" });
  }
  return reason;
}

async function held(rules: Rules, decider: Decider, request: ApprovalRequest): Promise<string[]> {
  const permissions = [...new Set(rules.holding)];
  const answers = await Promise.all(permissions.map((permission) => decider.holds(permission, request)));
  return permissions.filter((_, index) => answers[index]);
}

function voices(decisions: readonly ApprovalDecision[]): ApprovalDecision[] {
  return decisions.filter(({ decision }) => decision === "approve");
}

/** A signature that brings nothing is not taken: the person would have decided, and the request would wait on. */
function refuseUseless(rules: Rules, voice: Voice, adds: boolean): void {
  if (adds || voice.assurance === "hub-attested") return;
  const missing = rules.holding.filter((permission) => !voice.holding.includes(permission));
  throw new HubError(
    "DECISION_NOT_ALLOWED",
    `What is still missing is the approval of somebody who holds ${missing.join(" or ")}.`,
    {
      details: { holding: missing },
    },
  );
}

function denial(reason: string | undefined): string {
  return `The request was rejected${reason === undefined ? "" : `: ${reason}`}`;
}
