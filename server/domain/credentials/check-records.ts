import type { HubError } from "../../errors.ts";
import type { BatchResult, KeyService } from "../keys/key-service.ts";
import { BATCH_LIMIT } from "../keys/limits.ts";
import { credentialDigest, openMaterial } from "./credential-record.ts";
import { type CredentialRecord, DELETED, type LeftInJournal } from "./credential-store.ts";

/**
 * CREDENTIAL_REPLACED: the row is older or other than the journal's latest. CREDENTIAL_UNRECORDED: the journal never heard
 * of it. CREDENTIAL_MISSING: the journal has it, and there is no row. EMPTY: sound, and no secret was given yet.
 */
export const RECORD_VERDICTS = [
  "OK",
  "EMPTY",
  "CIPHERTEXT_INVALID",
  "KEY_VERSION_TOO_OLD",
  "CREDENTIAL_REPLACED",
  "CREDENTIAL_UNRECORDED",
  "CREDENTIAL_MISSING",
] as const;
export type RecordVerdict = (typeof RECORD_VERDICTS)[number];

export interface CheckedRecord {
  readonly id: string;
  /** Undefined where there is no row. */
  readonly name: string | undefined;
  readonly verdict: RecordVerdict;
}

/**
 * Looks at credentials of one account without changing anything: whether each is what the journal says was left of it, and
 * whether its secret opens. `latestInJournal` holds what the journal has of these ids (and of others that are to have a
 * row among these); without it, the rows alone are looked at. In the order of the rows. Throws KEY_SERVICE_* and
 * STORE_UNAVAILABLE: then nothing was found out.
 */
export async function checkRecords(
  rows: readonly CredentialRecord[],
  keys: Pick<KeyService, "decryptBatch">,
  latestInJournal: ReadonlyMap<string, LeftInJournal> | undefined,
): Promise<CheckedRecord[]> {
  const checked: CheckedRecord[] = [];
  for (let at = 0; at < rows.length; at += BATCH_LIMIT) {
    const part = rows.slice(at, at + BATCH_LIMIT);
    const opened = await opensOf(part, keys);
    for (const row of part) {
      const standing = latestInJournal && againstJournal(row, latestInJournal.get(row.id));
      checked.push({ id: row.id, name: row.name, verdict: standing ?? opened.get(row.id) ?? "OK" });
    }
  }
  const found = new Set(rows.map(({ id }) => id));
  for (const [id, latest] of latestInJournal ?? [])
    if (!found.has(id) && latest.digest !== DELETED)
      checked.push({ id, name: undefined, verdict: "CREDENTIAL_MISSING" });
  return checked;
}

/** What is wrong with a row by the journal; undefined where it is the latest. */
export function againstJournal(
  row: CredentialRecord,
  latest: LeftInJournal | undefined,
): "CREDENTIAL_REPLACED" | "CREDENTIAL_UNRECORDED" | undefined {
  if (!latest) return "CREDENTIAL_UNRECORDED";
  const is = credentialDigest(row).toString("hex");
  const sound = row.digest.toString("hex") === is && latest.version === row.version && latest.digest === is;
  return sound ? undefined : "CREDENTIAL_REPLACED";
}

async function opensOf(
  rows: readonly CredentialRecord[],
  keys: Pick<KeyService, "decryptBatch">,
): Promise<Map<string, RecordVerdict>> {
  const verdicts = new Map<string, RecordVerdict>();
  const sealed = rows.filter(({ wrappedKey }) => wrappedKey !== undefined);
  for (const { id, wrappedKey } of rows) if (wrappedKey === undefined) verdicts.set(id, "EMPTY");
  const [first] = sealed;
  if (!first) return verdicts;
  const items = sealed.map(({ wrappedKey = "" }) => ({ ciphertext: wrappedKey }));
  const keysOf = await keys.decryptBatch(first.accountId, "data", items);
  for (const [index, row] of sealed.entries()) verdicts.set(row.id, opens(row, keysOf[index]));
  return verdicts;
}

function opens(row: CredentialRecord, dataKey: BatchResult<Buffer> | undefined): RecordVerdict {
  if (dataKey === undefined) return "CIPHERTEXT_INVALID";
  if (!dataKey.ok) return verdictOf(dataKey.error);
  try {
    openMaterial(row, dataKey.value).fill(0);
    return "OK";
  } catch {
    return "CIPHERTEXT_INVALID";
  } finally {
    dataKey.value.fill(0);
  }
}

/** A key service that does not answer says nothing of the record; one that never had the version does. */
function verdictOf(error: HubError): RecordVerdict {
  if (error.code === "KEY_NOT_FOUND") return "CIPHERTEXT_INVALID";
  if (error.code === "CIPHERTEXT_INVALID" || error.code === "KEY_VERSION_TOO_OLD") return error.code;
  throw error;
}
