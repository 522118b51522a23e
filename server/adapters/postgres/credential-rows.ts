import type { CredentialKind } from "../../../contracts/credentials/credential-kind.ts";
import type {
  ClaimRow,
  CredentialRecord,
  JournalledRecord,
  StoredCredential,
} from "../../domain/credentials/credential-store.ts";

export interface RecordRow {
  account_id: string;
  id: string;
  name: string;
  kind: CredentialKind;
  username: string | null;
  allowed_hosts: string[];
  consumers: string[];
  expires_at: Date | null;
  rotate_every_days: number | null;
  version: number;
  material_version: number;
  wrapped_key: string | null;
  sealed: Buffer | null;
  salt: Buffer;
  digest: Buffer;
}

export const RECORD_COLUMNS =
  "c.account_id, c.id, c.name, c.kind, c.username, c.allowed_hosts, c.consumers, c.expires_at, c.rotate_every_days, c.version, c.material_version, c.wrapped_key, c.sealed, c.salt, c.digest";

export function recordOf(row: RecordRow): CredentialRecord {
  return {
    accountId: row.account_id,
    id: row.id,
    name: row.name,
    kind: row.kind,
    username: row.username ?? undefined,
    allowedHosts: row.allowed_hosts,
    consumers: row.consumers,
    expiresAt: row.expires_at ?? undefined,
    rotateEveryDays: row.rotate_every_days ?? undefined,
    version: row.version,
    materialVersion: row.material_version,
    wrappedKey: row.wrapped_key ?? undefined,
    sealed: row.sealed ?? undefined,
    salt: row.salt,
    digest: row.digest,
  };
}

export interface CredentialRow extends RecordRow {
  description: string;
  owner_id: string;
  owner_name: string;
  key_version: number | null;
  provided_at: Date | null;
  last_used_at: Date | null;
  used_by: string[];
  created_at: Date;
  updated_at: Date;
}

export const CREDENTIALS = `
  select ${RECORD_COLUMNS}, c.description, c.owner_id, p.name as owner_name, c.key_version, c.provided_at, c.last_used_at,
    array(select 'gitops/' || r.name from gitops_repository r where r.credential_id = c.id order by r.name) as used_by,
    c.created_at, c.updated_at
  from credential c join principal p on (p.account_id, p.id) = (c.account_id, c.owner_id)`;

export function credentialOf(row: CredentialRow): StoredCredential {
  return {
    ...recordOf(row),
    description: row.description,
    owner: { id: row.owner_id, name: row.owner_name },
    keyVersion: row.key_version ?? undefined,
    providedAt: row.provided_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    usedBy: row.used_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export interface JournalledRow extends RecordRow {
  journal_version: number | null;
  journal_digest: string | null;
}

/** One statement: a row and the journal's word on it are seen at one moment. `chosen` picks the rows. */
export const journalled = (chosen: string): string => `
  with c as materialized (select * from credential c where ${chosen})
  select ${RECORD_COLUMNS}, l.version as journal_version, l.digest as journal_digest
  from c left join hub_left_credentials(array(select id from c)) l on l.id = c.id order by c.id`;

export function journalledOf(row: JournalledRow): JournalledRecord {
  const { journal_version: version, journal_digest: digest } = row;
  return { record: recordOf(row), latest: version === null || digest === null ? undefined : { version, digest } };
}

export interface ClaimColumns {
  id: string;
  credential_id: string;
  sha256: Buffer;
  created_by: string;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
  replaced_at: Date | null;
}

export const CLAIMS =
  "select id, credential_id, sha256, created_by, created_at, expires_at, used_at, replaced_at from credential_claim";

export function claimOf(row: ClaimColumns): ClaimRow {
  return {
    id: row.id,
    credentialId: row.credential_id,
    sha256: row.sha256,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at ?? undefined,
    replacedAt: row.replaced_at ?? undefined,
  };
}
