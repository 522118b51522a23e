-- Why: the embedded key service keeps an account's keys here, each private half wrapped by the root key, which is a
-- file outside of the database and of the data folder.
create table key_version (
  account_id uuid not null references account (id),
  name       text not null,
  version    integer not null check (version > 0),
  type       text not null check (type in ('ed25519', 'aes256-gcm96', 'hmac')),
  wrapped    bytea not null,
  public_key bytea,
  created_at timestamptz not null default now(),
  primary key (account_id, name, version)
);
call make_tenant('key_version');
