import type { AccountRow } from "./rows.ts";

/** Adds the account whose id the transaction carries. */
export interface AccountWriter {
  /** Throws ALREADY_EXISTS where the account is there, or is to be the hub's and the hub has one. */
  addAccount(account: AccountRow): Promise<void>;
}

/** Which accounts there are: known to the hub itself, told to nobody. */
export interface AccountDirectory {
  /** The hub's own account: the first one. Undefined before it was made. */
  hubAccountId(): Promise<string | undefined>;
  accountIds(): Promise<readonly string[]>;
}
