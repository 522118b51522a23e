import type { KeyObject } from "node:crypto";
import type { AskPassphrase } from "./passphrase.ts";
import { exists, openRootKeyText, readRootKeyFile } from "./root-key-file.ts";
import type { RootKeys } from "./root-keys.ts";

export interface RootKeyPlace {
  readonly path: string;
  readonly dataFolder: string;
  /** Asked once at most. */
  readonly passphrase?: AskPassphrase;
  /** Refuses a key that lies there in the clear. */
  readonly mustBeProtected?: boolean;
}

/** Where the next root key waits while everything is wrapped under it. */
export const nextOf = (path: string) => `${path}.next`;

/** The root keys of a hub's files: the one in use, and the next one as long as a rotation is under way. */
export class RootKeyRing implements RootKeys {
  readonly #place: RootKeyPlace;
  readonly #ask: AskPassphrase | undefined;
  /** By the files' texts: opening a protected one is slow on purpose. */
  readonly #opened = new Map<string, KeyObject>();
  known: readonly KeyObject[] = [];

  private constructor(place: RootKeyPlace) {
    this.#place = place;
    let answer: Promise<string> | undefined;
    this.#ask = place.passphrase && (() => (answer ??= (place.passphrase as AskPassphrase)()));
  }

  /** Throws as openRootKeyFile. */
  static async open(place: RootKeyPlace): Promise<RootKeyRing> {
    const ring = new RootKeyRing(place);
    await ring.newest();
    return ring;
  }

  /** What protects the files. Throws CONFIG_INVALID where there is none to ask for. */
  passphrase(): Promise<string> {
    if (this.#ask === undefined) throw new Error("cannot happen: a protected key that opened without a passphrase");
    return this.#ask();
  }

  async newest(): Promise<KeyObject> {
    const { path } = this.#place;
    // in this order: where the next one took its place in between, it is found there
    const next = await this.#readIfThere(nextOf(path));
    const current = await this.#read(path);
    this.known = next === undefined || next === current ? [current] : [next, current];
    return next ?? current;
  }

  /** One that is there and cannot be read is an error: keys may be wrapped under it already. */
  async #readIfThere(path: string): Promise<KeyObject | undefined> {
    if (!(await exists(path))) return undefined;
    return this.#read(path).catch(async (error: unknown) => {
      if (await exists(path)) throw error;
      return undefined;
    });
  }

  async #read(path: string): Promise<KeyObject> {
    const { dataFolder, mustBeProtected = false } = this.#place;
    const text = await readRootKeyFile({ path, dataFolder, create: false });
    const key =
      this.#opened.get(text) ??
      (await openRootKeyText(text, { path, mustBeProtected, ...(this.#ask && { passphrase: this.#ask }) }));
    this.#opened.set(text, key);
    return key;
  }
}
