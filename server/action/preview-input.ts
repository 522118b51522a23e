import type { Json } from "../../contracts/formats/canonical-json.ts";
import type { Preview } from "../domain/approvals/preview.ts";
import type { CallInProgress } from "./call.ts";
import type { Gate } from "./gate.ts";
import type { JudgedCall } from "./judge.ts";

/** What people are shown before they agree: the action's own preview, or its input field by field. */
export async function previewOf(gate: Gate, call: CallInProgress, judged: JudgedCall): Promise<Preview> {
  const { entry, caller, channel, signal, input } = judged;
  const { preview } = entry.action;
  if (!preview) {
    const changes = Object.entries(input.value).map(([field, value]) => ({ field, after: shown(value) }));
    return { headline: `${caller.principal.name} asks: ${entry.action.title}`, changes };
  }
  const context = { id: call.id, caller, channel, signal, now: call.now };
  return gate.store.read(
    caller.account.id,
    (read) => preview(input.value, { call: context, read, services: gate.services }),
    signal,
  );
}

const shown = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));
