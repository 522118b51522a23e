-- Why: all hub processes on a database hold a caller to one limit. A bucket is named by a keyed digest, so that the table
-- holds no address of anybody's; it belongs to no tenant, and the functions below are the one way to it. Unlogged: what
-- is lost with a crash was full again a minute later.
create unlogged table rate_bucket (
  key        bytea primary key check (length(key) = 16),
  -- calls left; below nothing where several processes spent before they told each other
  level      double precision not null,
  counted_at timestamptz not null
);

-- Takes `spent` from a bucket that fills up in a minute, and answers with what is left. The database's clock decides, so
-- that all hubs on it agree; one that steps back fills nothing.
create function hub_spend_rate(bucket bytea, spent integer, capacity integer) returns double precision
language sql volatile security definer set search_path = pg_catalog, public as $$
  insert into rate_bucket as b (key, level, counted_at) values (bucket, capacity - spent, now())
  on conflict (key) do update set
    level = greatest(-capacity, least(capacity,
      b.level + capacity * greatest(0, extract(epoch from now() - b.counted_at)) / 60) - spent),
    counted_at = greatest(b.counted_at, now())
  returning level $$;

-- Buckets that are full again say nothing.
create function hub_forget_rates() returns void
language sql volatile security definer set search_path = pg_catalog, public as $$
  delete from rate_bucket where counted_at < now() - interval '5 minutes' $$;
