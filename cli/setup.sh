#!/bin/sh
# Installs the one thing npm cannot bring: bubblewrap, the sandbox of each run.
set -eu

if command -v bwrap >/dev/null 2>&1; then
  exit 0
fi

if command -v apt-get >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif sudo -n true 2>/dev/null; then
    as_root=sudo
  else
    echo 'bubblewrap is missing. Install it with: sudo apt-get install bubblewrap' >&2
    exit 1
  fi
  install='apt-get install -y --no-install-recommends bubblewrap'
  $as_root $install >/dev/null 2>&1 || { $as_root apt-get update >/dev/null && $as_root $install; }
  exit 0
fi

echo 'bubblewrap is missing. Install the package "bubblewrap" with the package manager of this system.' >&2
exit 1
