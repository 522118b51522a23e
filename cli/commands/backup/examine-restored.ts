import { accountDirectory } from "../../../server/adapters/postgres/account-store.ts";
import { openSnapshot, type Snapshot } from "../../../server/adapters/postgres/backup-reader.ts";
import { credentialReader } from "../../../server/adapters/postgres/credential-store.ts";
import type { Database } from "../../../server/adapters/postgres/database.ts";
import { journalSource } from "../../../server/adapters/postgres/journal-source.ts";
import type { KeyService } from "../../../server/domain/keys/key-service.ts";
import { checkBatch } from "../../../server/domain/rotation/check-batch.ts";
import type { ErrorCode } from "../../../server/errors.ts";
import { createJournalVerifier } from "../../../server/journal/verify-journal.ts";
import { examineKeys, type Finding } from "./examine-keys.ts";
import type { RestorePlace } from "./load-backup.ts";
import type { OpenedBackup } from "./read-backup.ts";

const CREDENTIALS_AT_A_TIME = 150;

export interface Examination {
  readonly tables: number;
  readonly rows: number;
  readonly accounts: number;
  readonly receipts: number;
  readonly credentials: number;
  /** Of these, those that open and are the journal's latest; those without a secret yet; the others have a finding. */
  readonly opened: number;
  readonly waiting: number;
  readonly keys: number;
  readonly findings: readonly Finding[];
}

/** The tables of a database that was just filled, read once more and held against what the backup says of them. */
export async function examineTables(
  { owner }: RestorePlace,
  backup: OpenedBackup,
  check: () => void = () => {},
): Promise<Pick<Examination, "tables" | "rows" | "findings"> & Pick<Snapshot, "keyVersions">> {
  const findings: Finding[] = [];
  const said = backup.totals();
  let rows = 0;
  await using snapshot = await openSnapshot(owner);
  for (const table of backup.manifest.tables) {
    const { pieces, total } = snapshot.rows(table);
    for await (const _piece of pieces) check(); // counted on the way
    const is = total();
    rows += is.rows;
    if (is.sha256 === said.tables[table.name]?.sha256) continue;
    const sentence = `It has ${is.rows} rows, and had ${said.tables[table.name]?.rows ?? "none"}; or they differ.`;
    findings.push({ what: `table ${table.name}`, code: "BACKUP_DAMAGED", sentence });
  }
  return { tables: backup.manifest.tables.length, rows, findings, keyVersions: snapshot.keyVersions };
}

/** What the rows mean: journals verify, credentials open and are the journal's latest, keys are there and work. */
export async function examineRestored(
  database: Database,
  keys: KeyService,
  { backup, keyVersions }: { readonly backup: OpenedBackup } & Pick<Snapshot, "keyVersions">,
  onAccount: (done: number, of: number) => void,
): Promise<Pick<Examination, "accounts" | "receipts" | "credentials" | "opened" | "waiting" | "keys" | "findings">> {
  const findings: Finding[] = [];
  const counts = { accounts: 0, receipts: 0, credentials: 0, opened: 0, waiting: 0, keys: 0 };
  for await (const fault of examineKeys(backup.keysFile, keys, keyVersions)) {
    counts.keys += 1;
    if (fault) findings.push(fault);
  }
  const { hubId } = backup.manifest;
  const verifier = createJournalVerifier({ source: (id) => journalSource(database, id), keys, hubId });
  const accounts = await accountDirectory(database).accountIds();
  for (const accountId of accounts) {
    onAccount(counts.accounts++, accounts.length);
    const { ok, receipts, firstBad } = await verifier.verify(accountId);
    counts.receipts += receipts;
    if (!ok) findings.push({ what: "journal", accountId, code: "PROOF_INVALID", sentence: firstBad?.reason ?? "" });
    const checked = await examineCredentials(database, keys, accountId);
    counts.credentials += checked.count;
    counts.opened += checked.opened;
    counts.waiting += checked.waiting;
    findings.push(...checked.findings);
  }
  return { ...counts, findings };
}

async function examineCredentials(
  database: Database,
  keys: KeyService,
  accountId: string,
): Promise<{ count: number; opened: number; waiting: number; findings: Finding[] }> {
  const found: Finding[] = [];
  const counts = { count: 0, opened: 0, waiting: 0 };
  for (let place: { readonly after?: string; readonly lostAfter?: string } = {}; ; ) {
    const from = place;
    const { checked, opened, waiting, findings, last, lostAfter, finished } = await database.read(
      accountId,
      (session) => checkBatch(credentialReader(session), { ...from, size: CREDENTIALS_AT_A_TIME }, keys),
    );
    counts.count += checked;
    counts.opened += opened;
    counts.waiting += waiting;
    for (const { id, code } of findings)
      found.push({ what: `credential ${id}`, accountId, code: code as ErrorCode, sentence: WORDS[code] ?? code });
    if (finished) return { ...counts, findings: found };
    place = { ...place, ...(last !== null && { after: last }), ...(lostAfter !== null && { lostAfter }) };
  }
}

const WORDS: Readonly<Record<string, string>> = {
  CIPHERTEXT_INVALID: "Its secret does not open.",
  KEY_VERSION_TOO_OLD: "Its secret is under a version of the key that is out of use.",
  CREDENTIAL_REPLACED: "It is not what the journal has of it.",
  CREDENTIAL_UNRECORDED: "The journal never heard of it.",
  CREDENTIAL_MISSING: "The journal has it, and there is no row.",
};
