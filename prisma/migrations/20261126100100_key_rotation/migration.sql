-- Why: the key that wraps an account's secrets is rotated while they are in use. Which version was there before is on
-- record before a new one is made, so that a process that is killed in between makes no second one; the walk that carries
-- everything over to the new version keeps its place in the account that it walks; and no version is put out of use
-- while anything is under it, which the database itself sees to for credentials.

alter table account
  -- the latest version of the key `data`, as the last rotation left it
  add column transit_key_version integer not null default 1 check (transit_key_version > 0),
  add column transit_key_rotated_at timestamptz,
  -- no credential may be stored under an older version
  add column transit_key_floor integer not null default 0 check (transit_key_floor >= 0);
create index account_transit_key on account (coalesce(transit_key_rotated_at, created_at), id);

-- A rotation of all accounts' keys: in the hub's account, under the id of its operation, which has state and progress.
create table key_rotation (
  account_id      uuid not null,
  id              uuid not null,
  rate_per_second integer check (rate_per_second > 0),
  paused_at       timestamptz,
  paused_by       uuid,
  -- credentials a second, as the walk last measured it
  pace            double precision,
  finalized_at    timestamptz,
  primary key (account_id, id),
  foreign key (account_id, id) references operation (account_id, id),
  check ((paused_at is null) = (paused_by is null))
);
call make_tenant('key_rotation');

-- What follows a rotation, likewise under its operation's id: raising the floors after a soak, destroying old versions.
create table key_follow_up (
  account_id   uuid not null,
  id           uuid not null,
  rotation_id  uuid not null,
  kind         text not null check (kind in ('finalization', 'trimming')),
  soak_minutes integer check (soak_minutes >= 0),
  soak_until   timestamptz,
  -- when it was over, and nothing was found below
  soaked_at    timestamptz,
  -- of one account alone
  of_account   uuid,
  primary key (account_id, id),
  foreign key (account_id, id) references operation (account_id, id),
  foreign key (account_id, rotation_id) references key_rotation (account_id, id),
  check ((kind = 'finalization') = (soak_minutes is not null))
);
create index key_follow_up_rotation on key_follow_up (account_id, rotation_id, id desc);
call make_tenant('key_follow_up');

-- Accounts that such an operation could not work in: it goes on without them, and tells.
create table key_walk_fault (
  account_id   uuid not null,
  operation_id uuid not null,
  of_account   uuid not null,
  code         text not null,
  at           timestamptz not null,
  primary key (account_id, operation_id, of_account),
  foreign key (account_id, operation_id) references operation (account_id, id)
);
call make_tenant('key_walk_fault');

-- A look at all credentials that changes none: how far it is, and what it found.
create table key_check (
  account_id       uuid not null,
  id               uuid not null,
  after_account    uuid,
  after_credential uuid,
  accounts         integer not null default 0,
  checked          integer not null default 0,
  failed           integer not null default 0,
  primary key (account_id, id),
  foreign key (account_id, id) references operation (account_id, id)
);
call make_tenant('key_check');

create table key_check_finding (
  account_id    uuid not null,
  check_id      uuid not null,
  of_account    uuid not null,
  credential_id uuid not null,
  code          text not null,
  primary key (account_id, check_id, of_account, credential_id),
  foreign key (account_id, check_id) references key_check (account_id, id)
);
call make_tenant('key_check_finding');

-- How far a rotation is in one account, in that account. Its fence is the one of the rotation's operation.
create table key_walk (
  account_id   uuid not null references account (id),
  rotation_id  uuid not null,
  fence        integer not null,
  state        text not null check (state in ('recorded', 'rotated', 'done')),
  from_version integer not null,
  to_version   integer check (to_version > from_version),
  -- the last credential that was looked at in this pass
  cursor       uuid,
  passes       integer not null default 1,
  batches      integer not null default 0,
  rotated      integer not null default 0,
  skipped      integer not null default 0,
  payloads     integer not null default 0,
  recorded_at  timestamptz not null,
  rotated_at   timestamptz,
  done_at      timestamptz,
  encryption_floor_at timestamptz,
  decryption_floor_at timestamptz,
  trimmed_at   timestamptz,
  primary key (account_id, rotation_id),
  check ((state = 'recorded') = (to_version is null))
);
create index key_walk_rotation on key_walk (rotation_id);
call make_tenant('key_walk');

-- What a batch's receipt commits to: which credentials went from which version to which. The digest, salted, stands in
-- the receipt.
create table key_walk_batch (
  account_id    uuid not null,
  rotation_id   uuid not null,
  no            integer not null,
  call_id       uuid not null,
  ids           uuid[] not null,
  from_versions integer[] not null,
  to_versions   integer[] not null,
  salt          bytea not null check (length(salt) = 32),
  digest        text not null,
  at            timestamptz not null,
  primary key (account_id, rotation_id, no),
  foreign key (account_id, rotation_id) references key_walk (account_id, rotation_id)
);
call make_tenant('key_walk_batch');

