-- Why: the journal. Every call leaves receipts; an epoch is one incarnation of a process that writes them; a lane is one
-- account's receipts of one epoch, an append-only log (RFC 6962). hub_append() adds a group of receipts to any number of
-- lanes or adds nothing; the runtime role has no other way to write a receipt and no way to change one.
--
-- Advisory locks: (7311, epoch) is held by the session of the epoch's writer for as long as it lives; (7312, epoch) is
-- held shared by transactions that stage an outcome, exclusively by who closes the epoch.
-- SQLSTATEs: CS001 the epoch is over, CS002 a spend is refused, CS003 a staged outcome is not there.

create table journal_epoch (
  no             bigint generated always as identity primary key,
  id             uuid not null unique,
  public_key     bytea not null,
  opened_at      timestamptz not null default now(),
  key_expires_at timestamptz not null,
  commits        bigint not null default 0,
  -- no entry is added any more: the writer moved on to another epoch, ended, or was found dead
  fenced_at      timestamptz,
  -- further, no effect can stage an outcome any more: what was left behind may be dealt with
  closed_at      timestamptz,
  -- all its receipts are in their accounts' logs
  integrated_at  timestamptz,
  check (closed_at is null or fenced_at is not null)
) with (fillfactor = 50);
create index journal_epoch_unclosed on journal_epoch (no) where closed_at is null;
create index journal_epoch_unintegrated on journal_epoch (no) where integrated_at is null;

create table lane (
  account_id  uuid not null references account (id),
  epoch_no    bigint not null references journal_epoch (no),
  size        bigint not null,
  -- SHA-256 of the newest statement
  head        bytea not null,
  root        bytea not null,
  primary key (account_id, epoch_no)
) with (fillfactor = 20);
create index lane_epoch on lane (epoch_no);
call make_tenant('lane');

-- Apart from the lane, whose row is written anew by each commit.
create table lane_certificate (
  account_id uuid not null,
  epoch_no   bigint not null,
  -- DSSE envelope, byte for byte what the lane's first entry names by its hash
  envelope   text not null,
  opened_at  timestamptz not null default now(),
  primary key (account_id, epoch_no),
  foreign key (account_id, epoch_no) references lane (account_id, epoch_no)
);
call make_tenant('lane_certificate');

create table receipt (
  account_id   uuid not null,
  epoch_no     bigint not null,
  sequence     bigint not null,
  call_id      uuid not null,
  phase        text not null check (phase in ('intent', 'outcome')),
  action       text not null,
  principal_id uuid,
  code         text not null,
  at           timestamptz not null,
  -- canonical JSON, byte for byte what is hashed into the lane
  statement    bytea not null,
  primary key (account_id, epoch_no, sequence)
);
-- a call has one intent and one outcome, whoever writes them
create unique index receipt_once on receipt (account_id, call_id, phase);
alter table receipt alter column statement set storage main;
call make_tenant('receipt');

-- What one group commit says of one lane: the note is the same for all lanes of the commit, the path leads to this one.
create table lane_commit (
  account_id uuid not null,
  epoch_no   bigint not null,
  size       bigint not null,
  root       bytea not null,
  note       text not null,
  lane_index integer not null,
  path       bytea not null,
  primary key (account_id, epoch_no, size)
);
call make_tenant('lane_commit');

-- Roots of complete subtrees of 2^8, 2^16, ... entries, so that a proof of one receipt reads hundreds of hashes and not
-- the whole lane.
create table lane_node (
  account_id uuid not null,
  epoch_no   bigint not null,
  level      integer not null,
  index      bigint not null,
  hash       bytea not null,
  primary key (account_id, epoch_no, level, index)
);
call make_tenant('lane_node');

