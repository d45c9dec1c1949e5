drop table inbox;
drop table event_stream;
drop table outbox;
