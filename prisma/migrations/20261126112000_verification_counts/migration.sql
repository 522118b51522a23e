-- Why: a credential that waits for its secret has nothing to open: a verification that counts it among those that it looked
-- at says more than it found out.
alter table key_check
  -- opened, and what the journal says
  add column opened integer not null default 0,
  -- what the journal says, and without a secret yet
  add column waiting integer not null default 0;
-- before, one that waits counted as opened
update key_check set opened = greatest(checked - failed, 0);
