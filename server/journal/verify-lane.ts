import { hash, type KeyObject } from "node:crypto";
import { type LaneCertificate, laneOrigin, verifyLaneCertificate } from "../../contracts/formats/lane-certificate.ts";
import { verifyCommit } from "../../contracts/formats/lane-commit.ts";
import { CompactRange } from "../../contracts/formats/merkle.ts";
import { checkTime } from "../../contracts/formats/receipt-proof.ts";
import { lacksIntent, parseReceipt, type ReceiptPredicate } from "../../contracts/formats/receipt-statement.ts";
import { HubError } from "../errors.ts";
import { JournalFault } from "./journal-fault.ts";
import type { CommitRecord, EntryColumns, JournalSource, LaneRecord, ReceiptRecord } from "./journal-source.ts";

export interface LaneWalk {
  readonly source: JournalSource;
  readonly hubId: string;
  readonly accountId: string;
  readonly isTrusted: (rootKey: KeyObject) => boolean;
  readonly signal: AbortSignal | undefined;
}

export interface WalkedLane {
  readonly receipts: number;
  readonly rootKey: KeyObject;
  /** Intents of processes that ended, which no sweeper has closed yet. */
  readonly unclosed: number;
  /** The first entry that holds by itself and does not go with its call's other one, wherever that is. */
  readonly unmatched: JournalFault | undefined;
}

/**
 * Walks a lane from its certificate to its end: every statement, chain, root and signature. Throws JournalFault for the
 * first entry that does not hold.
 */
export async function verifyLane(walk: LaneWalk, lane: LaneRecord): Promise<WalkedLane> {
  const { source, signal } = walk;
  const { epoch, size } = lane;
  const certificate = check({ epoch }, () => readCertificate(walk, lane));
  const commits = new CommitQueue(source, lane);
  const range = new CompactRange();
  let previous = hash("sha256", lane.certificate, "buffer");
  let unclosed = 0;
  let unmatched: JournalFault | undefined;

  while (range.size < size) {
    signal?.throwIfAborted();
    const page = await source.receipts(epoch, range.size, size);
    if (page.length === 0) break;
    for (const row of page) {
      const at = { epoch, sequence: range.size, receiptId: `${row.callId}.${row.phase}` };
      if (row.sequence !== range.size) throw new JournalFault({ epoch, sequence: range.size }, "The entry is missing.");
      const receipt = check(at, () => readEntry(walk, certificate, row, previous));
      const fault = matchFault(receipt, row, lane);
      if (fault !== undefined) unmatched ??= new JournalFault(at, fault);
      if (isUnclosed(row, lane)) unclosed++;
      previous = hash("sha256", row.statement, "buffer");
      range.append(previous);
      const commit = await commits.at(range.size);
      if (commit !== undefined) check(at, () => checkCommit(certificate, commit, range));
    }
  }
  if (range.size < size) throw new JournalFault({ epoch, sequence: range.size }, "The entry is missing.");
  if (commits.last !== size) throw new JournalFault({ epoch, sequence: size - 1 }, "No signed commit holds the entry.");
  if (!previous.equals(lane.head) || !range.root().equals(lane.root)) {
    throw new JournalFault({ epoch, sequence: size - 1 }, "The lane's head is not its last entry.");
  }
  const beyond = await source.beyond(epoch);
  if (beyond !== undefined) throw new JournalFault({ epoch, sequence: beyond }, "The entry is in no signed commit.");
  return { receipts: size, rootKey: certificate.rootKey, unclosed, unmatched };
}

function readCertificate({ hubId, accountId, isTrusted }: LaneWalk, lane: LaneRecord): LaneCertificate {
  const certificate = verifyLaneCertificate(lane.certificate, isTrusted);
  if (certificate.origin !== laneOrigin(hubId, lane.epoch, accountId) || certificate.epoch.no !== lane.epoch) {
    throw new HubError("ENVELOPE_INVALID", "The certificate is for another lane.");
  }
  return certificate;
}

