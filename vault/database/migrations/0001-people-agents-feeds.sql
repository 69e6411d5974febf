-- Read by SQLite and PostgreSQL: a bigint is an integer there, and the tables are strict (vault-migrations.ts).
-- Times are UTC in ISO 8601, JSON is text. Every table has a realm.

create table counters (
  realm text not null,
  name text not null,
  value bigint not null,
  primary key (realm, name)
) /* strict */;

create table users (
  user_id text primary key,
  realm text not null,
  name text not null,
  display_name text not null,
  role text not null check (role in ('admin', 'agent', 'viewer')),
  password_hash text,
  version bigint not null,
  created_at text not null,
  updated_at text not null,
  disabled_at text,
  last_sign_in_at text,
  unique (realm, name)
) /* strict */;

-- What one sign-in has become: a chain of refresh tokens, each used once.
create table refresh_families (
  family_id text primary key,
  realm text not null,
  user_id text not null references users (user_id),
  csrf_sha256 text not null,
  address text not null,
  user_agent text not null,
  created_at text not null,
  expires_at text not null,
  ended_at text,
  end_reason text
) /* strict */;
create index refresh_families_of_user on refresh_families (user_id) where ended_at is null;
create index refresh_families_by_end on refresh_families (expires_at);

create table refresh_tokens (
  token_sha256 text primary key,
  realm text not null,
  family_id text not null references refresh_families (family_id) on delete cascade,
  created_at text not null,
  expires_at text not null,
  used_at text
) /* strict */;
create index refresh_tokens_of_family on refresh_tokens (family_id);

create table one_time_links (
  link_id text primary key,
  realm text not null,
  kind text not null check (kind in ('setup', 'invitation', 'password_reset')),
  secret_sha256 text not null unique,
  -- The role of an invitation, the user of a reset.
  role text,
  user_id text references users (user_id),
  created_by text,
  created_at text not null,
  expires_at text not null,
  used_at text,
  revoked_at text
) /* strict */;

create table api_keys (
  key_id text primary key,
  realm text not null,
  owner_id text not null references users (user_id),
  name text not null,
  kind text not null check (kind in ('prod', 'dev')),
  scopes text not null,
  -- The only agents it is for; null for all.
  agents text,
  per_minute bigint not null,
  burst bigint not null,
  version bigint not null,
  created_at text not null,
  updated_at text not null,
  expires_at text,
  revoked_at text,
  last_used_at text,
  last_used_ip text
) /* strict */;
create unique index api_keys_by_name on api_keys (owner_id, name) where revoked_at is null;

create table key_secrets (
  secret_sha256 text primary key,
  realm text not null,
  key_id text not null references api_keys (key_id),
  created_at text not null,
  valid_until text
) /* strict */;
create index key_secrets_of_key on key_secrets (key_id);

create table agents (
  agent_id text primary key,
  realm text not null,
  name text not null,
  description text not null,
  labels text not null,
  place bigint not null,
  version bigint not null,
  created_at text not null,
  updated_at text not null,
  archived_at text,
  status text not null check (status in ('online', 'working', 'offline', 'error')),
  status_text text,
  last_seen_at text
) /* strict */;
create unique index agents_by_name on agents (realm, name) where archived_at is null;

-- One number for all events, given in the order of the commits.
create table events (
  seq bigint primary key,
  realm text not null,
  event_id text not null unique,
  agent_id text references agents (agent_id),
  event_type text not null,
  content text not null,
  metadata text not null,
  reply_to text,
  attachments text not null,
  author_kind text not null check (author_kind in ('user', 'key', 'system')),
  author_id text not null,
  author_name text not null,
  idempotency_key text,
  request_sha256 text,
  created_at text not null
) /* strict */;
create index events_of_agent on events (agent_id, seq);
create index events_of_agent_by_type on events (agent_id, event_type, seq);
create index events_by_time on events (created_at);
create index events_replies on events (reply_to) where reply_to is not null;
create unique index events_by_key on events (agent_id, author_id, idempotency_key) where idempotency_key is not null;

-- Who answers a message, and until when. The fence rises with each claim; a write with an older one is refused.
create table claims (
  event_id text primary key,
  realm text not null,
  agent_id text not null references agents (agent_id),
  fence bigint not null,
  state text not null check (state in ('held', 'released', 'expired', 'answered')),
  holder_id text not null,
  holder_name text not null,
  claimed_at text not null,
  lease_expires_at text not null,
  ended_at text
) /* strict */;
create index claims_by_lease on claims (lease_expires_at) where state = 'held';

create table read_marks (
  realm text not null,
  user_id text not null references users (user_id),
  agent_id text not null references agents (agent_id),
  seq bigint not null,
  updated_at text not null,
  primary key (user_id, agent_id)
) /* strict */;

create table attachments (
  attachment_id text primary key,
  realm text not null,
  agent_id text not null references agents (agent_id),
  -- Null until an event names it.
  event_id text,
  owner_id text not null,
  name text not null,
  media_type text not null,
  size bigint not null,
  sha256 text not null,
  created_at text not null
) /* strict */;
create index attachments_of_event on attachments (event_id) where event_id is not null;
create index attachments_unused on attachments (created_at) where event_id is null;

create table hosts (
  realm text not null,
  name text not null,
  report text not null,
  reported_by text not null,
  reported_at text not null,
  primary key (realm, name)
) /* strict */;

create table idempotency_keys (
  realm text not null,
  scope text not null,
  path text not null,
  key text not null,
  request_sha256 text not null,
  status_code bigint not null,
  -- Null where the answer is shown once.
  body text,
  created_at text not null,
  primary key (scope, path, key)
) /* strict */;
create index idempotency_keys_by_time on idempotency_keys (created_at);

create table audit_log (
  seq bigint primary key,
  realm text not null,
  at text not null,
  action text not null,
  actor_kind text not null,
  actor_id text,
  actor_name text,
  address text,
  resource text,
  details text not null,
  pruned_to_seq bigint,
  previous_hash text not null,
  hash text not null
) /* strict */;
create index audit_log_by_actor on audit_log (actor_name, seq);
create index audit_log_by_action on audit_log (action, seq);
create index audit_log_by_time on audit_log (at);
create index audit_log_anchors on audit_log (seq) where pruned_to_seq is not null;
