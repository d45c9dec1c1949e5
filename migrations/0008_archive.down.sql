revoke delete on inbox from spindle_recurrence, spindle_reminders, spindle_notifications, spindle_audit;
revoke select, insert, update, delete on inbox from spindle_relay;
alter table audit_entry drop constraint audit_entry_stream_key;
drop table consumer;
drop index sign_in_attempt_since;
drop index session_ends;
-- What was done stays done as far as the archive knows the events.
insert into inbox (
    consumer, event_id, stream, stream_seq, type, user_id, time, data, state, not_before, received_at)
select d.consumer, d.event_id, a.stream, a.stream_seq, a.type, a.user_id, a.time, a.data, 'done', d.done_at, d.done_at
from inbox_done d join outbox_archive a on a.slot = d.slot and a.id = d.event_id;
alter table inbox drop column slot;
drop table inbox_done;
drop table outbox_archive;
