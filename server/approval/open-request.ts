import { randomBytes } from "node:crypto";
import { v7 } from "uuid";
import { buildRequest } from "../../contracts/approval/request.ts";
import type { PendingApproval } from "../action/action-request.ts";
import type { Ask } from "../action/approvals.ts";
import type { Approvers } from "../action/approvers.ts";
import type { Caller } from "../action/caller.ts";
import type { Transaction } from "../action/store.ts";
import { needsInWords, rulesOf } from "../domain/approvals/agreement.ts";
import { approvalEvent } from "../domain/approvals/approval-events.ts";
import type { ApprovalRequest, NewRequest, RequestDemand } from "../domain/approvals/approval-store.ts";
import { escapePreview } from "../domain/approvals/escape-preview.ts";
import { endIfOverdue } from "../domain/approvals/expire-request.ts";
import { HubError } from "../errors.ts";
import type { ApprovalSettings } from "./approval-settings.ts";
import { refuseWithoutApprovers } from "./eligible-people.ts";
import { type Cipher, sealHeld } from "./held-call.ts";

export interface OpeningSetup {
  /** The hub's public identity. */
  readonly hub: { readonly id: string };
  readonly keys: Cipher;
  readonly approvers: Approvers;
  readonly settings: ApprovalSettings;
}

/** See `Approvals.open`. One principal's requests are opened one at a time, so that the cap and the merging hold. */
export async function openRequest(setup: OpeningSetup, tx: Transaction, ask: Ask): Promise<PendingApproval> {
  const { caller, now } = ask;
  await tx.approvals.lockRequester(caller.principal.id);
  const waiting: ApprovalRequest[] = [];
  for (const request of await tx.approvals.openOf(caller.principal.id)) {
    if (!(await endIfOverdue(tx, request, now))) waiting.push(request);
  }
  const preview = escapePreview(ask.preview);
  const twin = waiting.find(({ action, inputMac }) => action === ask.action && inputMac.equals(ask.inputMac));
  if (twin !== undefined && isBoundAlike(twin, ask, preview.digest))
    return pending(twin, caller, preview.shown.headline, true);
  if (twin !== undefined) await replaceMoved(tx, twin, now);
  refuseTooMany(waiting.length - (twin === undefined ? 0 : 1), setup.settings.openPerPrincipal);

  const request = await newRequest(setup, ask, preview);
  refuseWithoutApprovers(setup.approvers, rulesOf(request, caller.account.profile), await tx.approvals.candidates());
  await tx.approvals.insert(request);
  await tx.approvals.enqueueExpiry(request.id, request.approvalExpiresAt);
  await tx.events.emit(approvalEvent("requested", request));
  return pending(request, caller, preview.shown.headline, false);
}

async function newRequest(
  setup: OpeningSetup,
  ask: Ask,
  preview: { text: string; digest: string },
): Promise<NewRequest> {
  const { account, principal, policy } = ask.caller;
  const id = v7();
  const approvalExpiresAt = new Date(ask.now.getTime() + setup.settings.approvalMs);
  const executionExpiresAt = new Date(approvalExpiresAt.getTime() + setup.settings.executionMs);
  const demand = requestDemand(ask);
  const { type, id: targetId, version } = ask.target;
  const target = { type, id: targetId, ...(version !== undefined && { version }) };
  const statement = buildRequest(id, {
    hub: setup.hub.id,
    account: account.id,
    action: ask.action,
    toolSchemaDigest: ask.schemaDigest,
    inputCommitment: ask.inputCommitment,
    requester: { id: principal.id, kind: principal.kind },
    policyHash: policy.hash,
    demand: { people: demand.people, holding: [...demand.holding] },
    profile: account.profile,
    target,
    previewDigest: preview.digest,
    approvalExpiresAt: approvalExpiresAt.toISOString(),
    executionExpiresAt: executionExpiresAt.toISOString(),
    nonce: randomBytes(32).toString("hex"),
  });
  return {
    id,
    action: ask.action,
    schemaDigest: ask.schemaDigest,
    requester: {
      id: principal.id,
      kind: principal.kind,
      name: principal.name,
      ...(principal.personId !== undefined && { personId: principal.personId }),
      ...(principal.ownerPersonId !== undefined && { ownerPersonId: principal.ownerPersonId }),
    },
    profile: account.profile,
    statement: statement.text,
    statementDigest: statement.digest,
    preview: preview.text,
    previewDigest: preview.digest,
    held: await sealHeld(setup.keys, account.id, id, ask),
    inputMac: ask.inputMac,
    demand,
    target,
    policyHash: policy.hash,
    approvalExpiresAt,
    executionExpiresAt,
    createdAt: ask.now,
  };
}

function requestDemand({ demand }: Ask): RequestDemand {
  if (demand.kind !== "approve" || demand.people === 0) {
    throw new HubError("INTERNAL", `A call that is "${demand.kind}" needs no request for approval.`);
  }
  return { kind: "approve", people: demand.people, holding: demand.holding, rules: demand.rules };
}

/** Whether what the open request is bound to is what would be asked for now. */
function isBoundAlike(open: ApprovalRequest, ask: Ask, previewDigest: string): boolean {
  const { demand, target, caller } = ask;
  return (
    open.schemaDigest === ask.schemaDigest &&
    open.policyHash === caller.policy.hash &&
    open.profile === caller.account.profile &&
    open.previewDigest === previewDigest &&
    open.target.type === target.type &&
    open.target.id === target.id &&
    open.target.version === target.version &&
    open.demand.people === demand.people &&
    open.demand.holding.join() === demand.holding.join()
  );
}

/** The same call is asked for again, but what it is about moved: nobody should agree to the old request any more. */
async function replaceMoved(tx: Transaction, request: ApprovalRequest, now: Date): Promise<void> {
  await tx.approvals.close(request.id, ["open"], {
    state: "stale",
    at: now,
    errorCode: "APPROVAL_STALE",
    errorMessage: "Its target, its policy or its preview changed; the same call was asked for anew.",
  });
  await tx.events.emit(approvalEvent("stale", request));
}

function refuseTooMany(open: number, cap: number): void {
  if (open < cap) return;
  throw new HubError(
    "APPROVAL_CAP_REACHED",
    `${open} requests of yours wait for approval already, and no more than ${cap} may: wait for decisions, or cancel some (system_approval_cancel_request).`,
    { details: { open, cap } },
  );
}

function pending(
  request: ApprovalRequest | NewRequest,
  caller: Caller,
  headline: string,
  merged: boolean,
): PendingApproval {
  return {
    requestId: request.id,
    action: request.action,
    needs: needsInWords(rulesOf(request, caller.account.profile)),
    headline,
    approvalExpiresAt: request.approvalExpiresAt,
    merged,
  };
}
