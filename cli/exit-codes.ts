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

export const EXIT_WORDS = `Exit codes:
  0  done
  1  failed
  2  the command or its input is wrong
  3  refused: not permitted, denied, banned, expired
  4  waits for approval
  5  the hub does not answer
  6  verification found something that does not hold`;

const REFUSED = new Set<ErrorCode>([
  "UNAUTHENTICATED",
  "TOKEN_EXPIRED",
  "TOKEN_REVOKED",
  "PRINCIPAL_BANNED",
  "FORBIDDEN",
  "POLICY_FAILED",
  "POLICY_FORBIDS",
  "APPROVAL_DENIED",
  "APPROVAL_EXPIRED",
  "APPROVAL_STALE",
  "APPROVAL_CANCELLED",
  "APPROVAL_DECIDED",
  "APPROVAL_CAP_REACHED",
  "APPROVERS_MISSING",
  "DECISION_INVALID",
  "DECISION_NOT_ALLOWED",
]);
const USAGE = new Set<ErrorCode>([
  "INPUT_INVALID",
  "INPUT_TOO_LARGE",
  "ACTION_UNKNOWN",
  "CURSOR_INVALID",
  "CONFIG_INVALID",
  "POLICY_INVALID",
]);

export function exitCodeOf(code: ErrorCode): number {
  if (REFUSED.has(code)) return EXIT.refused;
  if (USAGE.has(code)) return EXIT.usage;
  if (code === "HUB_UNREACHABLE") return EXIT.unreachable;
  if (code === "APPROVAL_PENDING") return EXIT.pending;
  return EXIT.failed;
}
