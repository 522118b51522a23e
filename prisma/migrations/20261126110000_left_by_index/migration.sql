-- Why: what the journal says was left of a credential is read at each of its uses and changes. Beside the account's and the
-- phase's condition the planner took the index of those and looked through every receipt of the account, so that it grew
-- with the journal (58 ms at 1,800 receipts). The ids are looked up alone first, in the index that is made for them.

create or replace function hub_left_credentials(ids uuid[]) returns table (id uuid, version integer, digest text)
language sql stable security definer set search_path = pg_catalog, public as $$
  with named as materialized (
    select r.account_id, r.statement
    from receipt r
    where r.phase = 'outcome' and r.code = 'OK' and r.action like 'system_credentials_%'
      and receipt_left_ids(r.statement) && ids::text[]
  )
  select distinct on (l.id) l.id, l.version, l.digest
  from (
    select receipt_left(n.statement) as left_behind
    from named n
    where n.account_id = nullif(current_setting('app.account_id', true), '')::uuid
    union all
    select (s.statement::json #> '{predicate,left}')::jsonb
    from outcome_staged s
    where s.account_id = nullif(current_setting('app.account_id', true), '')::uuid
      and s.code = 'OK' and s.action like 'system_credentials_%'
  ) found
  cross join lateral jsonb_to_recordset(found.left_behind) as l(type text, id uuid, version integer, digest text)
  where l.type = 'Credential' and l.id = any (ids)
  order by l.id, l.version desc $$;
