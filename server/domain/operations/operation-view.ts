import type { RequestState } from "../../../contracts/approval/request-view.ts";
import { type NextCall, nextText, type OperationView } from "../../../contracts/operations/operation.ts";
import { filled, rulesOf } from "../approvals/agreement.ts";
import type { ApprovalDecision, ApprovalRequest } from "../approvals/approval-store.ts";
import { stateAt } from "../approvals/request-state.ts";
import type { Operation } from "./operation-store.ts";

/** What tells the whole of an operation, where its own state, progress and error are not all there is. */
const WHOLE: Readonly<Record<string, (id: string) => NextCall>> = {
  approval: (requestId) => ({ action: "system_approval_get_request", input: { requestId } }),
  "gitops.sync": (runId) => ({ action: "system_gitops_get_sync_run", input: { runId } }),
  "vault.rotation": (rotationId) => ({ action: "system_vault_get_rotation", input: { rotationId } }),
  "vault.verification": (verificationId) => ({ action: "system_vault_get_verification", input: { verificationId } }),
};

function nextOf(kind: string, id: string): string | null {
  const whole = WHOLE[kind]?.(id);
  return whole ? nextText(whole) : null;
}

export function operationView(operation: Operation): OperationView {
  const { id, kind, subject, state, progress, requesterId, error, createdAt, endedAt } = operation;
  return {
    id,
    kind,
    about: subject,
    state,
    progress,
    requestedBy: requesterId,
    error: error ? { code: error.code, message: error.message } : null,
    next: nextOf(kind, id),
    createdAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}

const STATE: Readonly<Record<RequestState, OperationView["state"]>> = {
  open: "working",
  approved: "working",
  executing: "working",
  executed: "completed",
  cancelled: "cancelled",
  failed: "failed",
  stale: "failed",
  denied: "failed",
  expired: "failed",
  ambiguous: "failed",
};

const CODE: Partial<Record<RequestState, string>> = {
  stale: "APPROVAL_STALE",
  denied: "APPROVAL_DENIED",
  expired: "APPROVAL_EXPIRED",
  ambiguous: "AMBIGUOUS",
};

/** A call that waits for people is long work too: its steps are the approvals, and carrying it out. */
export function waitingView(
  request: ApprovalRequest,
  decisions: readonly ApprovalDecision[],
  profile: "solo" | "team",
  now: Date,
): OperationView {
  const { id, action, requester, createdAt, closedAt, errorCode } = request;
  const counted = stateAt(request, now);
  const rules = rulesOf(request, profile);
  const needed = rules.profile === "solo" ? 1 : request.demand.people;
  const approvals = decisions.filter(({ decision }) => decision === "approve");
  const given = counted === "open" ? Math.min(filled(rules, approvals), needed) : needed;
  const state = STATE[counted];
  const code = errorCode ?? CODE[counted];
  return {
    id,
    kind: "approval",
    about: action,
    state,
    progress: {
      done: state === "completed" ? needed + 1 : given,
      total: needed + 1,
      sentence: sentenceOf(counted, { given, needed, until: request.approvalExpiresAt }),
    },
    requestedBy: requester.id,
    error: state === "failed" ? { code: code ?? "INTERNAL", message: sentenceOf(counted, { given, needed }) } : null,
    next: nextOf("approval", id),
    createdAt: createdAt.toISOString(),
    endedAt: closedAt?.toISOString() ?? null,
  };
}

function sentenceOf(
  state: RequestState,
  { given, needed, until }: { given: number; needed: number; until?: Date },
): string {
  switch (state) {
    case "open":
      return `Waiting for ${needed - given} of ${needed} ${needed === 1 ? "approval" : "approvals"}, expires ${inUtc(until)}.`;
    case "approved":
    case "executing":
      return "Approved; the hub carries it out.";
    case "executed":
      return "Approved and carried out.";
    case "failed":
      return "Approved, and it failed; nothing was changed.";
    case "stale":
      return "What was asked for has changed since; nothing was done.";
    case "denied":
      return "Rejected.";
    case "expired":
      return "Too few people agreed in time.";
    case "cancelled":
      return "Withdrawn.";
    case "ambiguous":
      return "The hub was cut off while carrying it out: look at its target.";
  }
}

/** `2026-11-25 14:05 UTC` */
const inUtc = (at: Date | undefined): string => `${at?.toISOString().slice(0, 16).replace("T", " ")} UTC`;
