-- Why: secrets that the hub uses in its callers' stead are kept here, sealed, each with where it may be sent and by what.
-- A row can be copied or put back by whoever has the database: so the journal holds each credential's latest version and
-- digest, and hub_left_credentials() reads them from the receipts.

create table credential (
  account_id       uuid not null references account (id),
  id               uuid not null,
  name             text not null,
  kind             text not null check (kind in ('git-https', 'ssh-key', 'bearer-token')),
  description      text not null,
  owner_id         uuid not null,
  username         text,
  allowed_hosts    text[] not null check (cardinality(allowed_hosts) > 0),
  consumers        text[] not null check (cardinality(consumers) > 0),
  expires_at       timestamptz,
  rotate_every_days integer check (rotate_every_days > 0),
  -- grows with every change but a rewrap
  version          integer not null check (version > 0),
  -- 0: no secret was given yet
  material_version integer not null check (material_version >= 0),
  -- the row's data key under the account's key `data`
  wrapped_key      text,
  key_version      integer generated always as ((substring(wrapped_key from '^vault:v([0-9]+):'))::integer) stored,
  -- AES-256-GCM: nonce, ciphertext, tag; account, id and material_version are its associated data
  sealed           bytea,
  -- drawn anew with every version, so that nobody can test a guess of the rest against the digest
  salt             bytea not null default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) check (length(salt) = 32),
  -- SHA-256 over what the row says, but for the wrapped key, the times and the words
  digest           bytea not null check (length(digest) = 32),
  provided_at      timestamptz,
  last_used_at     timestamptz,
  created_by       uuid not null,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  primary key (account_id, id),
  foreign key (account_id, owner_id) references principal (account_id, id),
  foreign key (account_id, created_by) references principal (account_id, id),
  check ((material_version = 0) = (wrapped_key is null)),
  check ((material_version = 0) = (sealed is null)),
  check ((material_version = 0) = (provided_at is null)),
  check (wrapped_key is null or key_version is not null)
);
create unique index credential_name on credential (account_id, name);
-- rows below a version of the key are walked and counted by it
create index credential_key_version on credential (account_id, key_version);
call make_tenant('credential');

-- The right to give a credential its secret, once: what an approved call answers with in place of taking the secret.
create table credential_claim (
  account_id    uuid not null,
  id            uuid not null,
  credential_id uuid not null,
  sha256        bytea not null check (length(sha256) = 32),
  created_by    uuid not null,
  created_at    timestamptz not null,
  expires_at    timestamptz not null,
  used_at       timestamptz,
  -- a newer claim took its place
  replaced_at   timestamptz,
  primary key (account_id, id),
  foreign key (account_id, credential_id) references credential (account_id, id) on delete cascade,
  foreign key (account_id, created_by) references principal (account_id, id),
  check (used_at is null or replaced_at is null)
);
create unique index credential_claim_id on credential_claim (id);
create unique index credential_claim_open on credential_claim (account_id, credential_id)
  where used_at is null and replaced_at is null;
call make_tenant('credential_claim');

-- Who brings a claim's code: the hash of its secret, what it is for, and the principal that asked for it, in whose name
-- it is used.
create function hub_credential_claim(claim_id uuid)
returns table (account_id uuid, credential_name text, created_by uuid, sha256 bytea, state text, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select c.account_id, r.name, c.created_by, c.sha256,
    case when c.used_at is not null then 'used' when c.replaced_at is not null then 'replaced'
      when c.expires_at <= now() then 'expired' else 'open' end,
    c.expires_at
  from credential_claim c join credential r on r.account_id = c.account_id and r.id = c.credential_id
  where c.id = claim_id $$;

-- What a receipt says that its call left behind.
create function receipt_left(statement bytea) returns jsonb language sql immutable parallel safe as
$$ select (convert_from(statement, 'UTF8')::json #> '{predicate,left}')::jsonb $$;
create function receipt_left_ids(statement bytea) returns text[]
language sql immutable parallel safe set search_path = pg_catalog, public as
$$ select array(select one ->> 'id' from jsonb_array_elements(receipt_left(statement)) one) $$;
create index receipt_left_credentials on receipt using gin (receipt_left_ids(statement)) with (fastupdate = off)
  where phase = 'outcome' and code = 'OK' and action like 'system_credentials_%';

-- The latest version and digest (hex, or `deleted`) of credentials of the account at work, as its journal has them;
-- outcomes that committed and wait for their place in a lane count too.
create function hub_left_credentials(ids uuid[]) returns table (id uuid, version integer, digest text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select distinct on (l.id) l.id, l.version, l.digest
  from (
    select receipt_left(r.statement) as left_behind
    from receipt r
    where r.phase = 'outcome' and r.code = 'OK' and r.action like 'system_credentials_%'
      and r.account_id = nullif(current_setting('app.account_id', true), '')::uuid
      and receipt_left_ids(r.statement) && ids::text[]
    union all
    select (s.statement::json #> '{predicate,left}')::jsonb
    from outcome_staged s
    where s.account_id = nullif(current_setting('app.account_id', true), '')::uuid
      and s.code = 'OK' and s.action like 'system_credentials_%'
  ) found
  cross join lateral jsonb_to_recordset(found.left_behind) as l(type text, id uuid, version integer, digest text)
  where l.type = 'Credential' and l.id = any (ids)
  order by l.id, l.version desc $$;

-- Credentials that the journal of the account at work left there, and that have no row.
create function hub_lost_credentials(most integer) returns table (id uuid, version integer)
language sql stable security definer set search_path = pg_catalog, public as $$
  select known.id, known.version
  from (
    select distinct on (l.id) l.id, l.version, l.digest
    from receipt r
    cross join lateral jsonb_to_recordset(receipt_left(r.statement)) as l(type text, id uuid, version integer, digest text)
    where r.phase = 'outcome' and r.code = 'OK' and r.action like 'system_credentials_%'
      and r.account_id = nullif(current_setting('app.account_id', true), '')::uuid and l.type = 'Credential'
    order by l.id, l.version desc) known
  where known.digest <> 'deleted' and not exists (
    select from credential c
    where c.account_id = nullif(current_setting('app.account_id', true), '')::uuid and c.id = known.id)
  order by known.id limit most $$;
