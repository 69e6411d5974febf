-- The bytes lie in files/<file_token> of the data directory; a row is made after them and goes before them.
create table files (
  file_seq integer primary key autoincrement,
  file_token text not null unique,
  app_id integer not null references apps (app_id),
  name text not null,
  media_type text not null,
  size integer not null,
  sha256 text not null,
  created_at text not null,
  expires_at text not null
) strict;

create index files_app on files (app_id, created_at, file_token);
create index files_quota on files (app_id, expires_at, size);
create index files_expiry on files (expires_at);
