-- Why: whoever is refused because a backup still needs old versions of keys has to know which one.
create function hub_backups_in_use(rotation uuid, most integer)
returns table (id uuid, file_name text, created_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select b.id, b.file_name, b.created_at from backup b
  where is_hub_at_work() and b.retired_at is null and exists (
    select from backup_key k
    join key_walk w on w.account_id = k.account_id and w.rotation_id = rotation
    where k.backup_id = b.id and k.lowest_version < w.to_version)
  order by b.id limit most $$;
