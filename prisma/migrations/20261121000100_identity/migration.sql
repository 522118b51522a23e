-- Why: who may call. People hold keys; principals act for people (operators, agents with an owner) or for systems
-- (services); tokens name a principal. hub_identify() is the one look-up that happens before an account is known.

create table person (
  account_id uuid not null references account (id),
  id         uuid not null,
  name       text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, id)
);
call make_tenant('person');

-- One key belongs to one person of an account: whoever decides with it counts once.
create table person_key (
  account_id  uuid not null,
  -- hex SHA-256 of public_key
  key_id      text not null,
  person_id   uuid not null,
  algorithm   text not null check (algorithm in ('ed25519')),
  -- SPKI DER
  public_key  bytea not null,
  enrolled_at timestamptz not null default now(),
  revoked_at  timestamptz,
  primary key (account_id, key_id),
  foreign key (account_id, person_id) references person (account_id, id)
);
create index person_key_person on person_key (account_id, person_id);
call make_tenant('person_key');

create table principal (
  account_id      uuid not null references account (id),
  id              uuid not null,
  kind            text not null check (kind in ('operator', 'agent', 'service')),
  name            text not null,
  person_id       uuid,
  owner_person_id uuid,
  roles           text[] not null,
  -- grows with whatever changes what the principal may do, bans included
  version         integer not null default 1,
  created_at      timestamptz not null default now(),
  primary key (account_id, id),
  foreign key (account_id, person_id) references person (account_id, id),
  foreign key (account_id, owner_person_id) references person (account_id, id),
  check ((kind = 'operator') = (person_id is not null)),
  check ((kind = 'agent') = (owner_person_id is not null))
);
-- names that differ in case alone would be taken for each other by who approves
create unique index principal_name on principal (account_id, lower(name));
create index principal_person on principal (account_id, person_id);
create index principal_owner on principal (account_id, owner_person_id);
call make_tenant('principal');

create table token (
  account_id   uuid not null,
  id           uuid not null,
  principal_id uuid not null,
  -- of the secret's 32 bytes
  sha256       bytea not null check (length(sha256) = 32),
  note         text not null,
  created_by   uuid not null,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz not null,
  last_used_at timestamptz,
  revoked_at   timestamptz,
  revoked_by   uuid,
  primary key (account_id, id),
  foreign key (account_id, principal_id) references principal (account_id, id),
  check ((revoked_at is null) = (revoked_by is null))
);
create unique index token_id on token (id);
create index token_principal on token (account_id, principal_id);
call make_tenant('token');

-- A ban ends when it is lifted, or by itself at `until`. One that ended by itself is closed (lifted_by stays null) when
-- the principal is banned again.
create table ban (
  account_id   uuid not null,
  id           uuid not null,
  principal_id uuid not null,
  reason       text not null,
  banned_by    uuid not null,
  banned_at    timestamptz not null default now(),
  until        timestamptz,
  lifted_at    timestamptz,
  lifted_by    uuid,
  lift_reason  text,
  primary key (account_id, id),
  foreign key (account_id, principal_id) references principal (account_id, id),
  foreign key (account_id, banned_by) references principal (account_id, id),
  foreign key (account_id, lifted_by) references principal (account_id, id),
  check (lifted_by is null or lifted_at is not null),
  check ((lift_reason is null) = (lifted_by is null))
);
create unique index ban_one_open on ban (account_id, principal_id) where lifted_at is null;
call make_tenant('ban');

-- A one-time invitation to join as a person; the code's secret is made when it is claimed.
create table invitation (
  account_id   uuid not null references account (id),
  id           uuid not null,
  person_name  text not null,
  roles        text[] not null,
  sha256       bytea check (length(sha256) = 32),
  created_by   uuid not null,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz not null,
  accepted_at  timestamptz,
  person_id    uuid,
  cancelled_at timestamptz,
  cancelled_by uuid,
  primary key (account_id, id),
  foreign key (account_id, created_by) references principal (account_id, id),
  foreign key (account_id, person_id) references person (account_id, id),
  check ((accepted_at is null) = (person_id is null)),
  check ((cancelled_at is null) = (cancelled_by is null)),
  check (accepted_at is null or cancelled_at is null)
);
create unique index invitation_id on invitation (id);
call make_tenant('invitation');

