import { parsePreview } from "../../../contracts/approval/preview.ts";
import type { DecisionView, RequestDetail, RequestSummary } from "../../../contracts/approval/request-view.ts";
import type { Page, PageRequest } from "../page.ts";
import { needsInWords, rulesOf } from "./agreement.ts";
import type { ApprovalDecision, ApprovalReader, ApprovalRequest, RequestFilter } from "./approval-store.ts";
import { stateAt } from "./request-state.ts";

/** Who reads. */
export interface Viewer {
  readonly account: { readonly profile: "solo" | "team" };
  readonly principal: { readonly id: string };
}

/** Opens what was kept for the requester; undefined where nothing was. */
export type ResultOpener = (request: ApprovalRequest) => Promise<unknown>;

export interface ListFilter extends RequestFilter {
  /** Only what the viewer asked for itself. */
  readonly mine?: boolean | undefined;
}

/** Newest first. */
export async function listRequests(
  approvals: ApprovalReader,
  { mine, ...filter }: ListFilter,
  page: PageRequest,
  viewer: Viewer,
  now: Date,
): Promise<Page<RequestSummary>> {
  if (mine && filter.requesterId !== undefined && filter.requesterId !== viewer.principal.id) return { items: [] };
  const requesterId = mine ? viewer.principal.id : filter.requesterId;
  const { items, ...rest } = await approvals.list({ ...filter, requesterId }, page, now);
  return { ...rest, items: items.map((request) => summaryOf(request, viewer, now)) };
}

/**
 * Everything that an approver needs to decide; what became of the call is for its requester alone. Throws NOT_FOUND.
 */
export async function showRequest(
  approvals: ApprovalReader,
  requestId: string,
  viewer: Viewer,
  now: Date,
  openResult: ResultOpener,
): Promise<RequestDetail> {
  const request = await approvals.get(requestId);
  const decisions = await approvals.decisions(requestId);
  const { people, holding, rules } = request.demand;
  return {
    ...summaryOf(request, viewer, now),
    profile: request.profile,
    demand: { people, holding: [...holding], rules: [...rules] },
    target: request.target,
    changes: parsePreview(request.preview).changes,
    preview: request.preview,
    previewDigest: request.previewDigest,
    statement: request.statement,
    statementDigest: request.statementDigest,
    decisions: decisions.map(decisionOf),
    executionExpiresAt: request.executionExpiresAt.toISOString(),
    ...(request.executionCallId !== undefined && { executionCallId: request.executionCallId }),
    ...(viewer.principal.id === request.requester.id && { yours: await outcomeOf(request, openResult) }),
  };
}

/** Of the ends that nobody wrote a code for. */
const CODE_OF_STATE: Partial<Record<RequestSummary["state"], string>> = {
  expired: "APPROVAL_EXPIRED",
  ambiguous: "AMBIGUOUS",
};

function summaryOf(request: ApprovalRequest, { account }: Viewer, now: Date): RequestSummary {
  const state = stateAt(request, now);
  const { id, kind, name } = request.requester;
  const errorCode = request.errorCode ?? CODE_OF_STATE[state];
  return {
    id: request.id,
    state,
    action: request.action,
    requester: { id, kind, name },
    headline: parsePreview(request.preview).headline,
    // what is over is told by the profile it was decided under, whatever the account has become since
    needs: needsInWords(rulesOf(request, request.closedAt === undefined ? account.profile : request.profile)),
    createdAt: request.createdAt.toISOString(),
    approvalExpiresAt: request.approvalExpiresAt.toISOString(),
    ...(request.closedAt && { closedAt: request.closedAt.toISOString() }),
    ...(errorCode !== undefined && { errorCode }),
  };
}

async function outcomeOf(
  request: ApprovalRequest,
  openResult: ResultOpener,
): Promise<NonNullable<RequestDetail["yours"]>> {
  const result = await openResult(request);
  return {
    ...(request.errorMessage !== undefined && { message: request.errorMessage }),
    ...(result !== undefined && { result }),
  };
}

function decisionOf(decision: ApprovalDecision): DecisionView {
  const { personId, personName, principalId, assurance, keyId, envelope, reason, decidedAt } = decision;
  return {
    person: { id: personId, name: personName },
    principalId,
    decision: decision.decision,
    assurance,
    ...(keyId !== undefined && { keyId }),
    ...(envelope !== undefined && { envelope }),
    ...(reason !== undefined && { reason }),
    decidedAt: decidedAt.toISOString(),
  };
}
