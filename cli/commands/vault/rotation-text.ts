import type { RotationView } from "../../../contracts/vault/rotation.ts";
import { type Terminal, table } from "../../terminal.ts";
import { typed } from "../../typed.ts";
import { counted, onLine } from "../gitops/shown-text.ts";

/** A rotation as a person reads it, and what can be done next. */
export function rotationText(terminal: Terminal, view: RotationView): string {
  const { id, state, paused, error, progress, accounts, rotated, skipped, failed, remaining, payloads } = view;
  const colour = { completed: "green", failed: "red", cancelled: "yellow", working: "dim" } as const;
  const rows = [
    ["rotation", id],
    ["state", terminal.style(colour[state], paused ? "paused" : state)],
    ["", onLine(error ? `${error.code}: ${error.message}` : progress.sentence)],
    ["credentials", `${rotated} rotated, ${skipped} skipped, ${failed} failed, ${remaining} remaining`],
    ["payloads", `${payloads} rotated`],
    ["accounts", `${accounts.done} of ${accounts.total} done, ${accounts.failed} failed`],
    ...(view.ratePerSecond === null ? [] : [["rate", rateText(view)]]),
    ...finalizationRows(view),
    ...view.failures.map(({ accountId, kind, recordId, code }) => [
      "failed",
      onLine(`${code}: ${kind ? `${kind} ${recordId} of ` : ""}account ${accountId}`),
    ]),
  ];
  return [table(rows), ...nextSteps(view).map((command) => `\n${terminal.style("cyan", command)}`)].join("\n");
}

export const resumeCommand = ({ id }: Pick<RotationView, "id">): string => `npx countersign vault resume ${onLine(id)}`;

function rateText({ ratePerSecond, rateLimit, secondsLeft, state }: RotationView): string {
  const limit = rateLimit === null ? "" : ` of ${rateLimit} at most`;
  const left = secondsLeft === null || state !== "working" ? "" : `, about ${counted(secondsLeft, "second")} to go`;
  return `${counted(ratePerSecond ?? 0, "credential")} a second${limit}${left}`;
}

function finalizationRows({ finalization, finalizedAt }: RotationView): string[][] {
  if (finalizedAt !== null) return [["finalised", finalizedAt]];
  if (!finalization) return [];
  const { id, state, sentence, error, soakUntil } = finalization;
  const how = error ? `${error.code}: ${error.message}` : sentence;
  const stop = typed(["npx", "countersign", "call", "system_operations_cancel", JSON.stringify({ operationId: id })]);
  return [
    ["finalization", onLine(`${state}${soakUntil ? `, soaks until ${soakUntil}` : ""}. ${how}`)],
    ...(state === "working" ? [["to stop it", onLine(stop)]] : []),
  ];
}

function nextSteps({ id, state, paused, finalizedAt, finalization, failed }: RotationView): string[] {
  if (state === "working") return paused ? [resumeCommand({ id })] : [];
  if (state !== "completed") return ["npx countersign vault rotate"];
  if (finalizedAt !== null) return [`npx countersign vault trim ${onLine(id)}`];
  if (finalization?.state === "working") return [`npx countersign vault status ${onLine(id)}`];
  return failed > 0 ? ["npx countersign vault verify"] : [`npx countersign vault finalize ${onLine(id)}`];
}
