alter table reminder drop column traceparent;
alter table outbox_archive drop column traceparent;
alter table inbox drop column traceparent;
alter table outbox drop column traceparent;
