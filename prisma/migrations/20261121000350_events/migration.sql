-- Why: what happened, for those who follow along. A row commits with its effect; the integrator gives it a position
-- afterwards, so that a reader who saw position n never later finds a smaller one.
create table event (
  account_id uuid not null references account (id),
  id         uuid not null,
  type       text not null,
  subject    text not null,
  data       jsonb not null,
  at         timestamptz not null default now(),
  position   bigint,
  primary key (account_id, id)
);
create unique index event_position on event (account_id, position);
create index event_unplaced on event (account_id) where position is null;
call make_tenant('event');
