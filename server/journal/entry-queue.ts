import type { NewEntry } from "./group-commit.ts";
import type { Lane } from "./lane.ts";

export interface QueuedEntry {
  readonly lane: Lane;
  readonly entry: NewEntry;
  /** Whether somebody waits for it. */
  readonly awaited: boolean;
  readonly resolve: (digest: string) => void;
  readonly reject: (error: unknown) => void;
}

/** Entries in one commit at most: a longer one would make those behind it wait longer than it saves. */
const LARGEST_BATCH = 512;
/** Bytes of statements in one commit at most, but for a single entry that is larger by itself. */
const LARGEST_BATCH_BYTES = 4 * 1024 * 1024;

/** Entries that wait for a commit, in their order. */
export class EntryQueue {
  #entries: QueuedEntry[] = [];
  #bytes = 0;
  #awaited = 0;

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Whether a commit is worth its while, or somebody waits for one. */
  get isDue(): boolean {
    return this.#awaited > 0 || this.#entries.length >= LARGEST_BATCH || this.#bytes >= LARGEST_BATCH_BYTES;
  }

  push(entry: QueuedEntry): void {
    this.#entries.push(entry);
    this.#count(entry, 1);
  }

  /** Takes the entries of the next commit. */
  takeBatch(): QueuedEntry[] {
    let length = 0;
    for (let bytes = 0; length < Math.min(this.#entries.length, LARGEST_BATCH); length++) {
      bytes += sizeOf(this.#entries[length] as QueuedEntry);
      if (length > 0 && bytes > LARGEST_BATCH_BYTES) break;
    }
    const batch = this.#entries.splice(0, length);
    for (const entry of batch) this.#count(entry, -1);
    return batch;
  }

  takeAll(): QueuedEntry[] {
    const all = this.#entries;
    this.#entries = [];
    this.#bytes = this.#awaited = 0;
    return all;
  }

  #count(entry: QueuedEntry, sign: 1 | -1): void {
    this.#bytes += sign * sizeOf(entry);
    if (entry.awaited) this.#awaited += sign;
  }
}

function sizeOf({ entry }: QueuedEntry): number {
  return Buffer.byteLength(entry.statement);
}
