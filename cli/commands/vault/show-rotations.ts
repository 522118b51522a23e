import type { RotationSummary } from "../../../contracts/vault/rotation.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { table } from "../../terminal.ts";
import { onLine } from "../gitops/shown-text.ts";
import { readDueAccounts, readRotation, readRotations } from "./read-vault.ts";
import { rotationText } from "./rotation-text.ts";

/** What soaks says until when: from then on old versions stop decrypting. */
function rotationRow({ id, state, paused, createdAt, progress, error, ...rest }: RotationSummary): string[] {
  const { finalization, finalizedAt } = rest;
  const unfinished = finalizedAt === null ? finalization : null;
  const fault = error ?? unfinished?.error;
  const soaks = unfinished?.state === "working" && unfinished.soakUntil !== null;
  return [
    ...[id, paused ? "paused" : state, createdAt],
    finalizedAt ?? (soaks ? `soaks until ${unfinished.soakUntil}` : (unfinished?.state ?? "-")),
    onLine(fault ? `${fault.code}: ${fault.message}` : progress.sentence),
  ];
}

/** Rotations and the accounts that need one; or one rotation, whole. */
export async function showRotations(
  context: CliContext,
  rotationId: string | undefined,
  olderThanDays: number,
): Promise<void> {
  const { terminal } = context;
  const hub = connectedHub(context);
  if (rotationId !== undefined) {
    const rotation = await readRotation(hub, rotationId);
    terminal.show(rotation, () => rotationText(terminal, rotation));
    return;
  }
  const { items: rotations } = await readRotations(hub);
  const { items: due, next } = await readDueAccounts(hub, olderThanDays);
  terminal.show({ rotations, due }, () =>
    [
      rotations.length === 0
        ? "No rotation yet."
        : table([["rotation", "state", "begun", "finalised", ""], ...rotations.map(rotationRow)]),
      due.length === 0
        ? `No account's key is older than ${olderThanDays} days, and nothing is below one.`
        : table([
            ["account", "version", "rotated", "credentials", "below"],
            ...due.map(({ accountId, version, rotatedAt, credentials, below }) => [
              ...[accountId, String(version), rotatedAt ?? "never", String(credentials), String(below)],
            ]),
            ...(next === undefined ? [] : [["and more"]]),
          ]),
      ...(due.length > 0 ? [terminal.style("cyan", "npx countersign vault rotate")] : []),
    ].join("\n\n"),
  );
}
