-- Why: credentials that the journal has and that have no row were looked for in all receipts of an account by one
-- statement, which near a million of them takes longer than a statement may. They are looked for page by page, and a
-- verification that is cut off goes on where it was.
alter table key_check add column after_lost text;
drop function hub_lost_credentials(integer);

-- Among so many receipts of the account at work, behind a place. A credential is told at the receipt of its latest version,
-- once; a call leaves one credential behind. Where there are more receipts, a row without a credential says where the page
-- ends.
create function hub_lost_credentials(after_epoch bigint, after_sequence bigint, receipts integer, most integer)
returns table (epoch_no bigint, sequence bigint, id uuid, version integer)
language sql stable security definer set search_path = pg_catalog, public as $$
  with page as materialized (
    select r.epoch_no, r.sequence,
      case when r.phase = 'outcome' and r.code = 'OK' and r.action like 'system_credentials_%' then r.statement end as statement
    from receipt r
    where r.account_id = nullif(current_setting('app.account_id', true), '')::uuid
      and (r.epoch_no, r.sequence) > (after_epoch, after_sequence)
    order by r.epoch_no, r.sequence limit receipts),
  gone as materialized (
    select p.epoch_no, p.sequence, l.id, l.version
    from page p
    cross join lateral jsonb_to_recordset(receipt_left(p.statement)) as l(type text, id uuid, version integer, digest text)
    where p.statement is not null and l.type = 'Credential' and l.digest <> 'deleted' and not exists (
      select from credential c
      where c.account_id = nullif(current_setting('app.account_id', true), '')::uuid and c.id = l.id))
  (select g.epoch_no, g.sequence, g.id, g.version
    from gone g
    join hub_left_credentials(array(select id from gone)) latest
      on latest.id = g.id and latest.version = g.version and latest.digest <> 'deleted'
    order by g.epoch_no, g.sequence limit most)
  union all
  (select p.epoch_no, p.sequence, null, null from page p
    where (select count(*) from page) = receipts
    order by p.epoch_no desc, p.sequence desc limit 1) $$;
