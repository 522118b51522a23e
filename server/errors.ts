/**
 * The one error that leaves the hub. Callers match `code`, people read `message`, programs find the bad field
 * in `path`. Codes are stable: the API, the journal and the metrics use the same ones.
 */
export type ErrorCode =
  // who is calling
  | "UNAUTHENTICATED"
  | "TOKEN_EXPIRED"
  | "TOKEN_REVOKED"
  | "PRINCIPAL_BANNED"
  | "ORIGIN_REFUSED"
  // what is being asked
  | "ACTION_UNKNOWN"
  | "METHOD_NOT_ALLOWED"
  | "MEDIA_TYPE_UNSUPPORTED"
  | "INPUT_INVALID"
  | "INPUT_TOO_LARGE"
  | "OUTPUT_INVALID"
  | "CURSOR_INVALID"
  // may it happen
  | "FORBIDDEN"
  | "POLICY_FAILED"
  | "POLICY_INVALID"
  | "POLICY_FORBIDS"
  // approvals
  | "APPROVAL_PENDING"
  | "APPROVAL_DENIED"
  | "APPROVAL_EXPIRED"
  | "APPROVAL_STALE"
  | "APPROVAL_CANCELLED"
  | "APPROVAL_DECIDED"
  | "APPROVAL_CAP_REACHED"
  | "APPROVAL_SPENT"
  | "APPROVAL_UNSUPPORTED"
  | "APPROVERS_MISSING"
  | "DECISION_INVALID"
  | "DECISION_NOT_ALLOWED"
  | "CONFIRMATION_REQUIRED"
  | "CONFIRMATION_DECLINED"
  | "CONFIRMATION_INVALID"
  // state
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "VERSION_CONFLICT"
  | "IN_USE"
  | "REFERENCE_MISSING"
  | "CONFLICT"
  // Git, and what it declares
  | "REPOSITORY_URL_REFUSED"
  | "EGRESS_REFUSED"
  | "GIT_UNREACHABLE"
  | "GIT_AUTH_REQUIRED"
  | "GIT_NOT_A_REPOSITORY"
  | "GIT_REPOSITORY_EMPTY"
  | "GIT_BRANCH_MISSING"
  | "GIT_PATH_MISSING"
  | "GIT_HISTORY_REWRITTEN"
  | "GIT_TREE_REFUSED"
  | "GIT_TOO_LARGE"
  | "DESIRED_STATE_INVALID"
  | "OWNED_ELSEWHERE"
  | "SYNC_RUNNING"
  | "PROPOSAL_STALE"
  | "PROPOSAL_CLOSED"
  // stored credentials
  | "CREDENTIAL_EMPTY"
  | "CREDENTIAL_EXPIRED"
  | "CREDENTIAL_REPLACED"
  | "CREDENTIAL_SCOPE_REFUSED"
  // rotation of keys
  | "ROTATION_RUNNING"
  | "KEY_VERSION_IN_USE"
  // backups
  | "BACKUP_DAMAGED"
  | "BACKUP_KEY_WRONG"
  | "BACKUP_DISK_FULL"
  | "DATABASE_NOT_EMPTY"
  | "RESTORE_UNFINISHED"
  // joining
  | "INVITATION_INVALID"
  | "INVITATION_EXPIRED"
  | "CLAIM_EXPIRED"
  // idempotency
  | "IN_PROGRESS"
  | "IDEMPOTENCY_MISMATCH"
  | "AMBIGUOUS"
  // the hub itself
  | "TIMEOUT"
  | "CANCELLED"
  | "DRAINING"
  | "OVERLOADED"
  | "RATE_LIMITED"
  | "JOURNAL_FULL"
  | "JOURNAL_UNAVAILABLE"
  | "LANE_LOST"
  | "STORE_UNAVAILABLE"
  | "KEY_SERVICE_UNREACHABLE"
  | "KEY_SERVICE_SEALED"
  | "KEY_SERVICE_DENIED"
  | "KEY_NOT_FOUND"
  | "KEY_TYPE_MISMATCH"
  | "KEY_VERSION_TOO_OLD"
  | "CIPHERTEXT_INVALID"
  | "ENVELOPE_INVALID"
  | "PROOF_INVALID"
  | "CANONICAL_INVALID"
  | "CONFIG_INVALID"
  | "DATA_FOLDER_UNUSABLE"
  | "DATABASE_ROLE_UNSAFE"
  | "DATABASE_UNREACHABLE"
  | "MIGRATION_EDITED"
  | "MIGRATION_FAILED"
  | "DATABASE_NEWER"
  | "DATABASE_DIVERGED"
  | "HUB_UNREACHABLE"
  | "RUNBOOK_INVALID"
  | "RUNBOOK_STOPPED"
  | "INTERNAL";

export interface ErrorOptions {
  /** Where the bad value is, as a path into the input: `labels.team`, `modules[2].name`. */
  path?: string;
  /** Facts a program may use: expected and found versions, ids. Never a secret. */
  details?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

export class HubError extends Error {
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Where the refusal or failure is recorded; set by the gate, so that the caller can cite it. */
  receipt?: { readonly id: string; readonly callId: string; readonly salt: string };

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "HubError";
    this.code = code;
    this.path = options.path;
    this.details = options.details;
  }
}

/** Any thrown value as a HubError; what is not ours becomes INTERNAL and keeps its cause for the log alone. */
export function toHubError(error: unknown): HubError {
  if (error instanceof HubError) return error;
  return new HubError("INTERNAL", "The hub failed to carry out this call; its log has the cause.", { cause: error });
}
