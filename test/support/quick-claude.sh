#!/bin/bash
# The fake CLI for tests of many runs: bash instead of Node, which takes thirty times as long to start. It knows one directive,
# `@@log <port>`, and echoes the last line of the prompt.
if [ "$1" = --version ]; then
  echo '9.9.9 (Claude Code)'
  exit 0
fi
while read -r line; do
  case $line in *'"type":"user"'*) break ;; esac
done
text=${line##*\\n}
text=${text%%\"*}
if [[ $line =~ @@log\ ([0-9]+) ]]; then
  exec 3<>"/dev/tcp/127.0.0.1/${BASH_REMATCH[1]}"
  echo "{\"run\":\"$GATEHOUSE_RUN\",\"says\":\"$text\"}" >&3
  read -r _ <&3
fi
echo '{"type":"system","subtype":"init"}'
echo "{\"type\":\"assistant\",\"message\":{\"id\":\"m1\",\"model\":\"claude-fake-1\",\"content\":[{\"type\":\"text\",\"text\":\"$text\"}]}}"
echo '{"type":"result","subtype":"success","is_error":false,"result":"","num_turns":1}'
