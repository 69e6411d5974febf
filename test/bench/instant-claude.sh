#!/bin/sh
# Answers like the CLI, as fast as a shell can: the start of Node would hide what is measured.
if [ "$1" = --version ]; then
  echo '9.9.9 (Claude Code)'
  exit 0
fi
while read -r line; do
  case $line in *'"type":"user"'*) break ;; esac
done
answer='{"type":"system","subtype":"init"}
{"type":"assistant","message":{"id":"m1","model":"claude-fake-1","content":[{"type":"text","text":"ok"}]}}
{"type":"result","subtype":"success","is_error":false,"result":"ok","num_turns":1}'
echo "$answer"
