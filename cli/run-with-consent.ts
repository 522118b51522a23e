import * as z from "zod";
import type { openRequest } from "../contracts/approval/request.ts";
import { requestDetail } from "../contracts/approval/request-view.ts";
import { HubError } from "../server/errors.ts";
import type { CliFolder } from "./cli-folder.ts";
import type { CliContext } from "./context.ts";
import { openOwnRequest, previewWords, settled, signDecision } from "./decide-request.ts";
import { EXIT } from "./exit-codes.ts";
import type { HubClient } from "./hub-client.ts";

const result = z.object({ output: z.record(z.string(), z.unknown()) });

/**
 * Calls an action; where one's own signature can be what it waits for (profile `solo`), shows the preview and offers
 * to sign at once. Resolves with the output, or undefined where it now waits for others (exit code 4).
 */
export async function runWithConsent(
  context: CliContext,
  hub: HubClient,
  action: string,
  input: unknown,
  options: { yes?: true },
): Promise<Record<string, unknown> | undefined> {
  const { terminal } = context;
  const answer = await hub.call(action, input);
  if (answer.status === "done") return answer.output;
  const { requestId, needs } = answer.approval;
  const detail = await hub.output(requestDetail, "system_approval_get_request", { requestId });
  const request = openOwnRequest(context.folder, requestId, detail);
  terminal.note(previewWords(terminal, request.preview));
  const sign = detail.profile === "solo" && (options.yes || (await terminal.confirm("Sign it?")));
  if (!sign) {
    context.exitCode = EXIT.pending;
    terminal.show(answer, () => `Waits for ${needs}: npx countersign approve ${requestId}`);
    return undefined;
  }
  return signAndWait(hub, context.folder, requestId, request);
}

/** The same without a person at the terminal: for scripts that hold the one signature a solo account needs. */
export async function callWithOwnSignature(
  hub: HubClient,
  folder: CliFolder,
  action: string,
  input: unknown,
): Promise<Record<string, unknown>> {
  const answer = await hub.call(action, input);
  if (answer.status === "done") return answer.output;
  const { requestId } = answer.approval;
  const detail = await hub.output(requestDetail, "system_approval_get_request", { requestId });
  return signAndWait(hub, folder, requestId, openOwnRequest(folder, requestId, detail));
}

async function signAndWait(
  hub: HubClient,
  folder: CliFolder,
  requestId: string,
  request: ReturnType<typeof openRequest>,
): Promise<Record<string, unknown>> {
  await signDecision(folder, hub, { id: requestId, request, decision: "approve" });
  const after = await settled(hub, requestId);
  if (after.state !== "executed")
    throw new HubError(
      "CONFLICT",
      `The request ended as ${after.state}${after.errorCode ? ` (${after.errorCode})` : ""}.`,
    );
  return result.parse(after.yours?.result).output;
}
