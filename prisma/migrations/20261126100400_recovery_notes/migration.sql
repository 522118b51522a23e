-- Why: the owner of the tables can let somebody act again where the hub's root key is not at hand, and cannot sign. So it
-- says first, in a note, what is about to be done; the change itself says in its own transaction that it was done; and the
-- next hub that has the root key puts both into the account's journal. The owner alone writes notes: the runtime role
-- reads them, and has the functions below.
create table recovery_note (
  account_id  uuid not null references account (id),
  -- of the receipts that come of it
  call_id     uuid not null,
  action      text not null check (action in ('recover_policy_by_owner', 'recover_operator_by_owner')),
  -- commitments, as in receipts
  input       text not null check (input ~ '^[0-9a-f]{64}$'),
  output      text check (output ~ '^[0-9a-f]{64}$'),
  target_type text not null,
  target_id   text not null,
  noted_at    timestamptz not null default now(),
  -- commits with the change
  effected_at timestamptz,
  -- it was never done, and no transaction can say any more that it was
  closed_at   timestamptz,
  -- its receipts are in the journal
  recorded_at timestamptz,
  primary key (account_id, call_id),
  check (effected_at is null or closed_at is null)
);
create index recovery_note_open on recovery_note (noted_at) where recorded_at is null;
call make_tenant('recovery_note');

-- In the change's transaction; false where it came too late.
create function hub_recovery_effected(of_account uuid, of_call uuid, seen text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update recovery_note set effected_at = now(), output = seen
    where account_id = of_account and call_id = of_call and effected_at is null and closed_at is null;
  return found;
end $$;

-- What is to be put into journals: what was done, and what was noted a while ago and never done.
create function hub_recovery_notes() returns table (
  account_id uuid, call_id uuid, action text, input text, output text, target_type text, target_id text, effected boolean
) language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update recovery_note n set closed_at = now()
    where n.recorded_at is null and n.effected_at is null and n.closed_at is null and n.noted_at < now() - interval '10 minutes';
  return query select n.account_id, n.call_id, n.action, n.input, n.output, n.target_type, n.target_id, n.effected_at is not null
    from recovery_note n where n.recorded_at is null and (n.effected_at is not null or n.closed_at is not null)
    order by n.noted_at, n.call_id limit 100;
end $$;

-- Only once the journal says how it ended: nobody makes a note disappear by saying that it is there.
create function hub_recovery_recorded(of_account uuid, of_call uuid) returns void
language sql security definer set search_path = pg_catalog, public as $$
  update recovery_note n set recorded_at = now()
  where n.account_id = of_account and n.call_id = of_call
    and exists (select from receipt r where r.account_id = of_account and r.call_id = of_call and r.phase = 'outcome') $$;
