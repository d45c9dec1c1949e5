alter table inbox set (fillfactor = 80);
alter table event_stream set (fillfactor = 70);
drop index event_stream_pending;
create index event_stream_pending on event_stream (lease_until, stream) where acked_seq < last_seq;
alter table outbox drop constraint outbox_data_check;
alter table outbox add constraint outbox_data_check check (octet_length(data::text) <= 65536);
alter table outbox set (fillfactor = 90);
alter table outbox drop constraint outbox_pkey;
alter table outbox add primary key (id), add unique (stream, stream_seq);
