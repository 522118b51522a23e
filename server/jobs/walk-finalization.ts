import type { FollowUp, FollowUpStep } from "../domain/rotation/rotation-store.ts";
import { inAccount } from "./in-account.ts";
import { finish, inHubAccount, isOver, type Slice, type SliceEnd, step, tell } from "./walk-step.ts";

const ACCOUNTS = 50;
/** However long it soaks, somebody looks now and then. */
const LONGEST_REST_MS = 3_600_000;

/**
 * Puts old versions out of use: in every account for what is new; then the soak, which a restart does not shorten; then,
 * after another look at whether anything is still below, in every account for what decrypts. Throws KEY_VERSION_IN_USE.
 */
export async function walkFinalization(slice: Slice): Promise<SliceEnd> {
  const followUp = await followUpOf(slice);
  if (!(await raiseFloors(slice, followUp, "encryption"))) return { again: undefined };
  if (!followUp.soakedAt) {
    const { soakUntil } = followUp;
    const until = soakUntil && slice.gate.now() < soakUntil ? soakUntil : await turnSoak(slice);
    if (until) {
      await tellSoak(slice, until);
      return { again: nextLook(slice, until) };
    }
  }
  if (!(await raiseFloors(slice, followUp, "decryption"))) return { again: undefined };
  return finish(slice);
}

/** Answers with its end, where that is still to come. */
async function turnSoak(slice: Slice): Promise<Date | undefined> {
  const { id: operationId, fence } = slice.operation;
  const { soakUntil, soaked } = await inHubAccount(slice, "system_vault_turn_soak", { operationId, fence });
  return soaked === true ? undefined : new Date(String(soakUntil));
}

export async function followUpOf({ gate, hubAccountId, operation }: Slice): Promise<FollowUp> {
  const found = await gate.store.read(hubAccountId, ({ rotation }) => rotation.followUp(operation.id));
  if (!found) throw new TypeError("such an operation has a row of its own");
  return found;
}

/** Whether every account's floor is raised by now. */
async function raiseFloors(slice: Slice, followUp: FollowUp, floor: Exclude<FollowUpStep, "trim">): Promise<boolean> {
  const { gate, hubAccountId, operation } = slice;
  const input = { rotationId: followUp.rotationId, floor };
  let { done } = operation.progress;
  while (!isOver(slice)) {
    const due = await gate.store.read(hubAccountId, ({ rotation }) => rotation.followUpDue(followUp, floor, ACCOUNTS));
    if (due.length === 0) return true;
    for (const account of due) {
      if (isOver(slice)) return false;
      await inAccount(slice, account.accountId, async () => {
        await step(slice, account, "system_vault_raise_key_floor", input);
      });
      done++;
    }
    const { total } = operation.progress;
    await tell(slice, { done: Math.min(done, total - 1), total, sentence: `Raising the floor for ${floor}.` });
  }
  return false;
}

function tellSoak(slice: Slice, until: Date): Promise<void> {
  const { done, total } = slice.operation.progress;
  const when = until.toISOString().slice(0, 16).replace("T", " ");
  return tell(slice, { done, total, sentence: `Nothing new is under old versions; they decrypt until ${when} UTC.` });
}

function nextLook({ gate }: Slice, until: Date): Date {
  return new Date(Math.min(until.getTime(), gate.now().getTime() + LONGEST_REST_MS));
}
