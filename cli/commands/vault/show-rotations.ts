import { type CliContext, connectedHub } from "../../context.ts";
import { table } from "../../terminal.ts";
import { onLine } from "../gitops/shown-text.ts";
import { readDueAccounts, readRotation, readRotations } from "./read-vault.ts";
import { rotationText } from "./rotation-text.ts";

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
        : table([
            ["rotation", "state", "begun", "finalised", ""],
            ...rotations.map(({ id, state, paused, createdAt, finalizedAt, progress, error }) => [
              ...[id, paused ? "paused" : state, createdAt, finalizedAt ?? "-"],
              onLine(error ? `${error.code}: ${error.message}` : progress.sentence),
            ]),
          ]),
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