-- The right to have a secret made, once: what an approved call answers with in place of the secret.
create table claim (
  account_id    uuid not null references account (id),
  id            uuid not null,
  kind          text not null check (kind in ('token', 'invitation')),
  -- for a token: whose, how it is called, how long it will live
  principal_id  uuid,
  note          text,
  valid_days    integer,
  -- for an invitation's code
  invitation_id uuid,
  created_by    uuid not null,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz not null,
  claimed_at    timestamptz,
  claimed_by    uuid,
  primary key (account_id, id),
  foreign key (account_id, principal_id) references principal (account_id, id),
  foreign key (account_id, invitation_id) references invitation (account_id, id),
  foreign key (account_id, created_by) references principal (account_id, id),
  check (num_nulls(principal_id, note, valid_days) = case kind when 'token' then 0 else 3 end),
  check ((invitation_id is not null) = (kind = 'invitation')),
  check ((claimed_at is null) = (claimed_by is null))
);
call make_tenant('claim');

-- One round trip for each call: the token's hash, whose it is, whether it and its principal still count, and the policy
-- in force. The database's clock decides, so that all hubs on it agree.
create function hub_identify(token_id uuid)
returns table (
  account_id uuid, account_name text, profile text, is_hub boolean,
  principal_id uuid, kind text, principal_name text, person_id uuid, owner_person_id uuid, roles text[],
  sha256 bytea, expired boolean, revoked boolean, use_is_stale boolean, banned boolean,
  policy_version integer, policy_hash text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select a.id, a.name, a.profile, a.is_hub, p.id, p.kind, p.name, p.person_id, p.owner_person_id, p.roles,
    t.sha256, t.expires_at <= now(), t.revoked_at is not null,
    t.last_used_at is null or t.last_used_at < now() - interval '1 minute',
    exists (select from ban b where b.account_id = p.account_id and b.principal_id = p.id and b.lifted_at is null and (b.until is null or b.until > now())),
    d.version, d.hash
  from token t
  join principal p on p.account_id = t.account_id and p.id = t.principal_id
  join account a on a.id = t.account_id
  cross join lateral (select version, hash from policy_document d where d.account_id = t.account_id order by version desc limit 1) d
  where t.id = token_id $$;

-- The same for a principal that a job acts for: no token, the account is known.
create function hub_principal(of_account uuid, of_principal uuid)
returns table (
  account_id uuid, account_name text, profile text, is_hub boolean,
  principal_id uuid, kind text, principal_name text, person_id uuid, owner_person_id uuid, roles text[],
  banned boolean, policy_version integer, policy_hash text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select a.id, a.name, a.profile, a.is_hub, p.id, p.kind, p.name, p.person_id, p.owner_person_id, p.roles,
    exists (select from ban b where b.account_id = p.account_id and b.principal_id = p.id and b.lifted_at is null and (b.until is null or b.until > now())),
    d.version, d.hash
  from principal p
  join account a on a.id = p.account_id
  cross join lateral (select version, hash from policy_document d where d.account_id = p.account_id order by version desc limit 1) d
  where p.account_id = of_account and p.id = of_principal $$;

-- Last use, to the minute, of tokens of any account at once: written behind the calls, in batches.
create function hub_touch_tokens(ids uuid[]) returns void
language sql volatile security definer set search_path = pg_catalog, public as $$
  update token set last_used_at = now()
  from (
    select id from token
    where id = any (ids) and (last_used_at is null or last_used_at < now() - interval '1 minute')
    for no key update skip locked -- another hub is at it, or a revocation is: then this use goes unwritten
  ) used
  where token.id = used.id $$;

-- Who brings an invitation code is nobody yet: the hash of its secret, whose it is, and the principal (the account's own
-- `hub` service) in whose name it is accepted.
create function hub_invitation(invitation_id uuid) returns table (account_id uuid, hub_principal_id uuid, sha256 bytea)
language sql stable security definer set search_path = pg_catalog, public as $$
  select i.account_id, p.id, i.sha256
  from invitation i
  join principal p on p.account_id = i.account_id and p.kind = 'service' and p.roles = array['hub']
  where i.id = invitation_id and i.sha256 is not null $$;

-- An account has one such principal.
create unique index principal_hub on principal (account_id) where roles = array['hub'];
