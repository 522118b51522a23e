import { buildDecision, type DecisionWord } from "../contracts/approval/decision.ts";
import type { ShownPreview } from "../contracts/approval/preview.ts";
import { openRequest } from "../contracts/approval/request.ts";
import { decisionTaken, requestDetail } from "../contracts/approval/request-view.ts";
import { envelopeOf, IN_TOTO_PAYLOAD_TYPE, pae } from "../contracts/formats/dsse.ts";
import { HubError } from "../server/errors.ts";
import type { CliFolder } from "./cli-folder.ts";
import { type CliContext, connectedHub } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import type { HubClient } from "./hub-client.ts";
import { nextStep } from "./next-step.ts";
import { chooseOpenPgpKey, folderSigner, gpgSigner, liveKeys, type Signer } from "./signing/signer.ts";
import { readSigned, writeStatement } from "./signing/statement-file.ts";
import { printable, type Terminal } from "./terminal.ts";
import { whoami } from "./whoami.ts";

export interface DecideOptions {
  readonly yes?: true;
  readonly reason?: string;
  /** Signs with the user's gpg: its one key that the hub knows, or this one. */
  readonly gpg?: true | string;
  /** Signs nothing: writes the bytes to sign to this file. */
  readonly printStatement?: string;
  /** Sends a signature that was made elsewhere over those bytes. */
  readonly signature?: string;
  /** Where these are. */
  readonly statement?: string;
}

/**
 * Shows the preview that the request is bound to, asks, and signs here, with a key of the person's own. The statement
 * and the preview are checked against each other first: what is signed is what was shown, whatever the hub says.
 */
export async function decideRequest(
  context: CliContext,
  id: string,
  decision: DecisionWord,
  options: DecideOptions,
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
  const { reason, printStatement, signature, gpg } = options;
  const meant = { id, request, decision, ...(reason !== undefined && { reason }) };
  if (printStatement !== undefined) {
    writeStatement(printStatement, decisionPayload(meant, await personOf(hub)));
    const next = [
      `gpg --detach-sign ${printStatement}`,
      `npx countersign ${decision} ${id} --signature ${printStatement}.sig`,
    ];
    return terminal.show({ file: printStatement, next }, () => `Nothing was signed. Next:\n\n  ${next.join("\n  ")}`);
  }
  // who signed elsewhere has been asked
  const isSigned = signature !== undefined;
  const question = decision === "approve" ? "Sign your approval?" : "Sign your veto?";
  if (!isSigned && !options.yes && !(await terminal.confirm(question)))
    throw new HubError("CONFIRMATION_DECLINED", "Nothing was signed. (Where nobody can be asked, --yes signs.)");
  const wanted = gpg === true ? undefined : gpg;
  const ownKey = async () => chooseOpenPgpKey(await liveKeys(hub, await personOf(hub)), wanted);
  const taken = isSigned
    ? await sendSigned(hub, meant, await ownKey(), await readSigned(signature, options.statement))
    : await signDecision(context.folder, hub, meant, gpg === undefined ? undefined : gpgSigner(await ownKey()));
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

interface Meant {
  readonly id: string;
  readonly request: ReturnType<typeof openRequest>;
  readonly decision: DecisionWord;
  readonly reason?: string;
}

/** Signs and sends one decision; with the config folder's key, where no other is given. */
export async function signDecision(
  folder: CliFolder,
  hub: HubClient,
  meant: Meant,
  signer: Signer | undefined = folderSigner(folder),
) {
  if (!signer)
    throw new HubError(
      "CONFIG_INVALID",
      `There is no signing key in ${folder.path}. Decisions are signed by people who joined with a key of their own, or with an OpenPGP key: --gpg`,
    );
  const payload = decisionPayload(meant, await personOf(hub));
  const signature = await signer.sign(pae(IN_TOTO_PAYLOAD_TYPE, payload));
  return sendSigned(hub, meant, signer.keyId, { payload, signature });
}

async function personOf(hub: HubClient): Promise<string> {
  const { principal } = await whoami(hub);
  if (principal.person) return principal.person.id;
  throw new HubError("DECISION_NOT_ALLOWED", `${principal.name} is no person's operator: only people decide.`);
}

function decisionPayload({ id, request, decision, reason }: Meant, personId: string): Buffer {
  return buildDecision(id, {
    decision,
    ...(reason !== undefined && { reason }),
    personId,
    decidedAt: new Date().toISOString(),
    previewDigest: request.predicate.previewDigest,
    requestDigest: request.digest,
  });
}

function sendSigned(
  hub: HubClient,
  { id, decision, reason }: Meant,
  keyId: string,
  { payload, signature }: { payload: Buffer; signature: Buffer },
) {
  return hub.output(decisionTaken, "system_approval_decide_request", {
    requestId: id,
    decision,
    envelope: envelopeOf(payload, signature, keyId),
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
  if (detail.state === "executed") {
    const next = nextStep(detail.action, detail.target.id);
    return [
      `Signed and executed. Receipts: ${detail.executionCallId}.intent and .outcome`,
      ...(next === undefined ? [] : [next]),
    ].join("\n\n");
  }
  if (detail.errorCode === "APPROVAL_STALE")
    return "Signed, but what the call was about had changed since it was asked for (APPROVAL_STALE): nothing was done. Have it asked for again.";
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
