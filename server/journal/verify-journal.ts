import type { KeyObject } from "node:crypto";
import { keyId, publicKeyFromDer } from "../../contracts/formats/ed25519.ts";
import type { JournalVerdict, JournalVerifier } from "../domain/evidence/journal-verifier.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { JournalFault } from "./journal-fault.ts";
import type { JournalSource } from "./journal-source.ts";
import { verifyLane } from "./verify-lane.ts";
import { allLanes, verifyLog } from "./verify-log.ts";

export interface VerifyOptions {
  readonly source: JournalSource;
  readonly hubId: string;
  readonly accountId: string;
  /** The account's root keys as the reader knows them; without them, whatever key each lane brings along is taken. */
  readonly rootKeys?: readonly KeyObject[];
  readonly signal?: AbortSignal;
}

/**
 * Walks an account's whole journal and stops at the first entry that does not hold. Memory does not grow with the journal.
 * It may be written to meanwhile: what comes after the walk began is left to the next one.
 */
export async function verifyJournal(options: VerifyOptions): Promise<JournalVerdict> {
  const { source, hubId, accountId, rootKeys, signal } = options;
  const { profile } = await source.account();
  const trusted = rootKeys && new Set(rootKeys.map(keyId));
  const isTrusted = (key: KeyObject) => trusted?.has(keyId(key)) ?? true;
  const seenKeys = new Set<string>();
  let lanes = 0;
  let receipts = 0;
  let unclosed = 0;
  let unmatched: JournalFault | undefined;
  try {
    for await (const lane of allLanes(source)) {
      const walked = await verifyLane({ source, hubId, accountId, isTrusted, signal }, lane);
      lanes++;
      receipts += walked.receipts;
      unclosed += walked.unclosed;
      unmatched ??= walked.unmatched;
      seenKeys.add(keyId(walked.rootKey));
    }
    // only now: where an entry was removed, that is the fault, and not the other one of its call
    if (unmatched !== undefined) throw unmatched;
    const unplaced = await verifyLog(source, signal);
    return {
      ok: true,
      profile,
      lanes,
      receipts,
      limits: limitsOf({ unclosed, unplaced, pinned: trusted !== undefined, seenKeys }),
    };
  } catch (error) {
    if (!(error instanceof JournalFault)) throw error;
    const limits = limitsOf({ unclosed, unplaced: 0, pinned: trusted !== undefined, seenKeys });
    return { ok: false, profile, lanes, receipts, firstBad: { ...error.place, reason: error.message }, limits };
  }
}

interface Findings {
  readonly unclosed: number;
  readonly unplaced: number;
  readonly pinned: boolean;
  readonly seenKeys: ReadonlySet<string>;
}

/** What the walk cannot show, in words. */
function limitsOf({ unclosed, unplaced, pinned, seenKeys }: Findings): string[] {
  const limits = [
    "Without checkpoints kept elsewhere, or witnesses, nobody can show that the newest entries, or whole lanes, were not removed together with every trace of them.",
  ];
  if (!pinned && seenKeys.size > 0) {
    limits.push(
      `The root key was taken from the journal itself: compare its id with the one you were given (${[...seenKeys].join(", ")}).`,
    );
  }
  if (unclosed > 0) limits.push(`Calls that were cut off and wait to be closed as AMBIGUOUS: ${unclosed}.`);
  if (unplaced > 0) limits.push(`Receipts that have no place in the account's log yet: ${unplaced}.`);
  return limits;
}

export interface JournalVerifierOptions {
  readonly source: (accountId: string) => JournalSource;
  readonly keys: KeyService;
  readonly hubId: string;
}

/** The walk as the hub offers it: with the account's root keys as its key service has them. */
export function createJournalVerifier({ source, keys, hubId }: JournalVerifierOptions): JournalVerifier {
  return {
    async verify(accountId, signal) {
      const { versions } = await keys.metadata(accountId, "root");
      const rootKeys = versions.flatMap(({ publicKey }) => (publicKey ? [publicKeyFromDer(publicKey)] : []));
      return verifyJournal({ source: source(accountId), hubId, accountId, rootKeys, ...(signal && { signal }) });
    },
  };
}
