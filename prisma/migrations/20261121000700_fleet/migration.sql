-- Why: the fleet is what agents and Git change. `version` is what optimistic writes compare; references are rows, so
-- that the database itself refuses to delete what is referenced, also when two callers race.
create table fleet_object (
  account_id  uuid not null references account (id),
  kind        text not null check (kind in ('Template', 'Module', 'Assignment', 'ProviderConfig')),
  name        text not null,
  version     integer not null check (version > 0),
  spec        jsonb not null,
  labels      jsonb not null,
  annotations jsonb not null,
  owner       text,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  updated_by  uuid not null,
  primary key (account_id, kind, name)
);
call make_tenant('fleet_object');

create table fleet_reference (
  account_id uuid not null,
  from_kind  text not null,
  from_name  text not null,
  to_kind    text not null,
  to_name    text not null,
  primary key (account_id, from_kind, from_name, to_kind, to_name),
  foreign key (account_id, from_kind, from_name) references fleet_object (account_id, kind, name) on delete cascade,
  foreign key (account_id, to_kind, to_name) references fleet_object (account_id, kind, name) on delete restrict
);
create index fleet_reference_to on fleet_reference (account_id, to_kind, to_name);
call make_tenant('fleet_reference');
