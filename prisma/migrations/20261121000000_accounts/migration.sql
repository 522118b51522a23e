-- Why: an account is a tenant. Everything that belongs to one carries its id under forced row-level security;
-- make_tenant() is the one way a table gets it, so that no table is guarded differently from the others.

-- Unset or '' means no rows. The owner's own policy lets its SECURITY DEFINER functions (hub_*) work across accounts;
-- the runtime role never is the owner.
create procedure make_tenant(target regclass, account_column name default 'account_id') language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy tenant on %s using (%I = nullif(current_setting(''app.account_id'', true), '''')::uuid) with check (%I = nullif(current_setting(''app.account_id'', true), '''')::uuid)',
    target, account_column, account_column);
  execute format('create policy hub_functions on %s to current_user using (true) with check (true)', target);
end $$;

create table account (
  id         uuid primary key,
  name       text not null,
  profile    text not null check (profile in ('solo', 'team')),
  -- the first account is the hub's own: refusals without an account are recorded there
  is_hub     boolean not null default false,
  created_at timestamptz not null default now()
);
create unique index account_one_hub on account (is_hub) where is_hub;
call make_tenant('account', 'id');

create function hub_account() returns uuid language sql stable security definer set search_path = pg_catalog, public as
$$ select id from account where is_hub $$;

create function hub_accounts() returns setof uuid language sql stable security definer set search_path = pg_catalog, public as
$$ select id from account order by id $$;
