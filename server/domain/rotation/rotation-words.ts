import type { KeysInUse, RotationView } from "../../../contracts/vault/rotation.ts";
import type { VerificationView } from "../../../contracts/vault/verification.ts";
import { escapePlaces as shown } from "../approvals/escape-preview.ts";

/** Sentences for chats and progress bars. */

const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

export function rotationInWords(view: RotationView): string {
  const { id, state, paused, rotated, skipped, failed, remaining, accounts, finalization, finalizedAt } = view;
  const how = view.error ? `${view.error.code}: ${shown(view.error.message)}` : shown(view.progress.sentence);
  const left = view.secondsLeft === null || state !== "working" ? "" : ` About ${view.secondsLeft} s to go.`;
  const next = finalizedAt
    ? ` Finalised ${finalizedAt}.`
    : finalization
      ? ` Finalization ${finalization.state}: ${shown(finalization.sentence)}`
      : "";
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

export function verificationInWords(view: VerificationView): string {
  const { id, state, checked, failed, accounts, error } = view;
  const how = error ? ` ${error.code}: ${shown(error.message)}` : "";
  return [
    `Verification ${id}: ${state}.${how} ${counted(checked, "credential")} of ${counted(accounts, "account")} looked at, ${failed} do not hold.`,
    ...view.findings
      .slice(0, 10)
      .map((one) => `${one.code}: credential ${one.credentialId} of account ${one.accountId}`),
    ...view.unreached.slice(0, 10).map((one) => `${one.code}: account ${one.accountId} was not looked at`),
  ].join("\n");
}

/** Undefined where nothing is. */
export function inUseInWords({ credentials, held, results, outcomes, backups }: KeysInUse): string | undefined {
  const parts = [
    credentials > 0 ? counted(credentials, "credential") : undefined,
    held > 0 ? counted(held, "call that waits for approval", "calls that wait for approval") : undefined,
    results + outcomes > 0 ? counted(results + outcomes, "kept result") : undefined,
    backups > 0 ? counted(backups, "backup that is not retired", "backups that are not retired") : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(", ");
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
