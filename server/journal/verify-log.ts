import { JournalFault } from "./journal-fault.ts";
import type { JournalSource, LaneRecord, LogRecord } from "./journal-source.ts";
import { sameColumns } from "./verify-lane.ts";

/**
 * Walks the account's log: positions without a gap, each pointing at a receipt and saying the same; each lane's receipts
 * in their order, none left out. Answers with the number of receipts that have no place yet. Throws JournalFault for the
 * first entry that does not hold.
 */
export async function verifyLog(source: JournalSource, signal?: AbortSignal): Promise<number> {
  // read before the log's size: whatever a lane is said to have in the log by now lies below that size
  const claimed = new Map<number, number>();
  for await (const { epoch, integrated } of allLanes(source)) claimed.set(epoch, integrated);
  const size = await source.logSize();
  const held = new Map<number, number>();
  for (let position = 0; position < size; ) {
    signal?.throwIfAborted();
    const page = await source.log(position, size);
    if (page.length === 0) break;
    for (const entry of page) {
      checkEntry(entry, position, held.get(entry.epoch) ?? 0);
      held.set(entry.epoch, entry.sequence + 1);
      position++;
    }
  }
  for (const [epoch, integrated] of claimed) {
    const sequence = held.get(epoch) ?? 0;
    if (sequence < integrated) throw new JournalFault({ epoch, sequence }, "The log has lost the receipt.");
  }
  let unplaced = 0;
  for await (const { epoch, integrated, size } of allLanes(source)) {
    const sequence = held.get(epoch) ?? 0;
    if (sequence > integrated) throw new JournalFault({ epoch, sequence: integrated }, "The log is ahead of itself.");
    unplaced += size - integrated;
  }
  return unplaced;
}

export async function* allLanes(source: JournalSource): AsyncGenerator<LaneRecord> {
  for (let page = await source.lanes(0); page.length > 0; ) {
    yield* page;
    page = await source.lanes(page.at(-1)?.epoch as number);
  }
}

function checkEntry(entry: LogRecord, position: number, expected: number): void {
  const { epoch, sequence, callId, phase, receipt } = entry;
  if (entry.position !== position) {
    throw new JournalFault({ epoch, sequence: expected }, `Position ${position} of the log is missing.`);
  }
  const place = { epoch, sequence, receiptId: `${callId}.${phase}` };
  if (receipt === undefined) throw new JournalFault(place, `Position ${position} of the log points at no receipt.`);
  if (!sameColumns(entry, receipt)) {
    throw new JournalFault(place, `Position ${position} of the log says something else than the receipt.`);
  }
  if (sequence !== expected) {
    throw new JournalFault(
      { epoch, sequence: expected },
      "The log leaves the receipt out, or has it in another order.",
    );
  }
}
