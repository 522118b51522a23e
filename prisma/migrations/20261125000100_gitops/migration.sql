-- Why: Git declares the fleet. A repository's head is the last commit that was read whole; what it declares, what of it
-- was applied and what is live are three things, and their differences are what people decide on.

create table gitops_repository (
  account_id  uuid not null references account (id),
  id          uuid not null,
  name        text not null,
  url         text not null,
  branch      text not null,
  path        text not null,
  -- canonical: id, author, subject, committedAt; the last good state, whatever later syncs came to
  head        jsonb,
  synced_at   timestamptz,
  created_by  uuid not null,
  created_at  timestamptz not null,
  -- runs and proposals stay on record; the name is free again
  removed_at  timestamptz,
  primary key (account_id, id)
);
create unique index gitops_repository_name on gitops_repository (account_id, name) where removed_at is null;
call make_tenant('gitops_repository');

-- What the head declares, one row a repository: it is read and replaced as a whole.
create table gitops_desired_state (
  account_id    uuid not null,
  repository_id uuid not null,
  objects       jsonb not null,
  primary key (account_id, repository_id),
  foreign key (account_id, repository_id) references gitops_repository (account_id, id)
);
call make_tenant('gitops_desired_state');

-- Each object as the repository last made it: the ground that live and desired are both compared with.
create table gitops_applied (
  account_id    uuid not null,
  repository_id uuid not null,
  kind          text not null,
  name          text not null,
  state         jsonb not null,
  version       integer not null,
  object_born   timestamptz not null,
  commit        text not null,
  applied_at    timestamptz not null,
  primary key (account_id, repository_id, kind, name),
  foreign key (account_id, repository_id) references gitops_repository (account_id, id)
);
call make_tenant('gitops_applied');

-- A sync; its operation has state, progress, error and times.
create table gitops_sync_run (
  account_id      uuid not null,
  id              uuid not null,
  repository_id   uuid not null,
  accepts_rewrite boolean not null,
  commit          jsonb,
  previous_commit text,
  counts          jsonb,
  -- those that were open when it ended, also where an earlier run made them
  proposal_ids    uuid[] not null default '{}',
  problems        jsonb not null default '[]',
  primary key (account_id, id),
  foreign key (account_id, id) references operation (account_id, id),
  foreign key (account_id, repository_id) references gitops_repository (account_id, id)
);
create index gitops_sync_run_repository on gitops_sync_run (account_id, repository_id, id desc);
call make_tenant('gitops_sync_run');

create table gitops_proposal (
  account_id    uuid not null,
  id            uuid not null,
  repository_id uuid not null,
  run_id        uuid not null,
  commit        jsonb not null,
  risk_class    text not null check (risk_class in ('changes', 'deletes')),
  state         text not null check (state in ('open', 'applied', 'rejected', 'superseded')),
  -- SHA-256(salt || content) of repository, commit, risk class and all items: what an approval is bound to
  digest        text not null,
  salt          bytea not null check (length(salt) = 32),
  items         integer not null check (items > 0),
  created_at    timestamptz not null,
  closed_at     timestamptz,
  closed_by     uuid,
  reason        text,
  forced        boolean not null default false,
  primary key (account_id, id),
  foreign key (account_id, repository_id) references gitops_repository (account_id, id),
  foreign key (account_id, run_id) references gitops_sync_run (account_id, id),
  check ((state = 'open') = (closed_at is null)),
  check (state <> 'rejected' or reason is not null)
);
create unique index gitops_proposal_open on gitops_proposal (account_id, repository_id, risk_class) where state = 'open';
create index gitops_proposal_repository on gitops_proposal (account_id, repository_id, id desc);
create index gitops_proposal_run on gitops_proposal (account_id, run_id);
call make_tenant('gitops_proposal');

create table gitops_proposal_item (
  account_id      uuid not null,
  proposal_id     uuid not null,
  ordinal         integer not null,
  action          text not null check (action in ('create', 'update', 'adopt', 'delete')),
  kind            text not null,
  name            text not null,
  -- the object that was there: its version, and when it was made, since a name can be used again
  base_version    integer,
  base_born       timestamptz,
  base_owner      text,
  before          jsonb,
  after           jsonb,
  file            text,
  line            integer,
  -- the version that applying it made
  applied_version integer,
  primary key (account_id, proposal_id, ordinal),
  foreign key (account_id, proposal_id) references gitops_proposal (account_id, id),
  check ((action = 'create') = (base_version is null)),
  check ((action = 'delete') = (after is null))
);
create index gitops_proposal_item_object on gitops_proposal_item (account_id, kind, name, proposal_id);
call make_tenant('gitops_proposal_item');
