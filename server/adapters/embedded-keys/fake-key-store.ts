import type { KeyName } from "../../domain/keys/key-service.ts";
import type { Decide, KeyStore, StoredKey, StoredKeyVersion, StoredRules } from "./key-store.ts";
import { FIRST_RULES } from "./key-store.ts";

export type KeyRow = StoredKeyVersion & { accountId: string; keyName: KeyName };

/** Rows in memory that a test can change as somebody with write access to the tables could. */
export class FakeKeyStore implements KeyStore {
  rows: KeyRow[] = [];
  rules = new Map<string, StoredRules>();
  reads = 0;
  failure: Error | undefined;
  #changing: Promise<unknown> = Promise.resolve();

  async names(accountId: string): Promise<KeyName[]> {
    return [...new Set(this.rows.filter((row) => row.accountId === accountId).map(({ keyName }) => keyName))];
  }

  async key(accountId: string, keyName: KeyName): Promise<StoredKey | undefined> {
    this.reads++;
    if (this.failure !== undefined) throw this.failure;
    const versions = this.#of(accountId, keyName).sort((a, b) => a.version - b.version);
    if (versions.length === 0) return undefined;
    return { rules: this.rules.get(`${accountId}/${keyName}`) ?? FIRST_RULES, versions };
  }

  change(accountId: string, keyName: KeyName, decide: Decide): Promise<void> {
    const done = this.#changing.then(async () => {
      const change = await decide(await this.key(accountId, keyName));
      if (change === undefined) return;
      if ("remove" in change) {
        this.rows = this.rows.filter((row) => row.accountId !== accountId || row.keyName !== keyName);
        this.rules.delete(`${accountId}/${keyName}`);
        return;
      }
      const { add, rules, destroyBelow = 0 } = change;
      if (add) this.rows.push({ ...add, accountId, keyName, createdAt: new Date() });
      if (rules) this.rules.set(`${accountId}/${keyName}`, rules);
      const gone = this.#of(accountId, keyName).filter(({ version }) => version < destroyBelow);
      this.rows = this.rows.filter((row) => !gone.includes(row));
    });
    this.#changing = done.catch(() => {});
    return done;
  }

  #of(accountId: string, keyName: KeyName): KeyRow[] {
    return this.rows.filter((row) => row.accountId === accountId && row.keyName === keyName);
  }
}