-- Records that do not open: told by id, and no reason to stop.
create table key_walk_failure (
  account_id  uuid not null,
  rotation_id uuid not null,
  kind        text not null check (kind in ('credential', 'held', 'result', 'outcome')),
  record_id   uuid not null,
  code        text not null,
  at          timestamptz not null,
  primary key (account_id, rotation_id, kind, record_id),
  foreign key (account_id, rotation_id) references key_walk (account_id, rotation_id)
);
call make_tenant('key_walk_failure');

-- The version that a text was encrypted under; null where it was not.
create function hub_sealed_version(sealed text) returns integer language sql immutable parallel safe as
$$ select substring(sealed from '^vault:v([0-9]{1,9}):')::integer $$;

-- What an account keeps under its key beside credentials: held inputs, results and outcomes that wait to be fetched.
-- `id` is a request's, or the call's that an outcome belongs to. With the rights of who asks.
create function hub_sealed_payloads(of_account uuid) returns table (kind text, id uuid, sealed text)
language sql stable as $$
  select 'held', r.id, r.held from approval_request r where r.account_id = of_account and r.held is not null
  union all
  select 'result', r.id, r.result from approval_request r where r.account_id = of_account and r.result is not null
  union all
  select 'outcome', i.call_id, i.outcome from idempotency i where i.account_id = of_account and i.outcome is not null $$;

-- A credential is never committed below the floor: whoever wraps under an old version and commits late is refused, and
-- whoever raises the floor waits for those who stored before and sees what they left. The lock on the account's row is
-- shared among those who store.
create function refuse_below_floor() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare floor integer; lowest integer;
begin
  if tg_op = 'INSERT' then
    select min(key_version) into lowest from stored;
  else
    select min(s.key_version) into lowest from stored s
      join replaced r on r.account_id = s.account_id and r.id = s.id
      where s.wrapped_key is distinct from r.wrapped_key;
  end if;
  if lowest is null then return null; end if;
  for floor in select a.transit_key_floor from account a
    where a.id in (select s.account_id from stored s) order by a.id for share of a loop
    if lowest < floor then
      raise exception 'the key''s version % is below the least one, %', lowest, floor using errcode = '40001';
    end if;
  end loop;
  return null;
end $$;
create trigger credential_inserted_below_floor after insert on credential
  referencing new table as stored for each statement execute function refuse_below_floor();
create trigger credential_updated_below_floor after update on credential
  referencing old table as replaced new table as stored for each statement execute function refuse_below_floor();

-- The same for what waits or is kept for a while.
create function refuse_payload_below_floor() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare floor integer; lowest integer;
begin
  if tg_table_name = 'idempotency' then
    lowest := hub_sealed_version(new.outcome);
  else
    lowest := least(hub_sealed_version(new.held), hub_sealed_version(new.result));
  end if;
  if lowest is null then return new; end if;
  select a.transit_key_floor into floor from account a where a.id = new.account_id for share;
  if lowest < floor then
    raise exception 'the key''s version % is below the least one, %', lowest, floor using errcode = '40001';
  end if;
  return new;
end $$;
create trigger request_below_floor before insert or update of held, result on approval_request
  for each row execute function refuse_payload_below_floor();
create trigger outcome_below_floor before insert or update of outcome on idempotency
  for each row execute function refuse_payload_below_floor();

-- What follows looks across accounts, for the hub's own account alone, and tells ids, codes and counts.
create function is_hub_at_work() returns boolean language sql stable security definer set search_path = pg_catalog, public as
$$ select nullif(current_setting('app.account_id', true), '')::uuid = (select id from account where is_hub) $$;

