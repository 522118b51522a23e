-- Why: a caller that repeats a call with its idempotency key gets the recorded outcome, never a second effect.
-- `epoch_no` is the journal epoch of the process that runs it: when that is closed, nobody runs it any more.
create table idempotency (
  account_id   uuid not null,
  principal_id uuid not null,
  action       text not null,
  key          text not null,
  call_id      uuid not null,
  epoch_no     bigint not null,
  input_mac    bytea not null,
  state        text not null check (state in ('running', 'done', 'failed', 'ambiguous')),
  outcome      text,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz not null,
  primary key (account_id, principal_id, action, key),
  foreign key (account_id, principal_id) references principal (account_id, id)
);
create index idempotency_call on idempotency (account_id, call_id);
-- an epoch that is closed gives back the keys of its calls
create index idempotency_running on idempotency (epoch_no) where state = 'running';
call make_tenant('idempotency');

-- Outcomes are kept for their requester until they expire, and no longer.
create index idempotency_expired on idempotency (expires_at) where state <> 'running';
create function hub_forget_outcomes(before timestamptz) returns bigint
language sql security definer set search_path = pg_catalog, public as
$$ with gone as (delete from idempotency where expires_at < before and state <> 'running' returning 1) select count(*) from gone $$;
