import type { JournalSource, LogRecord } from "./journal-source.ts";
import { JournalFault } from "./journal-fault.ts";
import { sameColumns } from "./verify-lane.ts";

export interface WalkedLog {
  /** Receipts that the log does not hold yet. */
  readonly unplaced: number;
}

/**
 * Walks the account's log: positions without a gap, each pointing at a receipt and saying the same; each lane's receipts
 * in their order, none left out. Throws JournalFault for the first entry that does not hold.
 */
export async function verifyLog(source: JournalSource, signal?: AbortSignal): Promise<WalkedLog> {
  const size = await source.logSize();
  const next = new Map<number, number>();
  for (let position = 0; position < size; ) {
    signal?.throwIfAborted();
    const page = await source.log(position, size);
    if (page.length === 0) throw missing(position);
    for (const entry of page) {
      if (entry.position !== position) throw missing(position);
      const sequence = next.get(entry.epoch) ?? 0;
      checkEntry(entry, sequence);
      next.set(entry.epoch, sequence + 1);
      position++;
    }
  }
  return { unplaced: await countUnplaced(source, next) };
}

function checkEntry(entry: LogRecord, expected: number): void {
  const { epoch, sequence, position, callId, phase, receipt } = entry;
  const place = { epoch, sequence, receiptId: `${callId}.${phase}` };
  if (receipt === undefined) throw new JournalFault(place, `position ${position} of the log points at no receipt`);
  if (!sameColumns(entry, receipt)) {
    throw new JournalFault(place, `position ${position} of the log says something else than the receipt`);
  }
  if (sequence !== expected) {
    throw new JournalFault({ epoch, sequence: expected }, `the log leaves out the receipt, or has it out of order`);
  }
}

/** Compares what the log was seen to hold with what each lane is said to have in it. */
async function countUnplaced(source: JournalSource, seen: ReadonlyMap<number, number>): Promise<number> {
  let unplaced = 0;
  for (let after = 0; ; ) {
    const lanes = await source.lanes(after);
    const last = lanes.at(-1);
    if (last === undefined) return unplaced;
    for (const { epoch, size, integrated } of lanes) {
      const held = seen.get(epoch) ?? 0;
      // receipts that came since the walk began are no fault; those that were there before are
      if (held > integrated) throw new JournalFault({ epoch, sequence: integrated }, "the log holds more than its lane");
      unplaced += size - held;
    }
    after = last.epoch;
  }
}

function missing(position: number): JournalFault {
  return new JournalFault({ epoch: 0 }, `position ${position} of the log is missing`);
}
