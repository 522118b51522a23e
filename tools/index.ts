import type { Action } from "../server/action/define-action.ts";
import { cancelApprovalRequest } from "./approval/cancel-request.ts";
import { decideApprovalRequest } from "./approval/decide-request.ts";
import { getApprovalRequest } from "./approval/get-request.ts";
import { listApprovalRequests } from "./approval/list-requests.ts";
import { listAccountEvents } from "./events/list-events.ts";
import { deleteFleetObject } from "./fleet/delete-object.ts";
import { getFleetObject } from "./fleet/get-object.ts";
import { listFleetObjects } from "./fleet/list-objects.ts";
import { putFleetObject } from "./fleet/put-object.ts";
import { acceptInvitation } from "./identity/accept-invitation.ts";
import { banPrincipal } from "./identity/ban-principal.ts";
import { cancelInvitation } from "./identity/cancel-invitation.ts";
import { claimSecret } from "./identity/claim-secret.ts";
import { createPrincipal } from "./identity/create-principal.ts";
import { invitePerson } from "./identity/invite-person.ts";
import { issueToken } from "./identity/issue-token.ts";
import { listBans } from "./identity/list-bans.ts";
import { listPrincipals } from "./identity/list-principals.ts";
import { revokeToken } from "./identity/revoke-token.ts";
import { setProfile } from "./identity/set-profile.ts";
import { unbanPrincipal } from "./identity/unban-principal.ts";
import { identityWhoami } from "./identity/whoami.ts";
import { getJournalReceipt } from "./journal/get-receipt.ts";
import { listJournalReceipts } from "./journal/list-receipts.ts";
import { verifyAccountJournal } from "./journal/verify-journal.ts";
import { getPolicy } from "./policy/get-policy.ts";
import { lintAccountPolicy } from "./policy/lint-policy.ts";
import { putAccountPolicy } from "./policy/put-policy.ts";
import { simulatePolicy } from "./policy/simulate-call.ts";

/** Every action of the hub. What is not in this list does not exist. */
export const actions: readonly Action[] = [
  cancelApprovalRequest,
  decideApprovalRequest,
  getApprovalRequest,
  listApprovalRequests,
  listAccountEvents,
  deleteFleetObject,
  getFleetObject,
  listFleetObjects,
  putFleetObject,
  acceptInvitation,
  banPrincipal,
  cancelInvitation,
  claimSecret,
  createPrincipal,
  invitePerson,
  issueToken,
  listBans,
  listPrincipals,
  revokeToken,
  setProfile,
  unbanPrincipal,
  identityWhoami,
  getJournalReceipt,
  listJournalReceipts,
  verifyAccountJournal,
  getPolicy,
  lintAccountPolicy,
  putAccountPolicy,
  simulatePolicy,
];
