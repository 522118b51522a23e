import { inAccount } from "./in-account.ts";
import { followUpOf } from "./walk-finalization.ts";
import { finish, isOver, type Slice, type SliceEnd, step } from "./walk-step.ts";

const ACCOUNTS = 50;

/** Destroys old versions, account by account. */
export async function walkTrimming(slice: Slice): Promise<SliceEnd> {
  const { gate, hubAccountId } = slice;
  const followUp = await followUpOf(slice);
  while (!isOver(slice)) {
    const due = await gate.store.read(hubAccountId, ({ rotation }) => rotation.followUpDue(followUp, "trim", ACCOUNTS));
    if (due.length === 0) return finish(slice);
    for (const account of due) {
      if (isOver(slice)) break;
      await inAccount(slice, account.accountId, async () => {
        await step(slice, account, "system_vault_trim_account_key", { rotationId: followUp.rotationId });
      });
    }
  }
  return { again: undefined };
}
