import type { Action } from "../server/action/define-action.ts";
import { cancelApprovalRequest } from "./approval/cancel-request.ts";
import { decideApprovalRequest } from "./approval/decide-request.ts";
import { getApprovalRequest } from "./approval/get-request.ts";
import { listApprovalRequests } from "./approval/list-requests.ts";
import { listHubBackups } from "./backup/list-backups.ts";
import { retireHubBackup } from "./backup/retire-backup.ts";
import { deleteAccountCredential } from "./credentials/delete-credential.ts";
import { forgetMissingCredential } from "./credentials/forget-credential.ts";
import { getCredentialMetadata } from "./credentials/get-metadata.ts";
import { listAccountCredentials } from "./credentials/list-credentials.ts";
import { provideCredentialSecret } from "./credentials/provide-secret.ts";
import { rotateAccountCredential } from "./credentials/rotate-credential.ts";
import { storeAccountCredential } from "./credentials/store-credential.ts";
import { testAccountCredential } from "./credentials/try-credential.ts";
import { updateCredentialScope } from "./credentials/update-scope.ts";
import { listAccountEvents } from "./events/list-events.ts";
import { deleteFleetObject } from "./fleet/delete-object.ts";
import { getFleetObject } from "./fleet/get-object.ts";
import { listFleetObjects } from "./fleet/list-objects.ts";
import { putFleetObject } from "./fleet/put-object.ts";
import { applyGitProposal } from "./gitops/apply-proposal.ts";
import { getGitDriftReport } from "./gitops/get-drift-report.ts";
import { getGitProposal } from "./gitops/get-proposal.ts";
import { getGitRepository } from "./gitops/get-repository.ts";
import { getGitSyncRun } from "./gitops/get-sync-run.ts";
import { listGitProposals } from "./gitops/list-proposals.ts";
import { listGitRepositories } from "./gitops/list-repositories.ts";
import { listGitSyncRuns } from "./gitops/list-sync-runs.ts";
import { registerGitRepository } from "./gitops/register-repository.ts";
import { rejectGitProposal } from "./gitops/reject-proposal.ts";
import { removeGitRepository } from "./gitops/remove-repository.ts";
import { runGitSync } from "./gitops/run-sync.ts";
import { syncGitRepository } from "./gitops/sync-repository.ts";
import { acceptInvitation } from "./identity/accept-invitation.ts";
import { addKey } from "./identity/add-key.ts";
import { banPrincipal } from "./identity/ban-principal.ts";
import { cancelInvitation } from "./identity/cancel-invitation.ts";
import { claimSecret } from "./identity/claim-secret.ts";
import { createPrincipal } from "./identity/create-principal.ts";
import { invitePerson } from "./identity/invite-person.ts";
import { issueToken } from "./identity/issue-token.ts";
import { listBans } from "./identity/list-bans.ts";
import { listKeys } from "./identity/list-keys.ts";
import { listPrincipals } from "./identity/list-principals.ts";
import { revokeKey } from "./identity/revoke-key.ts";
import { revokeToken } from "./identity/revoke-token.ts";
import { setProfile } from "./identity/set-profile.ts";
import { unbanPrincipal } from "./identity/unban-principal.ts";
import { identityWhoami } from "./identity/whoami.ts";
import { getJournalReceipt } from "./journal/get-receipt.ts";
import { listJournalReceipts } from "./journal/list-receipts.ts";
import { verifyAccountJournal } from "./journal/verify-journal.ts";
import { cancelLongOperation } from "./operations/cancel-operation.ts";
import { getLongOperation } from "./operations/get-operation.ts";
import { listLongOperations } from "./operations/list-operations.ts";
import { getPolicy } from "./policy/get-policy.ts";
import { lintAccountPolicy } from "./policy/lint-policy.ts";
import { putAccountPolicy } from "./policy/put-policy.ts";
import { simulatePolicy } from "./policy/simulate-call.ts";
import { checkCredentialBatch } from "./vault/check-batch.ts";
import { finalizeVaultRotation } from "./vault/finalize-rotation.ts";
import { finishVaultWalk } from "./vault/finish-walk.ts";
import { getVaultRotation } from "./vault/get-rotation.ts";
import { getVaultVerification } from "./vault/get-verification.ts";
import { listVaultAccounts } from "./vault/list-accounts.ts";
import { listVaultBatches } from "./vault/list-batches.ts";
import { listVaultRotations } from "./vault/list-rotations.ts";
import { pauseVaultRotation } from "./vault/pause-rotation.ts";
import { raiseKeyFloor } from "./vault/raise-key-floor.ts";
import { recordAccountKey } from "./vault/record-account-key.ts";
import { resealHeldPayloads } from "./vault/reseal-payloads.ts";
import { resumeVaultRotation } from "./vault/resume-rotation.ts";
import { rewrapBatch } from "./vault/rewrap-batch.ts";
import { rotateAccountKey } from "./vault/rotate-account-key.ts";
import { rotateVaultTransitPepper } from "./vault/rotate-transit-pepper.ts";
import { trimAccountKey } from "./vault/trim-account-key.ts";
import { trimVaultKey } from "./vault/trim-key.ts";
import { turnVaultSoak } from "./vault/turn-soak.ts";
import { verifyVaultCredentials } from "./vault/verify-credentials.ts";

/** Every action of the hub. What is not in this list does not exist. */
export const actions: readonly Action[] = [
  cancelApprovalRequest,
  decideApprovalRequest,
  getApprovalRequest,
  listApprovalRequests,
  listHubBackups,
  retireHubBackup,
  deleteAccountCredential,
  forgetMissingCredential,
  getCredentialMetadata,
  listAccountCredentials,
  provideCredentialSecret,
  rotateAccountCredential,
  storeAccountCredential,
  testAccountCredential,
  updateCredentialScope,
  listAccountEvents,
  deleteFleetObject,
  getFleetObject,
  listFleetObjects,
  putFleetObject,
  applyGitProposal,
  getGitDriftReport,
  getGitProposal,
  getGitRepository,
  getGitSyncRun,
  listGitProposals,
  listGitRepositories,
  listGitSyncRuns,
  registerGitRepository,
  rejectGitProposal,
  removeGitRepository,
  runGitSync,
  syncGitRepository,
  acceptInvitation,
  addKey,
  banPrincipal,
  cancelInvitation,
  claimSecret,
  createPrincipal,
  invitePerson,
  issueToken,
  listBans,
  listKeys,
  listPrincipals,
  revokeKey,
  revokeToken,
  setProfile,
  unbanPrincipal,
  identityWhoami,
  getJournalReceipt,
  listJournalReceipts,
  verifyAccountJournal,
  cancelLongOperation,
  getLongOperation,
  listLongOperations,
  getPolicy,
  lintAccountPolicy,
  putAccountPolicy,
  simulatePolicy,
  checkCredentialBatch,
  finalizeVaultRotation,
  finishVaultWalk,
  getVaultRotation,
  getVaultVerification,
  listVaultAccounts,
  listVaultBatches,
  listVaultRotations,
  pauseVaultRotation,
  raiseKeyFloor,
  recordAccountKey,
  resealHeldPayloads,
  resumeVaultRotation,
  rewrapBatch,
  rotateAccountKey,
  rotateVaultTransitPepper,
  trimAccountKey,
  trimVaultKey,
  turnVaultSoak,
  verifyVaultCredentials,
];
