import type { RequestState } from "../../../contracts/approval/request-view.ts";
import { HubError } from "../../errors.ts";

interface Timed {
  readonly state: RequestState;
  readonly approvalExpiresAt: Date;
  readonly executionExpiresAt: Date;
}

/** The state as it counts at `now`: silence is no, even before the expiry job has written it down. */
export function stateAt(request: Timed, now: Date): RequestState {
  const overdue =
    (request.state === "open" && request.approvalExpiresAt <= now) ||
    (request.state === "approved" && request.executionExpiresAt <= now);
  return overdue ? "expired" : request.state;
}

/** When a request is due to expire; undefined where it cannot any more. */
export function dueAt(request: Timed): Date | undefined {
  if (request.state === "open") return request.approvalExpiresAt;
  if (request.state === "approved") return request.executionExpiresAt;
  return undefined;
}

/** Why a request takes no decision any more. */
export function closedForDecision(state: Exclude<RequestState, "open">): HubError {
  switch (state) {
    case "expired":
      return new HubError(
        "APPROVAL_EXPIRED",
        "Nobody decided in time: this request has expired. The call can be asked for again.",
      );
    case "cancelled":
      return new HubError("APPROVAL_CANCELLED", "This request was cancelled; there is nothing left to decide.");
    case "stale":
      return new HubError(
        "APPROVAL_STALE",
        "What this request was about has changed since; there is nothing left to decide.",
      );
    case "denied":
      return new HubError("APPROVAL_DECIDED", "This request was decided already: it was rejected.");
    default:
      return new HubError("APPROVAL_DECIDED", `This request was decided already: it was approved and is now ${state}.`);
  }
}

/** Why a request cannot be cancelled any more. */
export function closedForCancel(state: Exclude<RequestState, "open" | "approved">): HubError {
  switch (state) {
    case "cancelled":
      return new HubError("APPROVAL_CANCELLED", "This request was cancelled before.");
    case "expired":
      return new HubError("APPROVAL_EXPIRED", "This request has expired by itself; there is nothing to cancel.");
    case "denied":
      return new HubError("APPROVAL_DENIED", "This request was rejected; there is nothing to cancel.");
    case "stale":
      return new HubError(
        "APPROVAL_STALE",
        "This request ended by itself when its target changed; there is nothing to cancel.",
      );
    default:
      return new HubError("APPROVAL_SPENT", `It is too late to cancel: the approved call is ${inWords(state)}.`);
  }
}

function inWords(state: "executing" | "executed" | "failed" | "ambiguous"): string {
  return {
    executing: "being executed",
    executed: "executed",
    failed: "executed and failed",
    ambiguous: "cut off while executing",
  }[state];
}
