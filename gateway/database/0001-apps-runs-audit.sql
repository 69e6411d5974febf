-- Times are UTC ISO 8601 text; money is integer micro-dollars; lists and objects are JSON text.

create table apps (
  app_id integer primary key autoincrement,
  name text not null,
  ip_cidrs text not null,
  models text,
  max_concurrent integer,
  timeout_secs_max integer,
  token_lifetime_secs integer,
  created_at text not null,
  revoked_at text
) strict;

create unique index apps_live_name on apps (name) where revoked_at is null;

create table app_tokens (
  digest text primary key,
  app_id integer not null references apps (app_id),
  created_at text not null,
  expires_at text,
  last_used_at text,
  last_used_ip text
) strict, without rowid;

create index app_tokens_app on app_tokens (app_id);

-- A run moves queued -> running -> ended. audit_draft is what its audit row will say,
-- kept until it ends so that a run cut off by a crash is still audited.
create table runs (
  run_seq integer primary key autoincrement,
  run_id text not null unique,
  app_id integer not null references apps (app_id),
  state text not null check (state in ('queued', 'running', 'ended')),
  audit_draft text,
  outcome text,
  survivors integer,
  created_at text not null,
  started_at text,
  ended_at text,
  check ((state = 'ended') = (outcome is not null))
) strict;

create index runs_open on runs (state) where state <> 'ended';

create table audit_log (
  seq integer primary key autoincrement,
  at text not null,
  action text not null,
  app text,
  address text,
  outcome text,
  run_id text,
  prompt text,
  details text not null,
  pruned_to_seq integer,
  previous_hash text not null,
  hash text not null
) strict;

create index audit_log_app on audit_log (app, seq);
create index audit_log_at on audit_log (at);

create index audit_log_anchors on audit_log (seq) where pruned_to_seq is not null;

create trigger audit_log_no_update before update on audit_log
begin
  select raise(abort, 'the audit log is append-only');
end;

-- "insert or replace" would remove a row without firing the delete trigger.
create trigger audit_log_no_replace before insert on audit_log
when exists (select 1 from audit_log where seq = new.seq)
begin
  select raise(abort, 'the audit log is append-only');
end;

-- Rows go only after an anchor row, itself part of the chain, has said so.
create trigger audit_log_no_delete before delete on audit_log
when old.seq > coalesce((
  select pruned_to_seq from audit_log
  where pruned_to_seq is not null order by seq desc limit 1
), 0)
begin
  select raise(abort, 'the audit log is append-only');
end;
