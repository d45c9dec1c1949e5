-- The trace that an event belongs to, as W3C Trace Context writes it (`00-<trace>-<span>-<flags>`): from the request
-- that made the change, through the outbox and the inboxes, to what is written when the event is applied. Null where
-- nobody traces. A column that is null costs a row nothing but its bit, and no table is rewritten.
-- Written by whoever inserts the row, as 0002 and 0004 say.
alter table outbox add column traceparent text;
alter table inbox add column traceparent text;
alter table outbox_archive add column traceparent text;
-- A reminder goes off long after the change it comes from, by a tick that has a trace of its own.
alter table reminder add column traceparent text;
