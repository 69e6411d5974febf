-- The queue is in the database. A run moves queued -> starting -> running -> ended, and back to queued when it is to be tried again.
create table runs_with_engine (
  run_seq integer primary key autoincrement,
  run_id text not null unique,
  app_id integer not null references apps (app_id),
  state text not null check (state in ('queued', 'starting', 'running', 'ended')),
  -- 1: it goes on without whoever asked for it, also after a restart.
  detached integer not null default 0 check (detached in (0, 1)),
  on_interrupt text not null default 'fail' check (on_interrupt in ('fail', 'retry')),
  -- How often it has been started.
  attempt integer not null default 0,
  requested_model text,
  metadata text not null default '{}',
  traceparent text,
  -- What its audit row will say, kept until it ends so that a run cut off by a crash is still audited.
  audit_draft text,
  cancel_asked_at text,
  pid integer,
  outcome text,
  message text,
  survivors integer,
  duration_ms integer,
  model text,
  input_tokens integer,
  output_tokens integer,
  cost_micro_usd integer,
  created_at text not null,
  started_at text,
  ended_at text,
  check ((state = 'ended') = (outcome is not null))
) strict;

insert into runs_with_engine
  (run_seq, run_id, app_id, state, audit_draft, outcome, survivors, created_at, started_at, ended_at)
  select run_seq, run_id, app_id, state, audit_draft, outcome, survivors, created_at, started_at, ended_at
  from runs;

drop table runs;
alter table runs_with_engine rename to runs;

create index runs_open on runs (state) where state <> 'ended';
create index runs_app on runs (app_id, run_seq);
create index runs_failed on runs (app_id, run_seq) where outcome <> 'completed';
create index runs_ended on runs (ended_at) where state = 'ended';

-- What a run that may outlive its client was asked for; gone when it has ended.
create table run_requests (
  run_seq integer primary key references runs (run_seq) on delete cascade,
  prompt text not null,
  system text,
  -- Everything else as JSON.
  settings text not null
) strict;

-- Files of such a run: their bytes stay until it has ended, whatever becomes of the upload.
create table run_files (
  run_seq integer not null references runs (run_seq) on delete cascade,
  position integer not null,
  file_token text not null,
  primary key (run_seq, position)
) strict, without rowid;

create index run_files_token on run_files (file_token);

-- What was answered: the status and body of POST /run.
create table run_answers (
  run_seq integer primary key references runs (run_seq) on delete cascade,
  status_code integer not null,
  body text not null
) strict;

create table run_events (
  run_seq integer not null references runs (run_seq) on delete cascade,
  event_seq integer not null,
  type text not null,
  data text not null,
  at text not null,
  primary key (run_seq, event_seq)
) strict, without rowid;

-- The answer is here, or it is that of the run: then status_code is null.
create table idempotency_keys (
  scope text not null,
  path text not null,
  key text not null,
  request_sha256 text not null,
  run_seq integer references runs (run_seq) on delete cascade,
  status_code integer,
  body text,
  created_at text not null,
  primary key (scope, path, key)
) strict, without rowid;

create index idempotency_keys_age on idempotency_keys (created_at);
create index idempotency_keys_run on idempotency_keys (run_seq) where run_seq is not null;

-- How many may wait at once; null for the gateway's own limit.
alter table apps add column max_queued integer;
