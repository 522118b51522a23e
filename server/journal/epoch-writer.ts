import type { KeyPair } from "../../contracts/formats/ed25519.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { EntryQueue, type QueuedEntry } from "./entry-queue.ts";
import { buildCommit, type NewEntry } from "./group-commit.ts";
import type { Refusal, WriterSession } from "./journal-store.ts";
import { type EpochKey, type Lane, openLane } from "./lane.ts";

/** This one entry was refused; nothing of it was written. */
export class EntryRefused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(`the journal refused an entry: ${refusal}`);
    this.refusal = refusal;
  }
}

/** The epoch ended before the entry was known to be durable. */
export class EpochOver extends Error {
  readonly epoch: number;
  /** Whether another process ended it. */
  readonly fenced: boolean;
  /** The commit that the entry was part of, of which nobody knows yet whether it happened. Absent: it was in none. */
  readonly inCommit: number | undefined;
  constructor(epoch: number, fenced: boolean, options: { inCommit?: number; cause?: unknown } = {}) {
    super(`journal epoch ${epoch} is over`, { cause: options.cause });
    this.epoch = epoch;
    this.fenced = fenced;
    this.inCommit = options.inCommit;
  }
}

export interface EpochOptions {
  readonly session: WriterSession;
  readonly keys: KeyService;
  readonly key: EpochKey;
  readonly keyPair: KeyPair;
  /** Accounts whose lanes have grown, after each commit. */
  readonly onCommitted: (accountIds: readonly string[]) => void;
}

/** How long entries that nobody waits for gather. */
const GATHER_MS = 100;
const CONFLICT_ATTEMPTS = 5;

/**
 * Writes the lanes of one epoch. While one commit is on its way, the next batch gathers; no timer stands before an entry
 * that somebody waits for. A commit that fails in an unclear way ends the epoch: nothing is tried twice under it.
 */
export class EpochWriter {
  readonly key: EpochKey;
  readonly #options: EpochOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #opening = new Map<string, Promise<Lane>>();
  readonly #queue = new EntryQueue();
  #commits = 0;
  #over: EpochOver | undefined;
  #running: Promise<void> | undefined;
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: EpochOptions) {
    this.#options = options;
    this.key = options.key;
  }

  get no(): number {
    return this.key.epoch.no;
  }

  get over(): boolean {
    return this.#over !== undefined;
  }

  get lanes(): number {
    return this.#lanes.size;
  }

  get commits(): number {
    return this.#commits;
  }

  /**
   * Resolves with the hex SHA-256 of the entry's statement when it is durable, sequenced and signed. Rejects with
   * EntryRefused, EpochOver, or what the key service said when the lane was opened.
   */
  append(entry: NewEntry, awaited: boolean): Promise<string> {
    const lane = this.#lanes.get(entry.accountId);
    if (lane !== undefined) return this.#enqueue(lane, entry, awaited);
    return this.#openLane(entry.accountId).then((opened) => this.#enqueue(opened, entry, awaited));
  }

  /** Resolves when everything queued until now is settled. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#opening.values());
    // entries behind a lane that was just opened are queued in the microtasks after it
    await new Promise(setImmediate);
    while (!this.#queue.isEmpty || this.#running !== undefined) {
      this.#start();
      await this.#running;
    }
  }

  /** Ends the epoch: everything that waits is rejected. */
  end(over: EpochOver): void {
    if (this.#over !== undefined) return;
    this.#over = over;
    clearTimeout(this.#gathering);
    for (const { reject } of this.#queue.takeAll()) reject(new EpochOver(this.no, over.fenced, { cause: over.cause }));
  }

  #openLane(accountId: string): Promise<Lane> {
    const opening = this.#opening.get(accountId);
    if (opening !== undefined) return opening;
    const opened = openLane(accountId, this.key, this.#options.keys).then((lane) => {
      this.#lanes.set(accountId, lane);
      return lane;
    });
    this.#opening.set(accountId, opened);
    const forget = () => void this.#opening.delete(accountId);
    opened.then(forget, forget);
    return opened;
  }

  #enqueue(lane: Lane, entry: NewEntry, awaited: boolean): Promise<string> {
    const over = this.#over;
    if (over !== undefined) return Promise.reject(new EpochOver(this.no, over.fenced, { cause: over.cause }));
    return new Promise((resolve, reject) => {
      this.#queue.push({ lane, entry, awaited, resolve, reject });
      this.#arm();
    });
  }

  #arm(): void {
    if (this.#running !== undefined || this.#over !== undefined || this.#queue.isEmpty) return;
    if (this.#queue.isDue) this.#start();
    else this.#gathering ??= setTimeout(() => this.#start(), GATHER_MS);
  }

  #start(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#running !== undefined || this.#queue.isEmpty) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.#arm();
    });
  }

  async #run(): Promise<void> {
    // everything that this turn of the event loop still brings joins the first batch
    await new Promise(setImmediate);
    do {
      await this.#commit(this.#queue.takeBatch());
    } while (this.#queue.isDue);
  }

  /** All of the batch or, where one entry is refused, all but that one. */
  async #commit(batch: readonly QueuedEntry[], attempt = 1): Promise<void> {
    if (batch.length === 0) return;
    if (this.#over !== undefined) {
      for (const { reject } of batch) reject(new EpochOver(this.no, this.#over.fenced, { cause: this.#over.cause }));
      return;
    }
    const commitNo = this.#commits + 1;
    let answer: "done" | Refusal;
    let built: ReturnType<typeof buildCommit>;
    try {
      built = buildCommit(this.key.epoch, commitNo, batch, this.#options.keyPair);
      answer = await this.#options.session.append(built.commit);
    } catch (cause) {
      for (const { reject } of batch) reject(new EpochOver(this.no, false, { inCommit: commitNo, cause }));
      this.end(new EpochOver(this.no, false, { cause }));
      return;
    }
    if (answer === "done") {
      this.#commits = commitNo;
      built.adopt();
      batch.forEach(({ resolve }, i) => resolve((built.digests[i] as Buffer).toString("hex")));
      this.#options.onCommitted(built.commit.lanes.map(({ accountId }) => accountId));
      return;
    }
    if (answer === "fenced") {
      this.end(new EpochOver(this.no, true));
      return this.#commit(batch);
    }
    if (answer === "conflict" && attempt < CONFLICT_ATTEMPTS) return this.#commit(batch, attempt + 1);
    const [only] = batch;
    if (batch.length === 1) return only?.reject(new EntryRefused(answer));
    // nothing was written: who is to blame is found by halves, and the others do not suffer for it
    const middle = batch.length >> 1;
    await this.#commit(batch.slice(0, middle));
    await this.#commit(batch.slice(middle));
  }
}
