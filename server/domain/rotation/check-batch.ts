import { checkRecords, type RecordVerdict } from "../credentials/check-records.ts";
import type { CredentialReader, LeftInJournal } from "../credentials/credential-store.ts";
import type { AccountKeys } from "./account-keys.ts";

const MOST_LOST = 500;
/** Of receipts; a batch of them takes about as long as a batch of credentials. */
const LOST_PAGES = 20;

export interface CheckedBatch {
  readonly checked: number;
  /** Of these, those that opened and are what the journal says. */
  readonly opened: number;
  /** Those that hold, and have no secret yet. */
  readonly waiting: number;
  /** What does not hold, and why. */
  readonly findings: { readonly id: string; readonly code: string }[];
  readonly last: string | null;
  /** All rows were looked at, and receipts up to here for credentials that have none. */
  readonly lostAfter: string | null;
  readonly finished: boolean;
}

interface From {
  readonly after?: string | undefined;
  readonly lostAfter?: string | undefined;
  readonly size: number;
}

/**
 * Credentials from `after` on, each opened and compared with the journal. Behind the last one, or from `lostAfter` on, the
 * account's receipts are looked through for those that have no row any more.
 */
export async function checkBatch(
  credentials: CredentialReader,
  { after, lostAfter, size }: From,
  keys: AccountKeys,
): Promise<CheckedBatch> {
  const rows = lostAfter === undefined ? await checkRows(credentials, { after, size }, keys) : NO_ROWS;
  if (!rows.finished) return { ...rows, lostAfter: null };
  const lost = await missing(credentials, lostAfter);
  return {
    ...rows,
    findings: [...rows.findings, ...lost.findings],
    lostAfter: lost.next ?? null,
    finished: lost.next === undefined,
  };
}

type CheckedRows = Omit<CheckedBatch, "lostAfter">;

const NO_ROWS: CheckedRows = { checked: 0, opened: 0, waiting: 0, findings: [], last: null, finished: true };

async function checkRows(
  credentials: CredentialReader,
  { after, size }: Pick<From, "after" | "size">,
  keys: AccountKeys,
): Promise<CheckedRows> {
  const batch = await credentials.batch(after, size);
  const latest = new Map<string, LeftInJournal>();
  for (const { record, latest: left } of batch) if (left) latest.set(record.id, left);
  const checked = await checkRecords(
    batch.map(({ record }) => record),
    keys,
    latest,
  );
  const having = (wanted: RecordVerdict) => checked.filter(({ verdict }) => verdict === wanted).length;
  return {
    checked: batch.length,
    opened: having("OK"),
    waiting: having("EMPTY"),
    findings: checked.flatMap(({ id, verdict }) =>
      verdict === "OK" || verdict === "EMPTY" ? [] : [{ id, code: verdict }],
    ),
    last: batch.at(-1)?.record.id ?? null,
    finished: batch.length < size,
  };
}

async function missing(credentials: CredentialReader, after: string | undefined) {
  const findings: { id: string; code: string }[] = [];
  let next = after;
  for (let pages = 0; pages < LOST_PAGES && findings.length < MOST_LOST; pages++) {
    const limit = MOST_LOST - findings.length;
    const page = await credentials.lost({ limit, ...(next !== undefined && { cursor: next }) });
    findings.push(...page.items.map(({ id }) => ({ id, code: "CREDENTIAL_MISSING" })));
    next = page.next;
    if (next === undefined) break;
  }
  return { findings, next };
}
