import { v7 } from "uuid";
import { escapePreview } from "../domain/approvals/escape-preview.ts";
import { HubError } from "../errors.ts";
import type { ActionRequest, ConfirmationAsked, ConfirmationState } from "./action-request.ts";
import type { CallInProgress } from "./call.ts";
import type { Gate } from "./gate.ts";
import type { Spend } from "./journal.ts";
import type { JudgedCall, Judgement } from "./judge.ts";
import { previewOf } from "./preview-input.ts";

const VALID_MS = 5 * 60_000;

/** The question that the caller itself has to answer, bound to this call alone. */
export async function askToConfirm(
  gate: Gate,
  call: CallInProgress,
  judged: JudgedCall,
  judgement: Judgement,
): Promise<ConfirmationAsked> {
  const { headline, changes } = escapePreview(await previewOf(gate, call, judged)).shown;
  const lines = changes.map((c) => `- ${c.field}: ${c.before ?? "(none)"} -> ${c.after ?? "(none)"}`);
  const rules = judgement.demand.rules.length ? [`Asked for by: ${judgement.demand.rules.join(", ")}`] : [];
  return {
    status: "confirm",
    message: [headline, ...lines, ...rules].join("\n"),
    state: await bind(gate, judged, v7(), new Date(call.now.getTime() + VALID_MS)),
  };
}

/** What the intent then spends. Throws CONFIRMATION_DECLINED, CONFIRMATION_INVALID. */
export async function checkConfirmation(
  gate: Gate,
  call: CallInProgress,
  judged: JudgedCall,
  { state, accepted }: NonNullable<ActionRequest["confirmation"]>,
): Promise<Spend> {
  if (!accepted)
    throw new HubError("CONFIRMATION_DECLINED", "The caller was asked to confirm and declined; nothing was changed.");
  const expected = await bind(gate, judged, state.id, new Date(state.expiresAt));
  const moved = (Object.keys(expected) as (keyof ConfirmationState)[]).filter((key) => expected[key] !== state[key]);
  if (moved.length)
    throw new HubError(
      "CONFIRMATION_INVALID",
      `This confirmation was given for another call (${moved.join(", ")} differ).`,
    );
  if (Date.parse(state.expiresAt) <= call.now.getTime())
    throw new HubError("CONFIRMATION_INVALID", "This confirmation has expired; call again to be asked anew.");
  return { kind: "confirmation", id: state.id };
}

async function bind(gate: Gate, judged: JudgedCall, id: string, expiresAt: Date): Promise<ConfirmationState> {
  const { caller, entry, input } = judged;
  const mac = await gate.inputMac(caller.account.id, entry.action.name, input.canonical);
  return {
    id,
    hub: gate.hubAccountId,
    principal: caller.principal.id,
    action: entry.action.name,
    schemaDigest: entry.schemaDigest,
    inputMac: mac.toString("hex"),
    expiresAt: expiresAt.toISOString(),
  };
}
