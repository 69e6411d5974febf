-- How the windows of the subscription were last seen, by the name that Anthropic gives them.
create table limit_windows (
  name text primary key,
  status text,
  -- 1 is used up.
  utilization real,
  resets_at text,
  seen_at text not null
) strict, without rowid;

-- At most one row, while the queue waits for a window to open again.
create table queue_parking (
  parking_id integer primary key check (parking_id = 1),
  -- Where it came from, not what it is: another one has limits of its own.
  credential text not null,
  parked_until text not null,
  parked_at text not null,
  window_name text,
  failed_probes integer not null
) strict;