-- Accounts that a rotation is not through with, and in whose name the hub works there. An account that had a fault is left
-- out. `with_payloads` looks for what is no credential too, which takes longer.
create function hub_rotation_due(rotation uuid, with_payloads boolean, most integer)
returns table (account_id uuid, principal_id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select a.id, p.id
  from account a
  left join principal p on p.account_id = a.id and p.roles = array['hub']
  left join key_walk w on w.account_id = a.id and w.rotation_id = rotation
  where is_hub_at_work()
    and not exists (select from key_walk_fault f where f.operation_id = rotation and f.of_account = a.id)
    and (w.state is distinct from 'done'
      or exists (
        select from credential c where c.account_id = a.id and c.key_version < w.to_version and not exists
          (select from key_walk_failure f where f.account_id = a.id and f.rotation_id = rotation and f.kind = 'credential' and f.record_id = c.id))
      or with_payloads and exists (
        select from hub_sealed_payloads(a.id) s where hub_sealed_version(s.sealed) < w.to_version and not exists
          (select from key_walk_failure f where f.account_id = a.id and f.rotation_id = rotation and f.kind = s.kind and f.record_id = s.id)))
  order by a.id limit most $$;

-- Those that a step which follows is not through with.
create function hub_follow_up_due(rotation uuid, operation uuid, step text, of_account uuid, most integer)
returns table (account_id uuid, principal_id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select w.account_id, p.id
  from key_walk w
  left join principal p on p.account_id = w.account_id and p.roles = array['hub']
  where is_hub_at_work() and w.rotation_id = rotation and w.to_version is not null
    and (of_account is null or w.account_id = of_account)
    and not exists (select from key_walk_fault f where f.operation_id = operation and f.of_account = w.account_id)
    and case step when 'encryption' then w.encryption_floor_at is null
      when 'decryption' then w.decryption_floor_at is null
      else w.trimmed_at is null and w.decryption_floor_at is not null end
  order by w.account_id limit most $$;

create function hub_accounts_after(after uuid, most integer) returns table (account_id uuid, principal_id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select a.id, p.id from account a
  left join principal p on p.account_id = a.id and p.roles = array['hub']
  where is_hub_at_work() and (after is null or a.id > after)
  order by a.id limit most $$;

-- How far a rotation is over all accounts.
create function hub_rotation_totals(rotation uuid)
returns table (accounts bigint, accounts_done bigint, rotated bigint, skipped bigint, failed bigint, remaining bigint,
  payloads bigint, failed_payloads bigint)
language sql stable security definer set search_path = pg_catalog, public as $$
  with walk as (select * from key_walk where rotation_id = rotation),
  broken as (
    select f.account_id, f.kind, f.record_id from key_walk_failure f where f.rotation_id = rotation),
  below as (
    select c.account_id, c.id from credential c left join walk w on w.account_id = c.account_id
    where c.wrapped_key is not null and (w.to_version is null or c.key_version < w.to_version))
  select (select count(*) from account), count(*) filter (where w.state = 'done'),
    coalesce(sum(w.rotated), 0), coalesce(sum(w.skipped), 0),
    (select count(*) from below b join broken f on f.account_id = b.account_id and f.record_id = b.id and f.kind = 'credential'),
    (select count(*) from below b where not exists
      (select from broken f where f.account_id = b.account_id and f.record_id = b.id and f.kind = 'credential')),
    coalesce(sum(w.payloads), 0), (select count(*) from broken f where f.kind <> 'credential')
  from walk w having is_hub_at_work() $$;

-- Whether every process of the hub that keeps keys in memory has looked at them anew since the last key was rotated.
create function hub_rotation_settled(rotation uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
  select coalesce(max(w.rotated_at) < clock_timestamp() - interval '1500 milliseconds', true)
  from key_walk w where is_hub_at_work() and w.rotation_id = rotation $$;

create function hub_rotation_failures(rotation uuid, most integer)
returns table (of_account uuid, kind text, record_id uuid, code text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select f.account_id, f.kind, f.record_id, f.code from key_walk_failure f
  where is_hub_at_work() and f.rotation_id = rotation
  order by f.account_id, f.kind, f.record_id limit most $$;

-- What is still under versions that a rotation wants to put out of use.
create function hub_keys_in_use(rotation uuid)
returns table (credentials bigint, held bigint, results bigint, outcomes bigint, backups bigint)
language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare unretired bigint := 0;
begin
  if not coalesce(is_hub_at_work(), false) then return; end if;
  -- the tables come with the next migration: a function in PL/pgSQL looks for them when it runs
  select count(distinct k.backup_id) into unretired
  from backup_key k
  join backup b on b.id = k.backup_id and b.retired_at is null
  join key_walk w on w.account_id = k.account_id and w.rotation_id = rotation
  where k.lowest_version < w.to_version;
  return query
  select
    (select count(*) from key_walk w join credential c on c.account_id = w.account_id and c.key_version < w.to_version
      where w.rotation_id = rotation),
    count(*) filter (where s.kind = 'held'), count(*) filter (where s.kind = 'result'), count(*) filter (where s.kind = 'outcome'),
    unretired
  from key_walk w join lateral hub_sealed_payloads(w.account_id) s on hub_sealed_version(s.sealed) < w.to_version
  where w.rotation_id = rotation;
end $$;

-- Accounts by the age of their key, oldest first, with how much of theirs is below its version.
create function hub_account_keys(before timestamptz, after_time timestamptz, after_account uuid, most integer)
returns table (account_id uuid, version integer, rotated_at timestamptz, since timestamptz, credentials bigint, below bigint)
language sql stable security definer set search_path = pg_catalog, public as $$
  select a.id, a.transit_key_version, a.transit_key_rotated_at, coalesce(a.transit_key_rotated_at, a.created_at),
    (select count(*) from credential c where c.account_id = a.id and c.wrapped_key is not null),
    (select count(*) from credential c where c.account_id = a.id and c.key_version < a.transit_key_version)
  from account a
  where is_hub_at_work()
    and (coalesce(a.transit_key_rotated_at, a.created_at) <= before
      or exists (select from credential c where c.account_id = a.id and c.key_version < a.transit_key_version))
    and (after_account is null or (coalesce(a.transit_key_rotated_at, a.created_at), a.id) > (after_time, after_account))
  order by coalesce(a.transit_key_rotated_at, a.created_at), a.id limit most $$;

-- The size of a walk that looks at each credential of all accounts.
create function hub_walk_size() returns table (accounts bigint, credentials bigint)
language sql stable security definer set search_path = pg_catalog, public as $$
  select (select count(*) from account where is_hub_at_work()),
    (select count(*) from credential where is_hub_at_work() and wrapped_key is not null) $$;
