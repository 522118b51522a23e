-- Why: a backup holds what was wrapped under versions of keys that a rotation may want to put out of use. Until somebody
-- says that its file is destroyed, those versions have to stay: a backup is on record in the hub's account, and in each
-- account the lowest version of its key that the backup needs.
create table backup (
  account_id  uuid not null references account (id),
  id          uuid not null,
  file_name   text not null check (length(file_name) between 1 and 255),
  created_at  timestamptz not null default now(),
  -- the file is whole and has its name
  finished_at timestamptz,
  bytes       bigint check (bytes >= 0),
  records     bigint check (records >= 0),
  -- SHA-256 of the file, hex
  digest      text check (digest ~ '^[0-9a-f]{64}$'),
  -- somebody said that the file is no more
  retired_at  timestamptz,
  retired_by  uuid,
  primary key (account_id, id),
  foreign key (account_id, retired_by) references principal (account_id, id),
  check ((finished_at is null) = (bytes is null)),
  check ((finished_at is null) = (records is null)),
  check ((finished_at is null) = (digest is null)),
  check (retired_by is null or retired_at is not null)
);
call make_tenant('backup');

-- Of the key that wraps data keys and payloads. The backup's own row is the hub's.
create table backup_key (
  account_id     uuid not null references account (id),
  backup_id      uuid not null,
  key_name       text not null check (key_name = 'data'),
  lowest_version integer not null check (lowest_version > 0),
  primary key (account_id, backup_id, key_name)
);
create index backup_key_backup on backup_key (backup_id);
call make_tenant('backup_key');

-- The lowest version of each account's key that is in use; accounts that keep nothing under it are left out. With the
-- rights of who asks.
create function hub_key_versions_in_use() returns table (account_id uuid, lowest_version integer)
language sql stable as $$
  select a.id, min(s.version)
  from account a join lateral (
    select c.key_version as version from credential c where c.account_id = a.id
    union all
    select hub_sealed_version(p.sealed) from hub_sealed_payloads(a.id) p) s on s.version is not null
  group by a.id $$;

-- Before anything is read for a backup: whatever is stored from now on is under these versions or later ones.
create function hub_backup_begun(backup uuid) returns void
language sql security definer set search_path = pg_catalog, public as $$
  insert into backup_key (account_id, backup_id, key_name, lowest_version)
  select a.id, backup, 'data', coalesce(u.lowest_version, a.transit_key_version, 1)
  from account a left join hub_key_versions_in_use() u on u.account_id = a.id
  where is_hub_at_work() and exists (select from backup b where b.id = backup and b.finished_at is null) $$;

-- Once it is read, and before it is finished: what it really holds. That may be less than was in use when it was begun;
-- or more, since accounts are made meanwhile, and a process may wrap under the version before for a moment after a rotation.
create function hub_backup_measured(backup uuid, accounts uuid[], versions integer[]) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  if not coalesce(is_hub_at_work(), false) or not exists (select from backup b where b.id = backup and b.finished_at is null)
    then return; end if;
  delete from backup_key k where k.backup_id = backup and k.account_id <> all (accounts);
  insert into backup_key (account_id, backup_id, key_name, lowest_version)
    select m.account, backup, 'data', m.version from unnest(accounts, versions) m(account, version)
    on conflict (account_id, backup_id, key_name) do update set lowest_version = excluded.lowest_version;
end $$;

-- Of how many accounts a backup holds something wrapped, for the hub's own account alone.
create function hub_backup_accounts(backup uuid) returns bigint
language sql stable security definer set search_path = pg_catalog, public as
$$ select count(*) from backup_key k where is_hub_at_work() and k.backup_id = backup $$;
