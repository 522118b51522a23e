-- Why: who follows events is told of an operation's progress once in a while and not at each step, whichever processes
-- take the steps: the row says when that was.
alter table operation add column told_at timestamptz;
