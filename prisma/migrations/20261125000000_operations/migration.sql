-- Why: long work is a row that any process can look at, and that one process at a time advances: whoever takes it raises
-- the fence, and what an earlier taker still writes finds another number there.
create table operation (
  account_id    uuid not null references account (id),
  id            uuid not null,
  kind          text not null,
  -- what it is about, as in events: of one kind, one at a time works on it
  subject       text not null,
  -- the action that a job carries out for it, with the rights of who asked
  action        text not null,
  requester_id  uuid not null,
  trace_id      text,
  state         text not null check (state in ('working', 'completed', 'failed', 'cancelled')),
  steps_done    integer not null default 0,
  steps_total   integer not null check (steps_total > 0 and steps_done between 0 and steps_total),
  sentence      text not null,
  error_code    text,
  error_message text,
  error_details jsonb,
  fence         integer not null default 0,
  -- from then on it may be given up for lost
  deadline      timestamptz not null,
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  ended_at      timestamptz,
  primary key (account_id, id),
  foreign key (account_id, requester_id) references principal (account_id, id),
  check ((state = 'working') = (ended_at is null)),
  check ((state = 'failed') = (error_code is not null))
);
create unique index operation_one_at_a_time on operation (account_id, kind, subject) where state = 'working';
create index operation_newest on operation (account_id, kind, subject, id desc);
call make_tenant('operation');
