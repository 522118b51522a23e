import * as z from "zod";

/**
 * What a backup says of itself. The file is an age file (age-encryption.org/v1) of a gzip stream of a tar archive:
 * `manifest.json` first; then each table's rows in PostgreSQL's text format for COPY, in pieces named
 * `tables/<table>/<number>.copy`, and what is known of the keys in `keys/<number>.jsonl`; `totals.json` last.
 */
export const BACKUP_FORMAT = "countersign-backup/1";

export const MANIFEST_NAME = "manifest.json";
export const TOTALS_NAME = "totals.json";

const name = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);

export const backupTable = z.strictObject({
  name,
  columns: z.array(name).min(1),
  /** Rows are in the order of these. */
  key: z.array(name),
});
export type BackupTable = z.output<typeof backupTable>;

export const manifest = z.strictObject({
  format: z.literal(BACKUP_FORMAT),
  id: z.uuid(),
  hubId: z.uuid(),
  createdAt: z.iso.datetime(),
  program: z.string(),
  postgres: z.string(),
  keyService: z.enum(["embedded", "vault"]),
  migrations: z.array(z.strictObject({ name: z.string(), checksum: z.string().regex(/^[0-9a-f]{64}$/) })),
  /** In an order in which references hold. */
  tables: z.array(backupTable),
  /** Where numbering was; decimal digits. */
  sequences: z.array(z.strictObject({ table: name, column: name, last: z.string().regex(/^[0-9]+$/) })),
});
export type Manifest = z.output<typeof manifest>;

const total = z.strictObject({
  rows: z.int(),
  bytes: z.int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Total = z.output<typeof total>;

/** By table, and `keys`. */
export const totals = z.strictObject({ tables: z.record(name, total), keys: total });
export type Totals = z.output<typeof totals>;

/** One line of `keys/`: what there is of a key, without its secret. */
export const backupKeyLine = z.strictObject({
  accountId: z.uuid(),
  name: z.string(),
  type: z.string(),
  latestVersion: z.int(),
  minDecryptionVersion: z.int(),
  minEncryptionVersion: z.int(),
  minAvailableVersion: z.int(),
  /** SPKI DER, Base 64, of versions that sign. */
  publicKeys: z.record(z.string(), z.string()),
});
export type BackupKeyLine = z.output<typeof backupKeyLine>;
