import { checkRecords } from "../credentials/check-records.ts";
import type { CredentialReader, LeftInJournal } from "../credentials/credential-store.ts";
import type { AccountKeys } from "./account-keys.ts";

const MOST_LOST = 500;

export interface CheckedBatch {
  readonly checked: number;
  /** What does not hold, and why. */
  readonly findings: { readonly id: string; readonly code: string }[];
  readonly last: string | null;
  readonly finished: boolean;
}

/** Credentials from `after` on, each opened and compared with the journal; at the end also those that have no row any more. */
export async function checkBatch(
  credentials: CredentialReader,
  { after, size }: { readonly after?: string | undefined; readonly size: number },
  keys: AccountKeys,
): Promise<CheckedBatch> {
  const batch = await credentials.batch(after, size);
  const latest = new Map<string, LeftInJournal>();
  for (const { record, latest: left } of batch) if (left) latest.set(record.id, left);
  const checked = await checkRecords(
    batch.map(({ record }) => record),
    keys,
    latest,
  );
  const findings: { id: string; code: string }[] = checked.flatMap(({ id, verdict }) =>
    verdict === "OK" || verdict === "EMPTY" ? [] : [{ id, code: verdict }],
  );
  const finished = batch.length < size;
  if (finished) {
    const lost = await credentials.lost(MOST_LOST);
    findings.push(...lost.map(({ id }) => ({ id, code: "CREDENTIAL_MISSING" })));
  }
  return { checked: batch.length, findings, last: batch.at(-1)?.record.id ?? null, finished };
}
