import type { KeyName } from "../../domain/keys/key-service.ts";
import { HubError } from "../../errors.ts";
import type { KeyStore, StoredKey, StoredKeyVersion } from "./key-store.ts";
import { OpenKey } from "./open-key.ts";
import type { RootKeys } from "./root-keys.ts";
import { type OpenKeyVersion, openKeyVersion, type VersionPlace } from "./wrapped-key.ts";

/** Opened keys that stay in memory; the least recently used are opened again when asked for. */
const OPEN_KEYS = 4096;
/** How long an opened key is used before the store is asked again whether another process changed it. */
export const FRESH_MS = 1000;

interface Kept {
  readonly key: Promise<OpenKey>;
  readonly until: number;
}

/** The keys of a store, opened with the root keys and kept for a while. */
export class OpenKeys {
  readonly #rootKeys: RootKeys;
  readonly #store: KeyStore;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();

  constructor(rootKeys: RootKeys, store: KeyStore, now = () => performance.now()) {
    this.#rootKeys = rootKeys;
    this.#store = store;
    this.#now = now;
  }

  /** At most FRESH_MS old. Throws KEY_NOT_FOUND, KEY_SERVICE_UNREACHABLE, STORE_UNAVAILABLE. */
  get(accountId: string, keyName: KeyName): Promise<OpenKey> {
    const kept = this.#kept.get(`${accountId}/${keyName}`);
    if (kept === undefined || kept.until <= this.#now()) return this.reload(accountId, keyName);
    this.#keep(`${accountId}/${keyName}`, kept);
    return kept.key;
  }

  /** As the store has it now. */
  reload(accountId: string, keyName: KeyName): Promise<OpenKey> {
    const id = `${accountId}/${keyName}`;
    const key = this.#store.key(accountId, keyName).then((stored) => this.open(accountId, keyName, stored));
    this.#keep(id, { key, until: this.#now() + FRESH_MS });
    // what failed may work next time: the key may be made, the database come back
    key.catch(() => {
      if (this.#kept.get(id)?.key === key) this.#kept.delete(id);
    });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= OPEN_KEYS) break;
      this.#kept.delete(oldest);
    }
    return key;
  }

  forget(accountId: string, keyName: KeyName): void {
    this.#kept.delete(`${accountId}/${keyName}`);
  }

  async open(accountId: string, keyName: KeyName, stored: StoredKey | undefined): Promise<OpenKey> {
    if (stored === undefined) throw new HubError("KEY_NOT_FOUND", `This account has no key ${keyName}.`);
    const { rules, versions } = stored;
    const place = { accountId, keyName, derived: rules.derived };
    let opened = versions.map((row) => this.#openOne(place, row));
    if (opened.includes(undefined)) {
      // another root key may have taken its place since this process read it
      await this.#rootKeys.newest();
      opened = versions.map((row) => this.#openOne(place, row));
    }
    return new OpenKey(
      keyName,
      rules,
      opened.map((version, index) => version ?? unopened(keyName, versions[index]?.version)),
    );
  }

  #openOne(place: Omit<VersionPlace, "version" | "type">, row: StoredKeyVersion): OpenKeyVersion | undefined {
    for (const rootKey of this.#rootKeys.known) {
      const opened = openKeyVersion(rootKey, place, row);
      if (opened !== undefined) return opened;
    }
    return undefined;
  }

  /** The most recently used comes last. */
  #keep(id: string, kept: Kept): void {
    this.#kept.delete(id);
    this.#kept.set(id, kept);
  }
}

function unopened(keyName: KeyName, version: number | undefined): never {
  const sentence =
    `Version ${version} of the key ${keyName} does not open with the root key: either the hub runs with another root key ` +
    "file than its database was made with, or the stored key was changed. Put the right root key file in place (one that " +
    "was replaced is kept beside it, as <its name>.until-<time>), or restore the database from a backup.";
  throw new HubError("KEY_SERVICE_UNREACHABLE", sentence, { details: { keyName, version } });
}
