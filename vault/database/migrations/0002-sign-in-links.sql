-- A link may sign somebody in. Neither database can widen a check in the same words: the table is made anew.

create table links_of_any_kind (
  link_id text primary key,
  realm text not null,
  kind text not null check (kind in ('setup', 'invitation', 'password_reset', 'sign_in')),
  secret_sha256 text not null unique,
  -- The role of an invitation, the user of a reset and of a sign-in.
  role text,
  user_id text references users (user_id),
  created_by text,
  created_at text not null,
  expires_at text not null,
  used_at text,
  revoked_at text
) /* strict */;
insert into links_of_any_kind
  select link_id, realm, kind, secret_sha256, role, user_id, created_by, created_at, expires_at, used_at, revoked_at
  from one_time_links;
drop table one_time_links;
alter table links_of_any_kind rename to one_time_links;
