#!/bin/sh
# Makes the cluster, the user and the database at the first start, as the real image does.
set -eu
bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb)")
export PATH="$bin:$PATH"
data=/var/lib/postgresql/data/pgdata
if [ -z "${POSTGRES_PASSWORD:-}" ]; then
  echo 'POSTGRES_PASSWORD is not set' >&2
  exit 1
fi
if [ ! -s "$data/PG_VERSION" ]; then
  printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
  initdb --pgdata="$data" --username="$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 --no-locale >/dev/null
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
  echo "create database $POSTGRES_DB" | postgres --single -D "$data" postgres >/dev/null
fi
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
