-- no-transaction
-- A fact, which is an event's stream and sequence, has one entry, whatever versions of the event tell of it.
create unique index concurrently audit_entry_fact on audit_entry (stream, stream_seq);
