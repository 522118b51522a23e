-- Why: keys have rules, as in a transit engine: which versions may still be used, whether the key may be deleted, and
-- whether it is derived from. A key without a row here has the rules it was made with before there were any: all versions
-- from the oldest on, never deleted, not derived from. Two more types of keys come with them.
alter table key_version
  drop constraint key_version_type_check,
  add constraint key_version_type_check
    check (type in ('aes256-gcm96', 'chacha20-poly1305', 'ed25519', 'ecdsa-p256', 'hmac'));

create table key_rules (
  account_id             uuid not null references account (id),
  name                   text not null,
  derived                boolean not null default false,
  min_decryption_version integer not null default 1 check (min_decryption_version > 0),
  -- 0: no limit
  min_encryption_version integer not null default 0 check (min_encryption_version >= 0),
  -- versions below are destroyed; 0: none ever was
  min_available_version  integer not null default 0 check (min_available_version >= 0),
  deletion_allowed       boolean not null default false,
  primary key (account_id, name)
);
call make_tenant('key_rules');
