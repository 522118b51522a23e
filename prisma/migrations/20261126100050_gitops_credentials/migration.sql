-- Why: a private repository is fetched with a stored credential. One that a repository names cannot be deleted, also when
-- two callers race; a repository that is removed lets go of it.
alter table gitops_repository
  add column credential_id uuid,
  add constraint gitops_repository_credential foreign key (account_id, credential_id) references credential (account_id, id),
  add constraint gitops_repository_let_go check (removed_at is null or credential_id is null);
create index gitops_repository_credential on gitops_repository (account_id, credential_id) where credential_id is not null;
