import type { ErrorCode } from "../server/errors.ts";

/** Documented in `countersign --help`: scripts may rely on them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  pending: 4,
  unreachable: 5,
  unverified: 6,
} as const;

type Ending = Exclude<keyof typeof EXIT, "ok">;

export const EXIT_WORDS = `Exit codes:
  0  done
  1  failed, or cannot be done in this state
  2  the command, its input or the configuration is wrong
  3  refused: not permitted, denied, banned, expired
  4  waits for approval
  5  the hub does not answer, or not now
  6  verification found something that does not hold`;

/** Every code, so that a new one has to be given its place here. */
export const ENDINGS: Readonly<Record<ErrorCode, Ending>> = {
  UNAUTHENTICATED: "refused",
  TOKEN_EXPIRED: "refused",
  TOKEN_REVOKED: "refused",
  PRINCIPAL_BANNED: "refused",
  ORIGIN_REFUSED: "refused",
  ACTION_UNKNOWN: "usage",
  METHOD_NOT_ALLOWED: "failed",
  MEDIA_TYPE_UNSUPPORTED: "failed",
  INPUT_INVALID: "usage",
  INPUT_TOO_LARGE: "usage",
  OUTPUT_INVALID: "failed",
  CURSOR_INVALID: "usage",
  FORBIDDEN: "refused",
  POLICY_FAILED: "refused",
  POLICY_INVALID: "usage",
  POLICY_FORBIDS: "refused",
  APPROVAL_PENDING: "pending",
  APPROVAL_DENIED: "refused",
  APPROVAL_EXPIRED: "refused",
  APPROVAL_STALE: "refused",
  APPROVAL_CANCELLED: "refused",
  APPROVAL_DECIDED: "refused",
  APPROVAL_CAP_REACHED: "refused",
  APPROVAL_SPENT: "refused",
  APPROVAL_UNSUPPORTED: "refused",
  APPROVERS_MISSING: "refused",
  DECISION_INVALID: "refused",
  DECISION_NOT_ALLOWED: "refused",
  CONFIRMATION_REQUIRED: "refused",
  CONFIRMATION_DECLINED: "refused",
  CONFIRMATION_INVALID: "refused",
  NOT_FOUND: "failed",
  ALREADY_EXISTS: "failed",
  VERSION_CONFLICT: "failed",
  IN_USE: "failed",
  REFERENCE_MISSING: "failed",
  CONFLICT: "failed",
  REPOSITORY_URL_REFUSED: "usage",
  EGRESS_REFUSED: "refused",
  GIT_UNREACHABLE: "failed",
  GIT_AUTH_REQUIRED: "failed",
  GIT_NOT_A_REPOSITORY: "failed",
  GIT_REPOSITORY_EMPTY: "failed",
  GIT_BRANCH_MISSING: "failed",
  GIT_PATH_MISSING: "failed",
  GIT_HISTORY_REWRITTEN: "failed",
  GIT_TREE_REFUSED: "failed",
  GIT_TOO_LARGE: "failed",
  DESIRED_STATE_INVALID: "failed",
  OWNED_ELSEWHERE: "failed",
  SYNC_RUNNING: "failed",
  PROPOSAL_STALE: "failed",
  PROPOSAL_CLOSED: "failed",
  INVITATION_INVALID: "refused",
  INVITATION_EXPIRED: "refused",
  CLAIM_EXPIRED: "refused",
  IN_PROGRESS: "failed",
  IDEMPOTENCY_MISMATCH: "usage",
  AMBIGUOUS: "failed",
  TIMEOUT: "failed",
  CANCELLED: "failed",
  DRAINING: "unreachable",
  OVERLOADED: "unreachable",
  RATE_LIMITED: "unreachable",
  JOURNAL_FULL: "failed",
  JOURNAL_UNAVAILABLE: "failed",
  LANE_LOST: "failed",
  STORE_UNAVAILABLE: "failed",
  KEY_SERVICE_UNREACHABLE: "failed",
  KEY_SERVICE_SEALED: "failed",
  KEY_SERVICE_DENIED: "failed",
  KEY_NOT_FOUND: "failed",
  KEY_TYPE_MISMATCH: "failed",
  KEY_VERSION_TOO_OLD: "failed",
  CIPHERTEXT_INVALID: "failed",
  ENVELOPE_INVALID: "unverified",
  PROOF_INVALID: "unverified",
  CANONICAL_INVALID: "usage",
  CONFIG_INVALID: "usage",
  DATA_FOLDER_UNUSABLE: "usage",
  DATABASE_ROLE_UNSAFE: "usage",
  DATABASE_UNREACHABLE: "failed",
  MIGRATION_EDITED: "failed",
  MIGRATION_FAILED: "failed",
  DATABASE_NEWER: "failed",
  DATABASE_DIVERGED: "failed",
  HUB_UNREACHABLE: "unreachable",
  INTERNAL: "failed",
};

/** A hub that is newer than this command line may answer with codes that this one does not know. */
export const exitCodeOf = (code: string): number => EXIT[(ENDINGS as Record<string, Ending>)[code] ?? "failed"];
