-- Events on their way: written by whoever changes something, handed over by the relay, received by the consumers.
-- Owner: relay. Other writers: tasks, recurrence, reminders insert into outbox and insert or update event_stream,
-- each in the statement that makes the change; the consumers insert and update their own rows of inbox.

-- One row an event that has not been handed over yet.
create table outbox (
    id uuid primary key,
    -- '<kind>/<id>'; stream_seq is the version of that row, dense from 1
    stream text not null,
    stream_seq bigint not null,
    topic text not null check (topic in ('task-events', 'reminders')),
    type text not null,
    user_id uuid not null,
    time timestamptz not null,
    data jsonb not null check (octet_length(data::text) <= 65536),
    unique (stream, stream_seq)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);

-- One row a stream: which of its events have been handed over. The relay finds work here, since an
-- anti-join over a long outbox gets slower just when the relay is behind.
create table event_stream (
    stream text primary key,
    last_seq bigint not null,
    acked_seq bigint not null default 0,
    -- the lease: an acknowledgement must name the token of the claim it belongs to
    lease_token uuid,
    lease_until timestamptz not null default '-infinity',
    attempts int not null default 0
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
create index event_stream_pending on event_stream (lease_until, stream) where acked_seq < last_seq;

-- One row an event and consumer: received, then applied.
create table inbox (
    consumer text not null,
    event_id uuid not null,
    stream text not null,
    stream_seq bigint not null,
    type text not null,
    user_id uuid not null,
    time timestamptz not null,
    data jsonb not null,
    state text not null default 'new' check (state in ('new', 'done', 'dead')),
    attempts int not null default 1,
    not_before timestamptz not null,
    received_at timestamptz not null,
    error text,
    primary key (consumer, event_id)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
create index inbox_waiting on inbox (consumer, not_before) where state = 'new';
create index inbox_stream on inbox (consumer, stream, stream_seq) where state <> 'done';

grant select, update, delete on outbox to spindle_relay;
grant select, update on event_stream to spindle_relay;
grant insert on outbox to spindle_tasks, spindle_recurrence, spindle_reminders;
-- what the insert's returning reads
grant select (stream, stream_seq) on outbox to spindle_tasks, spindle_recurrence, spindle_reminders;
grant select, insert, update on event_stream to spindle_tasks, spindle_recurrence, spindle_reminders;
grant select, insert, update on inbox
    to spindle_recurrence, spindle_reminders, spindle_notifications, spindle_audit;
grant select on outbox, event_stream, inbox to spindle_status;
