import type { CallToolResult, ResourceLink } from "@modelcontextprotocol/server";
import type { Done, Pending, ReceiptReference } from "../../action/action-request.ts";
import type { HubError } from "../../errors.ts";
import { factsOf } from "./errors.ts";
import { linkTo } from "./hub-resources.ts";

/** Where programs find a call's evidence, its error, and what it waits for. */
const RECEIPT = "countersign/receipt";
const ERROR = "countersign/error";
const APPROVAL = "countersign/approval";

/** Links in one result: a chat shows each. */
const MOST_LINKS = 10;

/** Fits the tool's output schema; the text is for who reads the chat, and the paths lead on from it. */
export function doneResult(
  { output, summary, receipt, replayed }: Done,
  paths: readonly string[] = [],
): CallToolResult {
  return {
    structuredContent: output,
    content: [{ type: "text", text: summary }, ...linksTo(paths)],
    _meta: { ...receiptMeta(receipt), ...(replayed && { "countersign/replayed": true }) },
  };
}

/** The output once more as a text, for clients that show their model nothing else. */
export function withOutputInText(result: CallToolResult): CallToolResult {
  if (result.structuredContent === undefined) return result;
  return { ...result, content: [...result.content, { type: "text", text: JSON.stringify(result.structuredContent) }] };
}

/**
 * Refused, failed, or not allowed yet: an error to the caller, never a success that says otherwise. There is no
 * `structuredContent`: the output schema speaks of successes, and clients of the 2025 revisions hold errors to it too.
 * A model reads the text, so that the code, the path and the details stand there; programs read `_meta`.
 */
export function errorResult(error: HubError): CallToolResult {
  const { code, message, path, details } = factsOf(error);
  const where = path ? ` (at ${path})` : "";
  const more = details ? `\n${JSON.stringify(details)}` : "";
  return {
    isError: true,
    content: [
      { type: "text", text: `${code}: ${message}${where}${more}` },
      ...linksTo(error.receipt ? [`receipts/${error.receipt.id}`] : []),
    ],
    _meta: { [ERROR]: factsOf(error), ...(error.receipt && receiptMeta(error.receipt)) },
  };
}

/** Nothing has happened, so it is no success; nobody refused, so the text says what comes next. */
export function pendingResult({ approval, receipt }: Pending): CallToolResult {
  const { requestId, action, needs, headline, approvalExpiresAt, merged } = approval;
  const expires = approvalExpiresAt.toISOString();
  const message = `${action} waits for ${needs}. Nothing has been done yet.`;
  const text = [
    `APPROVAL_PENDING: ${message}`,
    `Asked for: ${headline}`,
    `Approval request ${requestId}${merged ? " (the same call was waiting already)" : ""}, open until ${expires}.`,
    `To agree, a person runs: npx countersign approve ${requestId}`,
    "The hub then carries it out once, by itself: do not call again. " +
      "To learn how it ended, ask system_approval_get_request for this id, or wait for it: " +
      `system_operations_get ${JSON.stringify({ operationId: requestId, waitSeconds: 25 })}`,
  ].join("\n");
  return {
    isError: true,
    content: [{ type: "text", text }, ...linksTo([`approvals/${requestId}`])],
    _meta: {
      [ERROR]: { code: "APPROVAL_PENDING", message, details: { requestId } },
      [APPROVAL]: { requestId, operationId: requestId, action, needs, headline, approvalExpiresAt: expires, merged },
      ...receiptMeta(receipt),
    },
  };
}

/** Without links, which clients of revisions before 2025-06-18 do not know. */
export function withoutLinks(result: CallToolResult): CallToolResult {
  return { ...result, content: result.content.filter(({ type }) => type !== "resource_link") };
}

function linksTo(paths: readonly string[]): ResourceLink[] {
  return [...new Set(paths)].slice(0, MOST_LINKS).flatMap((path) => linkTo(path) ?? []);
}

export function receiptMeta({ id, callId, salt }: ReceiptReference): Record<string, unknown> {
  return { [RECEIPT]: { id, callId, salt } };
}
