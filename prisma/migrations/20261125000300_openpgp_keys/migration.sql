-- Why: people sign with OpenPGP keys too. Such a key ends by itself, its certificate is renewed under the same
-- fingerprint, and whoever revokes a key is on record.
alter table person_key
  drop constraint person_key_algorithm_check,
  add constraint person_key_algorithm_check check (algorithm in ('ed25519', 'openpgp')),
  -- of an OpenPGP key: its last key that signs stops doing so
  add column expires_at timestamptz,
  -- absent where the hub's root key ended it
  add column revoked_by uuid,
  -- key_id: hex SHA-256 of an Ed25519 key's SPKI DER; 'openpgp:' and the fingerprint, whose public_key is the certificate
  add constraint person_key_id_check check ((algorithm = 'openpgp') = (key_id like 'openpgp:%')),
  add constraint person_key_expiry_check check (algorithm = 'openpgp' or expires_at is null),
  add constraint person_key_revoked_check check (revoked_by is null or revoked_at is not null),
  add constraint person_key_revoker foreign key (account_id, revoked_by) references principal (account_id, id);