function readEntry(
  { accountId }: LaneWalk,
  certificate: LaneCertificate,
  row: ReceiptRecord,
  previous: Buffer,
): ReceiptPredicate {
  const receipt = parseReceipt(row.statement);
  const { lane } = receipt;
  if (lane.epoch !== certificate.epoch.no || lane.sequence !== row.sequence) {
    throw refusal("the statement names another place in the journal");
  }
  if (lane.previous !== previous.toString("hex")) throw refusal("the statement does not follow the one before it");
  if (lacksIntent(receipt)) throw refusal("the outcome of an approved change names no intent");
  if (receipt.account !== accountId) throw refusal("the statement belongs to another account");
  if (!sameColumns(row, columnsOf(receipt))) throw refusal("its columns say something else than its statement");
  checkTime(receipt, certificate);
  return receipt;
}

/** Why the call's two receipts do not go together. */
function matchFault(
  { phase, intent, code }: ReceiptPredicate,
  row: ReceiptRecord,
  lane: LaneRecord,
): string | undefined {
  if (phase === "intent") {
    const isLost = lane.closed && row.other === undefined && !row.inFlight;
    return isLost ? "The call has no outcome, although its process has ended." : undefined;
  }
  if (intent !== undefined && intent !== row.other) {
    return row.other === undefined ? "The call's intent is missing." : "The outcome names another intent.";
  }
  // a refusal may follow an intent of which the process did not know whether it was written
  const isUnnamed = intent === undefined && row.other !== undefined && code === "OK";
  return isUnnamed ? "The outcome does not name the call's intent." : undefined;
}

/** Whether it is an intent that waits to be closed as AMBIGUOUS. */
function isUnclosed({ phase, other, inFlight }: ReceiptRecord, { closed }: LaneRecord): boolean {
  return phase === "intent" && closed && other === undefined && inFlight;
}

function checkCommit(certificate: LaneCertificate, commit: CommitRecord, range: CompactRange): void {
  if (!range.root().equals(commit.root)) throw refusal("the commit's root is not that of the entries up to here");
  verifyCommit({
    ...commit,
    epochOrigin: certificate.epoch.origin,
    processKey: certificate.processKey,
    head: { origin: certificate.origin, size: commit.size, root: commit.root },
  });
}

/** The lane's commits, in pages, as the walk comes to them. */
class CommitQueue {
  readonly #source: JournalSource;
  readonly #lane: LaneRecord;
  #page: CommitRecord[] = [];
  #read = 0;
  /** The size after the newest commit that the walk came to. */
  last = 0;

  constructor(source: JournalSource, lane: LaneRecord) {
    this.#source = source;
    this.#lane = lane;
  }

  /** The commit that left the lane at this size, if there is one. Asked for growing sizes. */
  async at(size: number): Promise<CommitRecord | undefined> {
    if (this.#page.length === 0 && this.#read < this.#lane.size) {
      this.#page = (await this.#source.commits(this.#lane.epoch, this.#read, this.#lane.size)).reverse();
      this.#read = this.#page[0]?.size ?? this.#lane.size;
    }
    if (this.#page.at(-1)?.size !== size) return undefined;
    this.last = size;
    return this.#page.pop();
  }
}

export function sameColumns(a: EntryColumns, b: EntryColumns): boolean {
  return (
    a.callId === b.callId &&
    a.phase === b.phase &&
    a.action === b.action &&
    a.principalId === b.principalId &&
    a.code === b.code &&
    a.at.getTime() === b.at.getTime()
  );
}

function columnsOf({ callId, phase, action, principal, code, time }: ReceiptPredicate): EntryColumns {
  return { callId, phase, action, principalId: principal?.id, code, at: new Date(time) };
}

function refusal(reason: string): HubError {
  return new HubError("PROOF_INVALID", `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`);
}

function check<T>(place: JournalFault["place"], fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw new JournalFault(place, error.message, error);
  }
}
