import type { CliContext } from "../../context.ts";
import { noteChange } from "./note-change.ts";
import { type FoundAccount, openAccount, openAsOwner } from "./open-account.ts";
import { type Change, type Recorded, recordChange } from "./record-change.ts";

/** An account that can be changed past its policy, by whatever right. */
export interface Recoverable extends FoundAccount {
  /** SPKI PEM; absent without the root key. */
  readonly rootKey?: string;
  readonly change: <Output extends object>(change: Change<Output>) => Promise<Recorded<Output>>;
}

/** With the root key what is done is signed at once; with the login of the tables' owner alone, when a hub next has it. */
export async function openRecoverable(
  { config, secrets }: CliContext,
  { account: id, withoutRootKey }: { readonly account?: string; readonly withoutRootKey?: true },
): Promise<Recoverable> {
  if (withoutRootKey) {
    const account = await openAsOwner(config, secrets, id);
    return { ...account, change: (change) => noteChange(account, change) };
  }
  const account = await openAccount(config, secrets, id);
  return { ...account, change: (change) => recordChange(account, config.log, change) };
}

export const receiptInWords = ({ rootKey }: Recoverable, { id }: Recorded<unknown>["receipt"]): string =>
  rootKey === undefined ? `The next hub that starts with its root key records it as ${id}` : `Receipt ${id}`;
