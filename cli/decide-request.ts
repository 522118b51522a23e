import { buildDecision, type DecisionWord } from "../contracts/approval/decision.ts";
import type { ShownPreview } from "../contracts/approval/preview.ts";
import { openRequest } from "../contracts/approval/request.ts";
import { decisionTaken, requestDetail } from "../contracts/approval/request-view.ts";
import { signEnvelope } from "../contracts/formats/dsse.ts";
import { HubError } from "../server/errors.ts";
import type { CliFolder } from "./cli-folder.ts";
import { type CliContext, connectedHub } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import type { HubClient } from "./hub-client.ts";
import { printable, type Terminal } from "./terminal.ts";
import { whoami } from "./whoami.ts";

/**
 * Shows the preview that the request is bound to, asks, and signs here, with the person's own key. The statement and
 * the preview are checked against each other first: what is signed is what was shown, whatever the hub says.
 */
export async function decideRequest(
  context: CliContext,
  id: string,
  decision: DecisionWord,
  options: { yes?: true; reason?: string },
): Promise<void> {
  const { terminal } = context;
  const hub = connectedHub(context);
  const detail = await hub.output(requestDetail, "system_approval_get_request", { requestId: id });
  const request = openOwnRequest(context.folder, id, detail);
  const { action, requester, approvalExpiresAt } = request.predicate;
  terminal.note(previewWords(terminal, request.preview));
  terminal.note(
    `\naction ${action}, asked by ${requester.kind} ${printable(detail.requester.name)}, needs ${detail.needs}, until ${approvalExpiresAt}\n`,
  );
  if (!options.yes && !(await terminal.confirm(decision === "approve" ? "Sign your approval?" : "Sign your veto?")))
    throw new HubError("CONFIRMATION_DECLINED", "Nothing was signed. (Where nobody can be asked, --yes signs.)");
  const taken = await signDecision(context.folder, hub, {
    id,
    request,
    decision,
    ...(options.reason !== undefined && { reason: options.reason }),
  });
  const after = taken.state === "approved" ? await settled(hub, id) : undefined;
  // the decision was taken; whoever waits for the change learns here that there will be none
  if (after && !["approved", "executing", "executed"].includes(after.state)) context.exitCode = EXIT.failed;
  terminal.show(after ?? taken, () =>
    after
      ? outcomeWords(after)
      : `Signed: ${taken.decision}. ${taken.approvals} of ${taken.needed} approvals; the request is ${taken.state}.`,
  );
}

/** The request, its parts checked against each other and against the account that this folder belongs to. */
export function openOwnRequest(folder: CliFolder, id: string, shown: { statement: string; preview: string }) {
  const request = openRequest(id, shown);
  const own = folder.hub()?.accountId;
  if (own !== undefined && request.predicate.account !== own)
    throw new HubError("ENVELOPE_INVALID", "This request is another account's: nothing was signed.", {
      path: "statement",
    });
  return request;
}

interface Signed {
  readonly id: string;
  readonly request: ReturnType<typeof openRequest>;
  readonly decision: DecisionWord;
  readonly reason?: string;
}

/** Signs and sends one decision. */
export async function signDecision(folder: CliFolder, hub: HubClient, { id, request, decision, reason }: Signed) {
  const key = folder.signingKey();
  if (!key)
    throw new HubError(
      "CONFIG_INVALID",
      `There is no signing key in ${folder.path}. Decisions are signed by people who joined with a key of their own.`,
    );
  const { principal } = await whoami(hub);
  if (!principal.person)
    throw new HubError("DECISION_NOT_ALLOWED", `${principal.name} is no person's operator: only people decide.`);
  const payload = buildDecision(id, {
    decision,
    ...(reason !== undefined && { reason }),
    personId: principal.person.id,
    decidedAt: new Date().toISOString(),
    previewDigest: request.predicate.previewDigest,
    requestDigest: request.digest,
  });
  const envelope = signEnvelope(payload, key);
  return hub.output(decisionTaken, "system_approval_decide_request", {
    requestId: id,
    decision,
    envelope,
    ...(reason !== undefined && { reason }),
  });
}

/** The hub executes right after the last approval: a few looks tell how it ended. */
export async function settled(hub: HubClient, id: string) {
  for (let wait = 50; ; wait *= 2) {
    const detail = await hub.output(requestDetail, "system_approval_get_request", { requestId: id });
    if (!["approved", "executing"].includes(detail.state) || wait > 3_000) return detail;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function outcomeWords(detail: Awaited<ReturnType<typeof settled>>): string {
  if (detail.state === "executed")
    return `Signed and executed. Receipts: ${detail.executionCallId}.intent and .outcome`;
  if (detail.errorCode) return `Signed, but the call ended as ${detail.state} (${detail.errorCode}).`;
  return `Signed. The request is ${detail.state}.`;
}

export function previewWords(terminal: Terminal, { headline, changes }: ShownPreview): string {
  const lines = changes.flatMap(({ field, before, after }) => [
    `  ${printable(field)}`,
    ...(before === undefined ? [] : [terminal.style("red", `    - ${printable(before)}`)]),
    ...(after === undefined ? [] : [terminal.style("green", `    + ${printable(after)}`)]),
  ]);
  return [terminal.style("bold", printable(headline)), ...lines].join("\n");
}
