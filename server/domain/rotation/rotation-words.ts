import { counted } from "../../../contracts/vault/counted.ts";
import type { KeysInUse, RotationView } from "../../../contracts/vault/rotation.ts";
import { checkInWords, type VerificationView } from "../../../contracts/vault/verification.ts";
import { escapePlaces as shown } from "../approvals/escape-preview.ts";
import type { BackupInUse } from "./rotation-store.ts";

/** Sentences for chats and progress bars. */

type Finalization = NonNullable<RotationView["finalization"]>;

export function rotationInWords(view: RotationView): string {
  const { id, state, paused, rotated, skipped, failed, remaining, accounts, finalization, finalizedAt } = view;
  const how = view.error ? `${view.error.code}: ${shown(view.error.message)}` : shown(view.progress.sentence);
  const left = view.secondsLeft === null || state !== "working" ? "" : ` About ${view.secondsLeft} s to go.`;
  const next = finalizedAt ? ` Finalised ${finalizedAt}.` : finalization ? ` ${finalizationInWords(finalization)}` : "";
  return [
    `Rotation ${id}: ${paused ? "paused" : state}. ${how}${left}${next}`,
    `Credentials: ${rotated} rotated, ${skipped} skipped, ${failed} failed, ${remaining} remaining; accounts: ${accounts.done} of ${accounts.total} done, ${accounts.failed} failed.`,
    ...view.failures
      .slice(0, 10)
      .map(
        ({ accountId, kind, recordId, code }) =>
          `${code}: ${kind ? `${kind} ${recordId} of ` : ""}account ${accountId}`,
      ),
  ].join("\n");
}

/** Until when it soaks, where it does, and what stops that; else how it stands, or why it failed. */
export function finalizationInWords({ id, state, sentence, soakUntil, error }: Finalization): string {
  if (state === "working" && soakUntil !== null)
    return `Finalization soaks until ${soakUntil}; system_operations_cancel of ${id} keeps old versions readable.`;
  return `Finalization ${state}: ${error ? `${error.code}: ${shown(error.message)}` : shown(sentence)}`;
}

export function notFinalizedInWords({ id, finalization }: Pick<RotationView, "id" | "finalization">): string {
  return `Rotation ${id} is not finalised.${finalization ? ` ${finalizationInWords(finalization)}` : ""}`;
}

/** From the approval on. */
export const soakInWords = (minutes: number): string =>
  minutes === 0 ? "at once" : `after ${counted(minutes, "minute")}`;

export function verificationInWords(view: VerificationView): string {
  const { id, state, error } = view;
  const how = error ? ` ${error.code}: ${shown(error.message)}` : "";
  return [
    `Verification ${id}: ${state}.${how} ${checkInWords(view)}`,
    ...view.findings
      .slice(0, 10)
      .map((one) => `${one.code}: credential ${one.credentialId} of account ${one.accountId}`),
    ...view.unreached.slice(0, 10).map((one) => `${one.code}: account ${one.accountId} was not looked at`),
  ].join("\n");
}

/** What is in the way, and what to do about it. Undefined where nothing is. */
export function inUseInWords(counts: KeysInUse, named: readonly BackupInUse[]): string | undefined {
  const { credentials, held, results, outcomes, backups } = counts;
  const waits = held + results + outcomes > 0;
  const parts = [
    credentials > 0 ? counted(credentials, "credential") : undefined,
    held > 0 ? counted(held, "call that waits for approval", "calls that wait for approval") : undefined,
    results + outcomes > 0 ? counted(results + outcomes, "kept result") : undefined,
    backups > 0 ? counted(backups, "backup that is not retired", "backups that are not retired") : undefined,
  ].filter((part) => part !== undefined);
  if (parts.length === 0) return undefined;
  const mends = [
    credentials > 0
      ? "A credential that does not open is named by system_vault_get_rotation: delete it, or have its secret given anew."
      : undefined,
    waits ? "What waits or is kept is in the way until it is decided or expires." : undefined,
    backups > 0 ? backupsInWords(named, backups) : undefined,
  ].filter((mend) => mend !== undefined);
  return `${parts.join(", ")}. ${mends.join(" ")}`;
}

function backupsInWords(named: readonly BackupInUse[], all: number): string {
  const each = named.map(({ id, fileName, createdAt }) => `${id} (${shown(fileName)}, ${createdAt.toISOString()})`);
  const more = all > named.length ? [`${all - named.length} more`] : [];
  return `In the way: ${[...each, ...more].join(", ")}. Destroy the file with all its copies, then: npx countersign backup retire <id>; all of them: npx countersign backup list`;
}

/** How a rotation ended. */
export function endOfRotation(
  { rotated, skipped, failed }: { rotated: number; skipped: number; failed: number },
  faults: number,
): string {
  const trouble = [
    ...(failed > 0 ? [`${counted(failed, "credential")} did not open`] : []),
    ...(faults > 0 ? [`${counted(faults, "account")} could not be worked in`] : []),
  ];
  const told = trouble.length > 0 ? `; ${trouble.join(", ")}` : "";
  return `${counted(rotated, "credential")} carried over, ${skipped} under the new version already${told}.`;
}
