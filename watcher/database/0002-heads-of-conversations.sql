-- Who is next, without reading all that wait.
create index messages_open_by_conversation on messages (conversation, seq) where state in ('stored', 'started', 'ended', 'posting');
