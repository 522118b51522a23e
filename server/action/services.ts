import type { CredentialServices } from "../domain/credentials/credential-services.ts";
import type { JournalVerifier } from "../domain/evidence/journal-verifier.ts";
import type { GitMirror } from "../domain/gitops/git-mirror.ts";
import type { OperationReports } from "../domain/operations/operation-reports.ts";
import type { PolicyChecker } from "../domain/policy/policy-checker.ts";
import type { AccountKeys } from "../domain/rotation/account-keys.ts";
import type { ApprovalDesk } from "./approval-desk.ts";
import type { Simulator } from "./simulate.ts";

/** What handlers need beside their account's rows. */
export interface Services {
  /** The hub's public identity: what statements are bound to. */
  readonly hub: { readonly id: string; readonly version: string };
  readonly policyChecker: PolicyChecker;
  readonly simulator: Simulator;
  readonly journalVerifier: JournalVerifier;
  readonly approvalDesk: ApprovalDesk;
  readonly git: GitMirror;
  readonly credentials: CredentialServices;
  readonly operations: OperationReports;
  /** For rotations, which are the one thing that changes keys. */
  readonly accountKeys: AccountKeys;
}
