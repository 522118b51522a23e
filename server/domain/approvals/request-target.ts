import type { ApprovalReader } from "./approval-store.ts";

/** What a call about a request is about. An unknown id answers too: that there is none is told after authorisation. */
export async function requestTarget(approvals: ApprovalReader, requestId: string) {
  const request = await approvals.find(requestId);
  const type = "ApprovalRequest" as const;
  return { type, id: requestId, ...(request && { attributes: { principalId: request.requester.id } }) };
}