-- Intents without an outcome, and outcomes without a place in a lane: small tables that turn over with every change.
create table in_flight (
  account_id uuid not null,
  call_id    uuid not null,
  epoch_no   bigint not null,
  primary key (account_id, call_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
call make_tenant('in_flight');

create table outcome_staged (
  account_id   uuid not null,
  call_id      uuid not null,
  epoch_no     bigint not null,
  action       text not null,
  principal_id uuid,
  code         text not null,
  at           timestamptz not null,
  statement    text not null,
  -- by the account's key: the right to insert a row is not enough to have it signed
  mac          bytea not null,
  mac_version  integer not null,
  primary key (account_id, call_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
call make_tenant('outcome_staged');

create table spent_confirmation (
  account_id uuid not null,
  id         uuid not null,
  call_id    uuid not null,
  spent_at   timestamptz not null default now(),
  primary key (account_id, id)
);
create index spent_confirmation_age on spent_confirmation (spent_at);
call make_tenant('spent_confirmation');

-- The account's log: the receipts of all its lanes, in one order that only grows at its end.
create table account_log (
  account_id          uuid not null primary key references account (id),
  next_position       bigint not null default 0,
  next_event_position bigint not null default 0
) with (fillfactor = 50);
call make_tenant('account_log');

create table log_entry (
  account_id   uuid not null,
  position     bigint not null,
  epoch_no     bigint not null,
  sequence     bigint not null,
  call_id      uuid not null,
  phase        text not null,
  action       text not null,
  principal_id uuid,
  code         text not null,
  at           timestamptz not null,
  primary key (account_id, position)
);
create unique index log_entry_source on log_entry (account_id, epoch_no, sequence);
create index log_entry_principal on log_entry (account_id, principal_id, position);
create index log_entry_action on log_entry (account_id, action, position);
create index log_entry_unusual on log_entry (account_id, code, position) where code not in ('OK', 'PENDING');
call make_tenant('log_entry');

-- How much of a lane is in the log: apart from `lane`, so that the integrator never waits for the writer.
create table lane_integrated (
  account_id uuid not null,
  epoch_no   bigint not null,
  size       bigint not null,
  primary key (account_id, epoch_no)
) with (fillfactor = 20);
call make_tenant('lane_integrated');

-- The session that calls this is the epoch's writer for as long as it lives. The lock is taken before anybody can see
-- the epoch.
create function hub_open_epoch(epoch_id uuid, key bytea, expires_at timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare epoch bigint;
begin
  insert into journal_epoch (id, public_key, key_expires_at) values (epoch_id, key, expires_at) returning no into epoch;
  perform pg_advisory_lock(7311, epoch::integer);
  return epoch;
end $$;

-- The writer lost its session and goes on in another: its calls under way still belong to the epoch. False where the
-- epoch is held by somebody else, or closed.
create function hub_resume_epoch(epoch bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  if not pg_try_advisory_lock(7311, epoch::integer) then return false; end if;
  if exists (select from journal_epoch where no = epoch and closed_at is null) then return true; end if;
  perform pg_advisory_unlock(7311, epoch::integer);
  return false;
end $$;

-- Ends an epoch for entries. Answers with the number of commits, which cannot change any more.
create function hub_fence_epoch(epoch bigint) returns bigint
language sql security definer set search_path = pg_catalog, public as
$$ update journal_epoch set fenced_at = coalesce(fenced_at, now()) where no = epoch returning commits $$;

-- Closes the epoch of a writer that is gone: `alive` where it is not, `busy` while a transaction that staged an outcome
-- is still open. Calls that claimed an idempotency key and got no further give it back.
create function hub_close_epoch(epoch bigint) returns text
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  if not pg_try_advisory_xact_lock(7311, epoch::integer) then return 'alive'; end if;
  update journal_epoch set fenced_at = now() where no = epoch and fenced_at is null;
  if not pg_try_advisory_xact_lock(7312, epoch::integer) then return 'busy'; end if;
  update journal_epoch set closed_at = now() where no = epoch and closed_at is null;
  perform hub_drop_recorded(epoch);
  delete from idempotency i where i.epoch_no = epoch and i.state = 'running' and not exists
    (select from receipt r where r.account_id = i.account_id and r.call_id = i.call_id and r.phase = 'intent');
  return 'closed';
end $$;

-- An outcome that is in a lane waits for no place any more.
create function hub_drop_recorded(epoch bigint) returns void
language sql security definer set search_path = pg_catalog, public as $$
  delete from outcome_staged s using receipt r
  where s.epoch_no = epoch and r.account_id = s.account_id and r.call_id = s.call_id and r.phase = 'outcome' $$;

-- Closes an epoch that its living writer has moved on from, once no call of it is under way.
create function hub_retire_epoch(epoch bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  perform hub_fence_epoch(epoch);
  perform hub_drop_recorded(epoch);
  if exists (select from in_flight where epoch_no = epoch)
    or exists (select from idempotency where epoch_no = epoch and state = 'running' and expires_at > now())
    or not pg_try_advisory_xact_lock(7312, epoch::integer)
    or exists (select from outcome_staged where epoch_no = epoch) then return false; end if;
  update journal_epoch set closed_at = coalesce(closed_at, now()) where no = epoch;
  return true;
end $$;

-- In the effect's own transaction, under its account. Once the epoch is closed, the effect must not commit.
create function hub_stage_outcome(
  of_account uuid, of_call uuid, epoch bigint, of_action text, of_principal uuid, of_code text, ended_at timestamptz,
  of_statement text, of_mac bytea, of_mac_version integer) returns void
language plpgsql set search_path = pg_catalog, public as $$
begin
  perform pg_advisory_xact_lock_shared(7312, epoch::integer);
  -- a statement of its own: its snapshot is taken after the lock
  if not exists (select from journal_epoch where no = epoch and closed_at is null) then
    raise exception 'the journal epoch is closed' using errcode = 'CS001';
  end if;
  -- somebody gave this call up and said so: its effect must not commit after that
  if exists (select from receipt where account_id = of_account and call_id = of_call and phase = 'outcome') then
    raise exception 'the call has an outcome' using errcode = 'CS001';
  end if;
  insert into outcome_staged (account_id, call_id, epoch_no, action, principal_id, code, at, statement, mac, mac_version)
    values (of_account, of_call, epoch, of_action, of_principal, of_code, ended_at, of_statement, of_mac, of_mac_version);
end $$;

-- The group commit. Arrays lane_* have one element a lane, node_* one a subtree, spend_* one a spend, the others one an
-- entry. A lane with a certificate is opened. Anything that does not fit refuses all of it.
create function hub_append(
  epoch bigint, commit_no bigint, commit_note text,
  lane_account uuid[], lane_certificate text[], lane_from bigint[], lane_size bigint[], lane_head bytea[], lane_root bytea[], lane_path bytea[],
  accounts uuid[], sequences bigint[], calls uuid[], intents boolean[], staged boolean[], actions text[], principals uuid[], codes text[], times timestamptz[], statements bytea[],
  node_account uuid[], node_level integer[], node_index bigint[], node_hash bytea[],
  spend_account uuid[], spend_id uuid[], spend_call uuid[], spend_approval boolean[]) returns void
language plpgsql security definer set search_path = pg_catalog, public
-- planned once; and small tables that turn over are read by their index, however few rows the statistics saw in them
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare touched bigint;
begin
  update journal_epoch set commits = commit_no where no = epoch and commits = commit_no - 1 and fenced_at is null;
  if not found then raise exception 'the journal epoch is over' using errcode = 'CS001'; end if;

  if cardinality(spend_id) > 0 then
    perform hub_spend(s.account, s.id, s.call, s.approval)
      -- in one order, so that two writers never wait for each other crosswise
      from (select * from unnest(spend_account, spend_id, spend_call, spend_approval) s(account, id, call, approval) order by account, id) s;
  end if;

  if array_position(lane_from, 0) is not null then
    insert into lane (account_id, epoch_no, size, head, root)
      select account, epoch, 0, ''::bytea, ''::bytea
      from unnest(lane_account, lane_certificate) l(account, certificate) where certificate is not null;
    insert into lane_certificate (account_id, epoch_no, envelope)
      select account, epoch, certificate
      from unnest(lane_account, lane_certificate) l(account, certificate) where certificate is not null;
    insert into account_log (account_id)
      select account from unnest(lane_account, lane_certificate) l(account, certificate) where certificate is not null order by account
      on conflict do nothing;
  end if;
  update lane set size = l.size, head = l.head, root = l.root
    from unnest(lane_account, lane_from, lane_size, lane_head, lane_root) l(account, start, size, head, root)
    where lane.account_id = l.account and lane.epoch_no = epoch and lane.size = l.start;
  get diagnostics touched = row_count;
  if touched <> cardinality(lane_account) then raise exception 'a lane is not where its writer left it' using errcode = 'CS001'; end if;

  insert into receipt (account_id, epoch_no, sequence, call_id, phase, action, principal_id, code, at, statement)
    select account, epoch, sequence, call, case when intent then 'intent' else 'outcome' end, action, principal, code, at, statement
    from unnest(accounts, sequences, calls, intents, actions, principals, codes, times, statements)
      e(account, sequence, call, intent, action, principal, code, at, statement);
  insert into lane_commit (account_id, epoch_no, size, root, note, lane_index, path)
    select account, epoch, size, root, commit_note, nth - 1, path
    from unnest(lane_account, lane_size, lane_root, lane_path) with ordinality l(account, size, root, path, nth);
  if cardinality(node_level) > 0 then
    insert into lane_node (account_id, epoch_no, level, index, hash)
      select account, epoch, level, index, hash from unnest(node_account, node_level, node_index, node_hash) n(account, level, index, hash);
  end if;

  if array_position(intents, true) is not null then
    insert into in_flight (account_id, call_id, epoch_no)
      select account, call, epoch from unnest(accounts, calls, intents) e(account, call, intent) where intent;
  end if;
  if array_position(intents, false) is not null then
    delete from in_flight f using unnest(accounts, calls, intents) e(account, call, intent)
      where not intent and f.account_id = account and f.call_id = call;
  end if;
  if array_position(staged, true) is not null then
    delete from outcome_staged s using unnest(accounts, calls, staged) e(account, call, is_staged)
      where is_staged and s.account_id = account and s.call_id = call;
    get diagnostics touched = row_count;
    if touched <> cardinality(array_positions(staged, true)) then
      raise exception 'a staged outcome is not there' using errcode = 'CS003';
    end if;
  end if;
end $$;

-- What an intent uses up. An approved request is taken by one execution; a confirmation's id is used once.
create function hub_spend(of_account uuid, of_id uuid, of_call uuid, is_approval boolean) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  if is_approval then
    update approval_request set state = 'executing', execution_call_id = of_call, version = version + 1
      where account_id = of_account and id = of_id and state = 'approved' and execution_expires_at > now();
    if not found then raise exception 'the approval is spent' using errcode = 'CS002'; end if;
  else
    insert into spent_confirmation (account_id, id, call_id) values (of_account, of_id, of_call) on conflict do nothing;
    if not found then raise exception 'the confirmation is spent' using errcode = 'CS002'; end if;
  end if;
end $$;

-- What closed epochs left behind: first the outcomes of effects that did commit, from a call onwards, so that a row which
-- stays in the way keeps none behind it back, ...
create function hub_staged_leftovers(most integer, after_account uuid, after_call uuid)
returns table (account_id uuid, call_id uuid, epoch_no bigint, action text, principal_id uuid, code text, at timestamptz, statement text,
  mac bytea, mac_version integer)
language sql security definer set search_path = pg_catalog, public as $$
  select s.account_id, s.call_id, s.epoch_no, s.action, s.principal_id, s.code, s.at, s.statement, s.mac, s.mac_version
  from outcome_staged s
  where (s.account_id, s.call_id) > (after_account, after_call)
    and exists (select from journal_epoch e where e.closed_at is not null and (e.no = s.epoch_no or e.no in
      -- a row may name any epoch: that must not hide the intent that it stands before
      (select f.epoch_no from in_flight f where f.account_id = s.account_id and f.call_id = s.call_id)))
  order by s.account_id, s.call_id limit most $$;

-- ... then the intents that have none, with their statements.
create function hub_abandoned_intents(most integer) returns table (account_id uuid, call_id uuid, statement bytea)
language sql security definer set search_path = pg_catalog, public as $$
  select f.account_id, f.call_id, r.statement
  from in_flight f
  join journal_epoch e on e.no = f.epoch_no
  join receipt r on r.account_id = f.account_id and r.call_id = f.call_id and r.phase = 'intent'
  where e.closed_at is not null
    and not exists (select from outcome_staged s where s.account_id = f.account_id and s.call_id = f.call_id)
  order by r.at limit most $$;

-- The intent of one call, whatever is staged in its name.
create function hub_abandoned_intent(of_account uuid, of_call uuid) returns table (account_id uuid, call_id uuid, statement bytea)
language sql security definer set search_path = pg_catalog, public as $$
  select f.account_id, f.call_id, r.statement
  from in_flight f
  join journal_epoch e on e.no = f.epoch_no
  join receipt r on r.account_id = f.account_id and r.call_id = f.call_id and r.phase = 'intent'
  where f.account_id = of_account and f.call_id = of_call and e.closed_at is not null $$;

-- Whether a call that was cut off took effect is unknown: whatever waits for it is told so. May run twice.
create function hub_mark_ambiguous(of_account uuid, of_call uuid, event_data jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update idempotency set state = 'ambiguous' where account_id = of_account and call_id = of_call and state = 'running';
  update approval_request set state = 'ambiguous', held = null, closed_at = now(), version = version + 1
    where account_id = of_account and execution_call_id = of_call and state = 'executing';
  -- the call's id serves as the event's: there is one such event a call
  insert into event (account_id, id, type, subject, data)
    values (of_account, of_call, 'journal.intent_abandoned', 'calls/' || of_call, event_data) on conflict do nothing;
end $$;

-- Confirmations expire long before this; their ids are kept no longer than they could be used.
create function hub_forget_confirmations(before timestamptz) returns bigint
language sql security definer set search_path = pg_catalog, public as
$$ with gone as (delete from spent_confirmation where spent_at < before returning 1) select count(*) from gone $$;

-- Accounts that have receipts or events without a position.
create function hub_unintegrated() returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
  return query select l.account_id
    from journal_epoch e
    join lane l on l.epoch_no = e.no
    left join lane_integrated i on i.account_id = l.account_id and i.epoch_no = l.epoch_no
    where e.integrated_at is null and l.size > coalesce(i.size, 0)
    union
    select e.account_id from event e where e.position is null;
end $$;

-- Gives receipts and events of these accounts their positions, at most so many of each lane and account. The row of an
-- account's log is the lease: whoever holds it integrates, another waits its turn. Answers with the accounts that have
-- more.
create function hub_integrate(accounts uuid[], most integer) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, public
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  insert into account_log (account_id) select distinct a from unnest(accounts) a
    where not exists (select from account_log where account_id = a) order by a on conflict do nothing;
  -- in one order, so that two processes never wait for each other crosswise
  perform from account_log where account_id = any(accounts) order by account_id for update;
  -- a statement of its own: its snapshot is taken when the logs are leased
  return query
  with log as (select * from account_log where account_id = any(accounts)),
  due as (
    select l.account_id, l.epoch_no, coalesce(i.size, 0) as start, least(l.size, coalesce(i.size, 0) + most) as stop, l.size
    from log
    join lane l on l.account_id = log.account_id
    join journal_epoch e on e.no = l.epoch_no and e.integrated_at is null
    left join lane_integrated i on i.account_id = l.account_id and i.epoch_no = l.epoch_no
    where l.size > coalesce(i.size, 0)),
  placed as (
    insert into log_entry (account_id, position, epoch_no, sequence, call_id, phase, action, principal_id, code, at)
    select r.account_id, log.next_position + row_number() over (partition by r.account_id order by r.epoch_no, r.sequence) - 1,
      r.epoch_no, r.sequence, r.call_id, r.phase, r.action, r.principal_id, r.code, r.at
    from due d
    join log on log.account_id = d.account_id
    join receipt r on r.account_id = d.account_id and r.epoch_no = d.epoch_no and r.sequence >= d.start and r.sequence < d.stop
    returning account_id),
  marked as (
    insert into lane_integrated (account_id, epoch_no, size) select account_id, epoch_no, stop from due
    on conflict (account_id, epoch_no) do update set size = excluded.size),
  unplaced as (
    select u.account_id, u.id, log.next_event_position + row_number() over (partition by u.account_id order by u.at, u.id) - 1 as position
    from log cross join lateral
      (select * from event e where e.account_id = log.account_id and e.position is null order by e.at, e.id limit most) u),
  told as (
    update event e set position = u.position from unplaced u where e.account_id = u.account_id and e.id = u.id
    returning e.account_id),
  grown as (
    select g.account_id, sum(g.entries) as entries, sum(g.events) as events
    from (select p.account_id, 1 as entries, 0 as events from placed p union all select t.account_id, 0, 1 from told t) g
    group by g.account_id),
  moved as (
    -- runs to its end although nobody reads it; of equal notifications in one transaction one is sent
    update account_log a set next_position = a.next_position + g.entries, next_event_position = a.next_event_position + g.events
    from grown g where a.account_id = g.account_id
    returning pg_notify('countersign_log', ''))
  select d.account_id from due d where d.stop < d.size
  union select g.account_id from grown g where g.events >= most;
end $$;

-- Epochs that are closed and whose receipts all have their positions need not be looked at any more.
create function hub_finish_epochs() returns bigint
language sql security definer set search_path = pg_catalog, public as $$
  with done as (
    update journal_epoch e set integrated_at = now()
    where integrated_at is null and closed_at is not null and not exists (
      select from lane l left join lane_integrated i on i.account_id = l.account_id and i.epoch_no = l.epoch_no
      where l.epoch_no = e.no and l.size > coalesce(i.size, 0))
    returning 1)
  select count(*) from done $$;
