-- A repetition gets the headers of the first answer too: ETag, Location.
alter table idempotency_keys add column headers text;
