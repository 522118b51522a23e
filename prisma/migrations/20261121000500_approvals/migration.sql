-- Why: a call that needs people waits here, bound to everything that they agree to; each decision is kept with the
-- envelope that was signed. The journal spends an approved request (state executing) in its intent's transaction.

create table approval_request (
  account_id            uuid not null references account (id),
  id                    uuid not null,
  state                 text not null check (state in
    ('open', 'approved', 'executing', 'executed', 'failed', 'stale', 'denied', 'expired', 'cancelled', 'ambiguous')),
  action                text not null,
  schema_digest         text not null,
  requester_id          uuid not null,
  requester_kind        text not null check (requester_kind in ('operator', 'agent', 'service')),
  -- the person that the requester is or answers to when asking: who may decide is judged by it
  requester_person_id   uuid,
  owner_person_id       uuid,
  profile               text not null check (profile in ('solo', 'team')),
  -- canonical in-toto statement of the request, and the canonical escaped preview that it names by digest
  statement             text not null,
  statement_digest      text not null,
  preview               text not null,
  preview_digest        text not null,
  -- encrypted: canonical input, salt, channel and the like; gone as soon as nothing can be executed any more
  held                  text,
  input_mac             bytea not null check (length(input_mac) = 32),
  demand_kind           text not null check (demand_kind = 'approve'),
  demand_people         integer not null check (demand_people in (1, 2)),
  demand_holding        text[] not null,
  demand_rules          text[] not null,
  target_type           text not null,
  target_id             text not null,
  target_version        text,
  policy_hash           text not null,
  approval_expires_at   timestamptz not null,
  execution_expires_at  timestamptz not null,
  execution_call_id     uuid,
  -- encrypted for the requester, until result_expires_at
  result                text,
  result_expires_at     timestamptz,
  error_code            text,
  error_message         text,
  created_at            timestamptz not null,
  closed_at             timestamptz,
  version               integer not null default 1,
  primary key (account_id, id),
  foreign key (account_id, requester_id) references principal (account_id, id),
  check (held is not null or state not in ('open', 'approved'))
);
-- the same call by the same caller waits once; its prefix serves the cap on open requests
create unique index approval_request_merge on approval_request (account_id, requester_id, action, input_mac)
  where state = 'open';
create index approval_request_state on approval_request (account_id, state, id desc);
create index approval_request_requester on approval_request (account_id, requester_id, id desc);
create index approval_request_call on approval_request (account_id, execution_call_id)
  where execution_call_id is not null;
call make_tenant('approval_request');

create table approval_decision (
  account_id      uuid not null,
  id              uuid not null,
  request_id      uuid not null,
  person_id       uuid not null,
  principal_id    uuid not null,
  decision        text not null check (decision in ('approve', 'reject')),
  assurance       text not null check (assurance in ('signed', 'hub-attested')),
  -- the permissions, of those that the request asks for, that the person held when deciding
  holding         text[] not null,
  key_id          text,
  envelope        text,
  envelope_digest text,
  reason          text,
  decided_at      timestamptz not null,
  primary key (account_id, id),
  -- one person counts once, under whatever principals
  constraint approval_decision_one_a_person unique (account_id, request_id, person_id),
  foreign key (account_id, request_id) references approval_request (account_id, id),
  foreign key (account_id, person_id) references person (account_id, id),
  foreign key (account_id, principal_id) references principal (account_id, id),
  foreign key (account_id, key_id) references person_key (account_id, key_id),
  check ((assurance = 'signed') = (key_id is not null and envelope is not null and envelope_digest is not null)),
  check (decision = 'approve' or reason is not null)
);
call make_tenant('approval_decision');
