-- What is done moves out of the way of what waits, into tables by day: of the outbox into an archive, of the inbox into
-- a ledger of keys. Event ids are UUIDs of version 7; `slot` is the day in the id, counted from 1970-01-01, modulo 17.
-- So the same event has the same slot for ever, its key dedupes inside one partition, and no partition has to be made
-- at run time.
-- Owner of outbox_archive: relay. Other writers: none. Owner of consumer: relay. Other writers: none.
-- Owner of inbox_done: relay. Other writers: the consumers insert.
-- Writers of inbox besides relay: the consumers insert, update and delete.

-- Events that were handed over, for 15 days.
create table outbox_archive (
    handed_at timestamptz not null,
    time timestamptz not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot int not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null
) partition by list (slot);
create table outbox_archive_00 partition of outbox_archive for values in (0);
create table outbox_archive_01 partition of outbox_archive for values in (1);
create table outbox_archive_02 partition of outbox_archive for values in (2);
create table outbox_archive_03 partition of outbox_archive for values in (3);
create table outbox_archive_04 partition of outbox_archive for values in (4);
create table outbox_archive_05 partition of outbox_archive for values in (5);
create table outbox_archive_06 partition of outbox_archive for values in (6);
create table outbox_archive_07 partition of outbox_archive for values in (7);
create table outbox_archive_08 partition of outbox_archive for values in (8);
create table outbox_archive_09 partition of outbox_archive for values in (9);
create table outbox_archive_10 partition of outbox_archive for values in (10);
create table outbox_archive_11 partition of outbox_archive for values in (11);
create table outbox_archive_12 partition of outbox_archive for values in (12);
create table outbox_archive_13 partition of outbox_archive for values in (13);
create table outbox_archive_14 partition of outbox_archive for values in (14);
create table outbox_archive_15 partition of outbox_archive for values in (15);
create table outbox_archive_16 partition of outbox_archive for values in (16);
-- Rows arrive in the order of time, so a summary of each block range finds a stretch of time.
create index outbox_archive_handed on outbox_archive using brin (handed_at) with (pages_per_range = 16);

-- Which events a consumer is done with, for 15 days.
create table inbox_done (
    done_at timestamptz not null,
    event_id uuid not null,
    slot int not null,
    consumer text not null,
    -- why an operator had it skipped
    skipped text,
    primary key (slot, consumer, event_id)
) partition by list (slot);
create table inbox_done_00 partition of inbox_done for values in (0);
create table inbox_done_01 partition of inbox_done for values in (1);
create table inbox_done_02 partition of inbox_done for values in (2);
create table inbox_done_03 partition of inbox_done for values in (3);
create table inbox_done_04 partition of inbox_done for values in (4);
create table inbox_done_05 partition of inbox_done for values in (5);
create table inbox_done_06 partition of inbox_done for values in (6);
create table inbox_done_07 partition of inbox_done for values in (7);
create table inbox_done_08 partition of inbox_done for values in (8);
create table inbox_done_09 partition of inbox_done for values in (9);
create table inbox_done_10 partition of inbox_done for values in (10);
create table inbox_done_11 partition of inbox_done for values in (11);
create table inbox_done_12 partition of inbox_done for values in (12);
create table inbox_done_13 partition of inbox_done for values in (13);
create table inbox_done_14 partition of inbox_done for values in (14);
create table inbox_done_15 partition of inbox_done for values in (15);
create table inbox_done_16 partition of inbox_done for values in (16);

-- The inbox keeps what waits and what was given up; a body that is no event is kept as a dead one. Components of the
-- version before leave rows that are done in it, which count as such.
alter table inbox add column slot int not null generated always as (
    ((('x' || left(replace(event_id::text, '-', ''), 12))::bit(48)::bigint / 86400000) % 17)::int) stored;
insert into inbox_done (slot, consumer, event_id, done_at)
select slot, consumer, event_id, received_at from inbox where state = 'done';
delete from inbox where state = 'done';

-- One row a consumer: up to when the archive was compared with what it has received, and how much was missing.
create table consumer (
    name text primary key,
    checked_until timestamptz not null,
    gaps_healed bigint not null,
    healed_at timestamptz
);
insert into consumer (name, checked_until, gaps_healed)
select name, '-infinity', 0 from unnest(array['audit', 'notifications', 'recurrence', 'reminders']) name;

-- An entry needs the one before it of its stream, and a stream's event has one entry.
alter table audit_entry add constraint audit_entry_stream_key unique (user_id, stream, stream_seq);

-- What ends is deleted by the tick.
create index session_ends on session (expires_at);
create index sign_in_attempt_since on sign_in_attempt (since);

grant select, insert, delete on outbox_archive to spindle_relay;
grant select, update on consumer to spindle_relay;
grant select, delete on inbox_done to spindle_relay;
grant select, insert, update, delete on inbox to spindle_relay;
grant insert on inbox_done to spindle_relay;
grant select, insert on inbox_done
    to spindle_recurrence, spindle_reminders, spindle_notifications, spindle_audit;
grant delete on inbox to spindle_recurrence, spindle_reminders, spindle_notifications, spindle_audit;
grant select on outbox_archive, inbox_done, consumer to spindle_status;
