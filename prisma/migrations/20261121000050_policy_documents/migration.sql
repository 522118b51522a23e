-- Why: one versioned policy document an account. The newest version is in force; older ones stay, since receipts name
-- the hash of the one that judged them.
create table policy_document (
  account_id uuid not null references account (id),
  version    integer not null check (version > 0),
  document   text not null,
  hash       text not null,
  created_by uuid not null,
  created_at timestamptz not null default now(),
  primary key (account_id, version)
);
create index policy_document_hash on policy_document (account_id, hash);
call make_tenant('policy_document');
