import { v7 } from "uuid";
import { generateKeyPair, publicKeyToDer } from "../../contracts/formats/ed25519.ts";
import { epochOrigin } from "../../contracts/formats/lane-certificate.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { EpochOver, EpochWriter } from "./epoch-writer.ts";
import type { JournalLog } from "./journal-log.ts";
import type { JournalStore, WriterSession } from "./journal-store.ts";

export interface EpochsOptions {
  readonly store: JournalStore;
  readonly keys: KeyService;
  readonly hubId: string;
  readonly log: JournalLog;
  readonly onCommitted: (accountIds: readonly string[]) => void;
  /** How long a process key counts; a new one is made at half of it. */
  readonly keyValidityMs: number;
  readonly now: () => Date;
}

/** An epoch that this process moved on from. */
interface Former {
  readonly writer: EpochWriter;
  /** How many commits it came to, once that is final. */
  commits?: number;
  closed: boolean;
}

/** Clocks step back now and then: a receipt must not seem older than the key that signs it. */
const CLOCK_SLACK_MS = 5 * 60_000;

/**
 * The epochs of this process, one after the other: the next one is opened when a key is half through its validity, or
 * after the one before failed. Calls that are under way keep their epoch open until they end.
 */
export class Epochs {
  readonly #options: EpochsOptions;
  readonly #former = new Map<number, Former>();
  #session: WriterSession | undefined;
  #writer: EpochWriter | undefined;
  #opening: Promise<EpochWriter> | undefined;

  constructor(options: EpochsOptions) {
    this.#options = options;
  }

  /** The newest epoch's writer, over or not; undefined before the first was opened. */
  get newest(): EpochWriter | undefined {
    return this.#writer;
  }

  /** Former epochs that calls under way may still belong to. */
  get retiring(): number[] {
    return [...this.#former].flatMap(([no, { closed }]) => (closed ? [] : [no]));
  }

  /** The writer, where an entry can go to it at once. */
  usable(): EpochWriter | undefined {
    const writer = this.#writer;
    if (writer === undefined || writer.over) return undefined;
    if (this.#isFresh(writer)) return writer;
    this.current().catch((err: unknown) => {
      this.#options.log.warn({ err, epoch: writer.no }, "the journal's next epoch could not be opened");
    });
    // the old key serves until the new one is there, and never beyond its validity
    return writer.key.notAfter > this.#options.now() ? writer : undefined;
  }

  /** The writer to use, opened first where need be. Throws what the database says. */
  current(): Promise<EpochWriter> {
    const writer = this.#writer;
    if (writer !== undefined && !writer.over && this.#isFresh(writer)) return Promise.resolve(writer);
    this.#opening ??= this.#open(writer).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** How many commits a former epoch came to; undefined as long as that may change. */
  finalCommits(epoch: number): number | undefined {
    return this.#former.get(epoch)?.commits;
  }

  /** Closes former epochs that no call belongs to any more. */
  async retire(): Promise<void> {
    for (const [no, former] of this.#former) {
      if (former.closed || !former.writer.over) continue;
      former.commits ??= await this.#options.store.fence(no);
      former.closed = await this.#options.store.retire(no);
    }
  }

  /** Writes what waits and leaves. What cannot be closed now is for the sweeper of any hub. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    if (this.#writer !== undefined) await this.#leave(this.#writer);
    await this.retire().catch(() => {});
    await this.#session?.close();
  }

  #isFresh({ key }: EpochWriter): boolean {
    return key.notAfter.getTime() - this.#options.now().getTime() > this.#options.keyValidityMs / 2;
  }

  async #open(previous: EpochWriter | undefined): Promise<EpochWriter> {
    const { store, keys, hubId, log, onCommitted, keyValidityMs } = this.#options;
    // after a failure: what the writer may still have on its way must have ended before anything is written again
    if (previous?.over) (await this.#leave(previous)).commits ??= await store.fence(previous.no);
    const session = this.#session ?? (await this.#connect());
    const keyPair = generateKeyPair();
    const now = this.#options.now().getTime();
    const id = v7();
    const notAfter = new Date(now + keyValidityMs);
    const no = await session.open({ id, publicKey: publicKeyToDer(keyPair.publicKey), keyExpiresAt: notAfter });
    const epoch = { id, no, origin: epochOrigin(hubId, no) };
    const key = { hubId, epoch, publicKey: keyPair.publicKey, notBefore: new Date(now - CLOCK_SLACK_MS), notAfter };
    const writer = new EpochWriter({ session, keys, key, keyPair, onCommitted });
    this.#writer = writer;
    if (this.#session !== session) writer.end(new EpochOver(no, false)); // lost meanwhile
    log.info({ epoch: no }, "the journal opened an epoch");
    if (previous !== undefined && !previous.over) void this.#leave(previous);
    return writer;
  }

  /** Entries queued for a former epoch are still written; its calls under way keep it from being closed. */
  async #leave(writer: EpochWriter): Promise<Former> {
    const former = this.#former.get(writer.no) ?? { writer, closed: false };
    this.#former.set(writer.no, former);
    await writer.drain();
    writer.end(new EpochOver(writer.no, false));
    return former;
  }

  async #connect(): Promise<WriterSession> {
    const session = await this.#options.store.connect();
    this.#session = session;
    session.onLost((cause) => {
      if (this.#session === session) this.#session = undefined;
      this.#options.log.warn({ err: cause }, "the journal lost its database session");
      this.#writer?.end(new EpochOver(this.#writer.no, false, { cause }));
      for (const { writer } of this.#former.values()) writer.end(new EpochOver(writer.no, false, { cause }));
      // at once, so that no sweeper takes the calls under way for those of a dead process
      this.current().catch(() => {}); // the next entry, or the sweeper's round, tries again
    });
    for (const epoch of this.retiring) await session.resume(epoch);
    return session;
  }
}
