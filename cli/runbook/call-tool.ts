import * as z from "zod";
import { requestDetail } from "../../contracts/approval/request-view.ts";
import { HubError } from "../../server/errors.ts";
import type { HubClient } from "../hub-client.ts";

/** How a call ended, whoever had to agree to it. */
export interface CallEnded {
  readonly status: "ended";
  /** OK, or the code that it was refused or failed with. */
  readonly code: string;
  readonly words: string;
  readonly output?: unknown;
  readonly receiptId?: string | undefined;
  readonly requestId?: string;
}

export interface CallWaits {
  readonly status: "waiting";
  readonly requestId: string;
  readonly needs: string;
  readonly headline: string;
  readonly receiptId: string;
}

const kept = z.object({ output: z.unknown(), summary: z.string(), receipt: z.object({ id: z.string() }) });

/** One call; what the hub refuses is an ending like another. Throws HUB_UNREACHABLE and OUTPUT_INVALID. */
export async function callTool(
  hub: HubClient,
  action: string,
  input: unknown,
  key?: string,
): Promise<CallEnded | CallWaits> {
  try {
    const answer = await hub.call(action, input, key);
    if (answer.status === "done") {
      const { output, summary, receipt } = answer;
      return { status: "ended", code: "OK", words: summary, output, receiptId: receipt.id };
    }
    const { requestId, needs, headline } = answer.approval;
    return { status: "waiting", requestId, needs, headline, receiptId: answer.receipt.id };
  } catch (error) {
    if (!(error instanceof HubError) || error.code === "HUB_UNREACHABLE" || error.code === "OUTPUT_INVALID")
      throw error;
    return { status: "ended", code: error.code, words: error.message, receiptId: error.receipt?.id };
  }
}

/** How the call that a request stands for ended; undefined while people or the hub are at it. Asked as who requested it. */
export async function endOfRequest(hub: HubClient, requestId: string): Promise<CallEnded | undefined> {
  const detail = await hub.output(requestDetail, "system_approval_get_request", { requestId });
  const { state, errorCode, executionCallId, yours } = detail;
  if (["open", "approved", "executing"].includes(state)) return undefined;
  const outcome = executionCallId === undefined ? undefined : `${executionCallId}.outcome`;
  if (state !== "executed") {
    const words = yours?.message ?? `The request ended as ${state}.`;
    return { status: "ended", code: errorCode ?? "CONFLICT", words, receiptId: outcome, requestId };
  }
  const { success, data } = kept.safeParse(yours?.result);
  return success
    ? { status: "ended", code: "OK", words: data.summary, output: data.output, receiptId: data.receipt.id, requestId }
    : {
        status: "ended",
        code: "OK",
        words: "Executed; its answer is not kept any more.",
        receiptId: outcome,
        requestId,
      };
}
