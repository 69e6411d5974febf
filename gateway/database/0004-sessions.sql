-- Conversations of apps. What is said in one lies in a directory of its own, as the CLI writes it.
create table sessions (
  session_seq integer primary key autoincrement,
  session_id text not null unique,
  app_id integer not null references apps (app_id),
  -- Fixed when it was made.
  system text,
  model text not null,
  json_schema text,
  workspace text,
  metadata text not null default '{}',
  -- What the CLI calls it: a new one when the old one is lost.
  conversation_id text not null,
  -- Of the transcript after the last turn that was answered: what there must be of it at least.
  transcript_bytes integer not null default 0,
  transcript_sha256 text,
  -- The conversation began anew, and no answer has said so yet.
  reset_untold integer not null default 0 check (reset_untold in (0, 1)),
  turns integer not null default 0,
  created_at text not null,
  last_used_at text not null,
  -- Its directory is to go, or has gone.
  ended_at text
) strict;

create index sessions_app on sessions (app_id, session_seq) where ended_at is null;
create index sessions_idle on sessions (last_used_at) where ended_at is null;
create index sessions_ended on sessions (ended_at) where ended_at is not null;

alter table runs add column session_seq integer references sessions (session_seq) on delete set null;

create index runs_session on runs (session_seq) where session_seq is not null;
