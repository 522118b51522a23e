/** What each error code means, and when a caller can meet it: the catalogue behind the reference. */
import type { ErrorCode } from "../../server/errors.ts";

/**
 * `call`: the doors and the gate may answer any call with it. `action`: only actions that declare it. `elsewhere`: starting
 * the hub, the command line, reading evidence; an action may declare some of these too.
 */
export type ErrorScope = "call" | "action" | "elsewhere";

export const ERROR_WORDS: Readonly<Record<ErrorCode, { readonly scope: ErrorScope; readonly means: string }>> = {
  UNAUTHENTICATED: { scope: "call", means: "No token, or none that this hub knows. One answer for all reasons." },
  TOKEN_EXPIRED: { scope: "call", means: "The token's time is over; have a new one issued." },
  TOKEN_REVOKED: { scope: "call", means: "The token was revoked; have a new one issued." },
  PRINCIPAL_BANNED: { scope: "call", means: "The principal is banned until an operator lifts the ban." },
  ORIGIN_REFUSED: { scope: "call", means: "The Host or Origin of the request is not one that this hub answers." },
  ACTION_UNKNOWN: { scope: "call", means: "There is no such action at this door." },
  METHOD_NOT_ALLOWED: { scope: "call", means: "The address exists and is not asked by this HTTP method." },
  MEDIA_TYPE_UNSUPPORTED: { scope: "call", means: "The body is not JSON, or is encoded in a way that is not read." },
  INPUT_INVALID: {
    scope: "call",
    means: "The arguments do not fit the input schema; `path` names the first bad field.",
  },
  INPUT_TOO_LARGE: { scope: "call", means: "The body or the number of values in it is over the limit." },
  OUTPUT_INVALID: {
    scope: "call",
    means: "The result did not fit the action's own schema: a fault of the hub. Nothing was changed.",
  },
  CURSOR_INVALID: { scope: "action", means: "The cursor is not one that this list gave; start again without it." },
  FORBIDDEN: {
    scope: "call",
    means: "The policies do not permit this call to this principal; the message says which decided.",
  },
  POLICY_FAILED: {
    scope: "call",
    means: "A policy could not be evaluated, so the call is refused; the message names the policy.",
  },
  POLICY_INVALID: {
    scope: "action",
    means: "The policy document cannot be put in force; `details` lists every problem with its place.",
  },
  POLICY_FORBIDS: { scope: "call", means: "A rule of the account's policy forbids this call, whoever agrees." },
  APPROVAL_PENDING: {
    scope: "call",
    means: "People have to agree first; the answer names the request. Nothing has happened yet.",
  },
  APPROVAL_DENIED: { scope: "action", means: "A person rejected the request: the call is not carried out." },
  APPROVAL_EXPIRED: {
    scope: "action",
    means: "Too few people agreed in time, or the approved call was not begun in time.",
  },
  APPROVAL_STALE: {
    scope: "call",
    means:
      "What was approved is not what would happen now (the target, the action, the policy or an approver changed). Ask again.",
  },
  APPROVAL_CANCELLED: { scope: "action", means: "The request was withdrawn." },
  APPROVAL_DECIDED: { scope: "action", means: "The request is decided already, or this person has decided on it." },
  APPROVAL_CAP_REACHED: {
    scope: "call",
    means: "Too many requests of this principal wait already; cancel some, or have them decided.",
  },
  APPROVAL_SPENT: {
    scope: "call",
    means: "The approval or confirmation was used before; each counts for one execution.",
  },
  APPROVAL_UNSUPPORTED: { scope: "call", means: "This call needs people's approval and cannot wait for it." },
  APPROVERS_MISSING: { scope: "call", means: "Too few people could ever agree; the message says how to invite more." },
  DECISION_INVALID: {
    scope: "action",
    means: "The signed decision does not hold: another key, another request, another text, or no reason given.",
  },
  DECISION_NOT_ALLOWED: { scope: "action", means: "This principal may not decide on this request." },
  CONFIRMATION_REQUIRED: {
    scope: "call",
    means: "The caller has to confirm; the answer says what. Nothing has happened yet.",
  },
  CONFIRMATION_DECLINED: { scope: "call", means: "The caller was asked and said no. Nothing was changed." },
  CONFIRMATION_INVALID: { scope: "call", means: "The confirmation was given for another call, or too long ago." },
  NOT_FOUND: {
    scope: "action",
    means: "There is no such thing in this account. Another account's ids get the same answer.",
  },
  ALREADY_EXISTS: { scope: "action", means: "Something of this name is there already." },
  VERSION_CONFLICT: {
    scope: "action",
    means:
      "Somebody changed it since you read it; `details.found` is the version in force. Read it again, then decide.",
  },
  IN_USE: { scope: "action", means: "Something else refers to it or would no longer fit; change that first." },
  REFERENCE_MISSING: { scope: "action", means: "It refers to something that does not exist; `path` names where." },
  CONFLICT: {
    scope: "call",
    means: "The state does not allow this, or another transaction was in the way; the message says which.",
  },
  REPOSITORY_URL_REFUSED: {
    scope: "action",
    means: "The hub does not fetch from such an address; the message says why.",
  },
  EGRESS_REFUSED: {
    scope: "action",
    means:
      "The address leads where the hub does not connect to: a private or reserved network that nobody allowed by name.",
  },
  GIT_UNREACHABLE: { scope: "action", means: "The Git server does not answer, or ended the connection." },
  GIT_AUTH_REQUIRED: {
    scope: "action",
    means: "The Git server wants a login, or does not show the repository without one.",
  },
  GIT_NOT_A_REPOSITORY: { scope: "action", means: "There is something at the address, and it is no Git repository." },
  GIT_REPOSITORY_EMPTY: { scope: "action", means: "The repository has no commit yet." },
  GIT_BRANCH_MISSING: { scope: "action", means: "The repository has no such branch; the message names those it has." },
  GIT_PATH_MISSING: { scope: "action", means: "The commit has no such file; the message names it." },
  GIT_HISTORY_REWRITTEN: {
    scope: "action",
    means:
      "The branch was rewritten: the commit synced last is not in its history any more. Somebody has to accept that.",
  },
  GIT_TREE_REFUSED: {
    scope: "action",
    means:
      "The commit holds something in the way that is not read: a symbolic link, a submodule, a path that leaves the tree.",
  },
  GIT_TOO_LARGE: { scope: "action", means: "The repository or a file in it is over a limit; the message names which." },
  DESIRED_STATE_INVALID: {
    scope: "action",
    means: "The files do not declare a fleet; `details.problems` has file, line, column and path of each fault.",
  },
  OWNED_ELSEWHERE: { scope: "action", means: "The object belongs to another repository; the message names both." },
  SYNC_RUNNING: { scope: "action", means: "The repository is being synced; `details.runId` is the run to look at." },
  PROPOSAL_STALE: {
    scope: "action",
    means:
      "The fleet moved since the proposal was made; the message says what, and the next sync proposes anew. Nothing was changed.",
  },
  PROPOSAL_CLOSED: { scope: "action", means: "The proposal was applied, rejected or superseded." },
  ROTATION_RUNNING: {
    scope: "action",
    means: "Keys are being rotated, or such work on them is under way; `details` names its operation.",
  },
  KEY_VERSION_IN_USE: {
    scope: "action",
    means: "Something is still under the key's older versions; `details` counts what.",
  },
  BACKUP_DAMAGED: { scope: "elsewhere", means: "The backup's bytes were changed, or its end is missing." },
  BACKUP_DISK_FULL: {
    scope: "elsewhere",
    means: "The disk that the backup was written to takes nothing more; what was written of it is gone.",
  },
  BACKUP_KEY_WRONG: { scope: "elsewhere", means: "The identity or passphrase does not open the backup." },
  DATABASE_NOT_EMPTY: { scope: "elsewhere", means: "A backup is restored into an empty database alone." },
  RESTORE_UNFINISHED: {
    scope: "elsewhere",
    means: "A restore into this database was broken off: it is run again, or the database is thrown away.",
  },
  CREDENTIAL_EMPTY: { scope: "action", means: "No person has given the credential its secret yet." },
  CREDENTIAL_EXPIRED: { scope: "action", means: "The credential's time is over; its expiry can be widened." },
  CREDENTIAL_REPLACED: {
    scope: "action",
    means: "What is kept of the credential is not what the journal has of it: the row was changed past the hub.",
  },
  CREDENTIAL_SCOPE_REFUSED: {
    scope: "action",
    means: "The credential may not be sent to this host, or not be used by this; `details` says which.",
  },
  INVITATION_INVALID: {
    scope: "action",
    means: "This is no invitation code of this hub's, or it was used or cancelled.",
  },
  INVITATION_EXPIRED: { scope: "action", means: "The invitation's time is over; have a new one made." },
  CLAIM_EXPIRED: { scope: "action", means: "The granted secret was not fetched in time; ask for it again." },
  IN_PROGRESS: { scope: "call", means: "The first call with this idempotency key is still running." },
  IDEMPOTENCY_MISMATCH: {
    scope: "call",
    means: "This idempotency key was used with other arguments; a new call needs a new key.",
  },
  AMBIGUOUS: {
    scope: "call",
    means:
      "The hub was cut off and cannot say whether the change took effect. Look at its target before you try again.",
  },
  TIMEOUT: { scope: "call", means: "The call took longer than its limit and was stopped. Nothing was changed." },
  CANCELLED: { scope: "call", means: "The caller went away. Nothing was changed." },
  DRAINING: { scope: "call", means: "The hub is stopping and takes no new calls." },
  OVERLOADED: { scope: "call", means: "Too many calls are under way; try again in a moment." },
  RATE_LIMITED: {
    scope: "call",
    means:
      "Too many calls of this principal, or too many wrong tokens from this address; `details.retryAfterSeconds` says when to call again.",
  },
  JOURNAL_FULL: {
    scope: "call",
    means: "Too many entries wait to be written; without a record nothing runs. Try again in a moment.",
  },
  JOURNAL_UNAVAILABLE: { scope: "call", means: "The journal cannot be written; without a record nothing runs." },
  LANE_LOST: {
    scope: "call",
    means: "Another process closed this one's part of the journal; the next call opens a new one.",
  },
  STORE_UNAVAILABLE: { scope: "call", means: "The database does not answer; try again in a moment." },
  KEY_SERVICE_UNREACHABLE: {
    scope: "call",
    means: "The keys cannot be used now; without them nothing is signed or opened.",
  },
  KEY_SERVICE_SEALED: {
    scope: "call",
    means: "The key service is sealed; nothing is signed or opened until somebody unseals it.",
  },
  KEY_SERVICE_DENIED: {
    scope: "call",
    means: "The key service does not let the hub in, or does not allow what it asked for; an operator has to.",
  },
  KEY_NOT_FOUND: { scope: "elsewhere", means: "There is no such key, or no such version of it." },
  KEY_TYPE_MISMATCH: { scope: "elsewhere", means: "The key is of a kind that cannot do this." },
  KEY_VERSION_TOO_OLD: { scope: "elsewhere", means: "This version of the key may no longer be used." },
  CIPHERTEXT_INVALID: { scope: "action", means: "What is to be opened was not made by this key, or was changed." },
  ENVELOPE_INVALID: {
    scope: "elsewhere",
    means: "A signed envelope or statement cannot be read, or its signature does not hold.",
  },
  PROOF_INVALID: { scope: "elsewhere", means: "A proof does not hold; the message says which step fails." },
  CANONICAL_INVALID: { scope: "elsewhere", means: "The value has no canonical JSON form." },
  CONFIG_INVALID: {
    scope: "elsewhere",
    means: "Variables, files or options do not fit; the message names all of them.",
  },
  DATA_FOLDER_UNUSABLE: {
    scope: "elsewhere",
    means: "A folder of the hub's cannot be written, or others could change it; the message says what mends it.",
  },
  DATABASE_ROLE_UNSAFE: {
    scope: "elsewhere",
    means: "The database login could get around the separation of accounts; the hub does not start with it.",
  },
  DATABASE_UNREACHABLE: { scope: "elsewhere", means: "The database cannot be reached to start with." },
  MIGRATION_EDITED: { scope: "elsewhere", means: "A migration that was applied has been changed since." },
  MIGRATION_FAILED: { scope: "elsewhere", means: "A migration failed; the message says which and why." },
  DATABASE_NEWER: { scope: "elsewhere", means: "The database was migrated by a newer version of the hub." },
  DATABASE_DIVERGED: { scope: "elsewhere", means: "The database and the migrations have different histories." },
  HUB_UNREACHABLE: { scope: "elsewhere", means: "The command line finds no hub at its address." },
  RUNBOOK_INVALID: {
    scope: "elsewhere",
    means: "The runbook cannot be run as it is written; the message has every fault with its line. Nothing was run.",
  },
  RUNBOOK_STOPPED: {
    scope: "elsewhere",
    means: "A step of the runbook ended otherwise than expected; the message says which, and how to go on.",
  },
  INTERNAL: { scope: "call", means: "A fault of the hub; its log has the cause." },
};
