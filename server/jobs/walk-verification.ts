import { type CredentialFinding, checkInWords } from "../../contracts/vault/verification.ts";
import { advanceOperation } from "../domain/operations/advance-operation.ts";
import type { CheckedBatch } from "../domain/rotation/check-batch.ts";
import type { CredentialCheck, WalkedAccount } from "../domain/rotation/rotation-store.ts";
import { HubError } from "../errors.ts";
import { inAccount } from "./in-account.ts";
import { finish, isOver, type Slice, type SliceEnd, step } from "./walk-step.ts";

const SIZE = 200;

/** Looks at every credential of every account, account after account, by id; its place is in the verification's row. */
export async function walkVerification(slice: Slice): Promise<SliceEnd> {
  const { gate, hubAccountId, operation } = slice;
  while (!isOver(slice)) {
    const { check, next } = await gate.store.read(hubAccountId, async ({ rotation }) => {
      const check = await rotation.check(operation.id);
      if (!check) throw new TypeError("a verification's operation without its row");
      return { check, next: (await rotation.accountsAfter(check.afterAccount, 1))[0] };
    });
    if (!next) return finish(slice);
    const worked = await inAccount(slice, next.accountId, () => checkAccount(slice, next, check));
    if (!worked) await keep(slice, passed(check, next.accountId), []);
  }
  return { again: undefined };
}

/** One batch of an account; where it was the last, the walk goes on to the next account. */
async function checkAccount(slice: Slice, account: WalkedAccount, check: CredentialCheck): Promise<void> {
  const { afterCredential: after, afterLost: lostAfter } = check;
  const input = { size: SIZE, ...(after !== undefined && { after }), ...(lostAfter !== undefined && { lostAfter }) };
  const answer = await step(slice, account, "system_vault_check_batch", input);
  const { checked, opened, waiting, findings, last, lostAfter: place, finished } = answer as unknown as CheckedBatch;
  const counted = {
    ...check,
    checked: check.checked + checked,
    opened: check.opened + opened,
    waiting: check.waiting + waiting,
    failed: check.failed + findings.length,
  };
  const found = findings.map(({ id, code }) => ({ accountId: account.accountId, credentialId: id, code }));
  const next = finished
    ? passed(counted, account.accountId, true)
    : { ...counted, ...(last !== null && { afterCredential: last }), ...(place !== null && { afterLost: place }) };
  await keep(slice, next, found);
}

function passed(check: CredentialCheck, accountId: string, looked = false): CredentialCheck {
  const { afterCredential: _, afterLost: __, ...rest } = check;
  return { ...rest, afterAccount: accountId, accounts: check.accounts + (looked ? 1 : 0) };
}

async function keep(
  { gate, hubAccountId, operation }: Slice,
  check: CredentialCheck,
  findings: readonly CredentialFinding[],
): Promise<void> {
  const { id: operationId, fence, progress } = operation;
  const sentence = checkInWords(check);
  const total = Math.max(progress.total, check.checked);
  await gate.store.transact(hubAccountId, async (tx) => {
    const far = { done: check.checked, total, sentence };
    const { held } = await advanceOperation(tx, { operationId, fence }, far, gate.now());
    if (!held) throw new HubError("CANCELLED", "The operation is over, or another process carries it on.");
    await tx.rotation.advanceCheck(check, findings);
  });
}
