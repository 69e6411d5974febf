-- What the watcher has taken from the vault, and how far it is with it. Times are UTC in ISO 8601.

-- Tells the claims of this watcher from those of another one with the same key.
create table identity (
  one integer primary key check (one = 1),
  watcher_id text not null
) strict;

-- The number of the last event that is stored here, or that needs nothing.
create table cursor (
  one integer primary key check (one = 1),
  seq integer not null
) strict;

-- stored -> started -> ended -> posting -> posted, or skipped when somebody else has answered, or dead when it was given up.
create table messages (
  seq integer primary key,
  event_id text not null unique,
  agent_id text not null,
  -- Messages of one conversation are answered one after the other.
  conversation text not null,
  content text not null,
  -- JSON: what came with it.
  attachments text not null,
  state text not null check (state in ('stored', 'started', 'ended', 'posting', 'posted', 'skipped', 'dead')),
  -- Runs that were begun for it.
  attempt integer not null default 0,
  -- The claim that was asked for last, and its fence once it was given.
  claims integer not null default 0,
  fence integer,
  -- JSON: what the gateway was asked, kept since the same key needs the same request.
  request text,
  run_id text,
  -- JSON: what is to be posted.
  answer text,
  cancel_asked integer not null default 0 check (cancel_asked in (0, 1)),
  -- It had been given up, and somebody wants it tried again.
  replayed integer not null default 0 check (replayed in (0, 1)),
  not_before text,
  error text,
  created_at text not null,
  updated_at text not null
) strict;
create index messages_open on messages (seq) where state in ('stored', 'started', 'ended', 'posting');
create index messages_by_time on messages (updated_at);

-- Messages of other sources, to be written to a file.
create table inbox_items (
  seq integer primary key,
  event_id text not null unique,
  agent_id text not null,
  text text not null,
  written_at text
) strict;
create index inbox_items_open on inbox_items (seq) where written_at is null;

create table sessions (
  conversation text primary key,
  session_id text not null,
  created_at text not null
) strict;
