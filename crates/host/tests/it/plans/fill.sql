-- A database as it is after years: one user has 100,000 of the 120,000 tasks. Ids say what they are: the first digit
-- is the kind, the last ones count. `vacuum analyze` comes after.
create function id(kind int, n bigint) returns uuid language sql immutable
    return (kind || '0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid;
create function at(n bigint) returns timestamptz language sql immutable
    return timestamptz '2026-01-01 00:00:00Z' + n * interval '10 seconds';
create function owner(n bigint) returns uuid language sql immutable
    return id(1, case when n <= 100000 then 1 else 2 + n % 20 end);

insert into account (id, email, email_key, password_hash, time_zone, created_at)
select id(1, n), n || '@example.org', n || '@example.org', 'hash', 'UTC', at(n)
from generate_series(1, 20000) n;

insert into session (id, user_id, refresh_hash, previous_hash, created_at, rotated_at, expires_at)
select id(7, n), id(1, n), int8send(n), int8send(-n), at(n), at(n), at(n + 9999999)
from generate_series(1, 20000) n;

insert into sign_in_attempt (email_key, since, attempts)
select n || '@example.org', at(n), 1 from generate_series(1, 20000) n;

insert into series (
    id, user_id, rule, time_zone, dtstart, all_day, occurrence, guard_day, guard_count, version, created_at, updated_at)
select id(3, n), owner(n), 'FREQ=WEEKLY', 'UTC', '2026-01-01 09:00', false, '2026-01-01 09:00',
    '2026-01-01', 1, 1, at(n), at(n)
from generate_series(50, 120000, 50) n;

insert into task (
    id, user_id, title, description, priority, tags, due_at, recurrence_rule, reminder_minutes, series_id, occurrence,
    version, created_at, updated_at, completed_at, deleted_at)
select id(2, n), owner(n), 'Task ' || n, repeat('words ', 20), 1 + n % 4, '{work}', at(n),
    case when n % 50 = 0 then 'FREQ=WEEKLY' end, '{30,60}',
    case when n % 50 = 0 then id(3, n) end, case when n % 50 = 0 then timestamp '2026-01-01 09:00' end,
    1, at(n), at(n), case when n % 5 = 0 then at(n + 1) end, case when n % 7 = 0 then at(n) end
from generate_series(1, 120000) n;

-- the first 5,000 of those that wait have come due, the others are months ahead
insert into reminder (
    id, user_id, task_id, due_at, minutes, fire_at, state, version, task_version, created_at, updated_at)
select id(4, n), owner(n), id(2, n), at(n), 30, at(n - 180 + (n > 25000)::int * 9999999),
    case when n <= 20000 then 'fired' else 'pending' end, (n <= 20000)::int, 1, at(n), at(n)
from generate_series(1, 40000) n;

insert into notification (id, user_id, reminder_id, task_id, title, due_at, fire_at, created_at, read_at)
select id(5, n), owner(n), id(4, n), id(2, n), 'Task ' || n, at(n),
    at(n - 180), at(n), case when n % 20 > 0 then at(n) end
from generate_series(1, 20000) n;

insert into audit_entry (user_id, seq, event_id, at, action, stream, stream_seq, salt, payload, commitment, hash)
select owner(n), n, id(6, n), at(n), 'dev.spindle.task.created.v1', 'task/' || id(2, n), 1,
    int8send(n), '{}', int8send(n), int8send(n)
from generate_series(1, 20000) n;
insert into audit_head (user_id, seq, hash)
select user_id, max(seq), '\x00' from audit_entry group by user_id;

-- half of the streams have an event that waits; fifty are with a relay
insert into event_stream (stream, last_seq, acked_seq, lease_token, lease_until)
select 'task/' || id(2, n), 1, (n <= 20000)::int, case when n > 39950 then id(8, 1) end,
    case when n > 39950 then timestamptz 'infinity' else '-infinity' end
from generate_series(1, 40000) n;
insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data)
select id(6, n), 'task/' || id(2, n), 1, 'task-events', 'dev.spindle.task.created.v1', owner(n),
    at(n), jsonb_build_object('task_id', id(2, n))
from generate_series(20001, 40000) n;

insert into inbox (
    consumer, event_id, stream, stream_seq, type, user_id, time, data, state, not_before, received_at)
select consumer, id(6, n), 'task/' || id(2, n), 1, 'dev.spindle.task.created.v1', owner(n), at(n),
    jsonb_build_object(
        'reminder_id', id(4, n), 'task_id', id(2, n), 'title', 'Task', 'due_at', at(n), 'fire_at', at(n)),
    'new', at(n - 20000), at(n)
from generate_series(20001, 40000) n, unnest(array['audit', 'reminders', 'notifications', 'recurrence']) consumer;

-- what was given up, ten events a stream
insert into inbox (
    consumer, event_id, stream, stream_seq, type, user_id, time, data, state, attempts, not_before, received_at)
select consumer, id(6, 50000 + n), 'task/' || n / 10, 1 + n % 10, 'dev.spindle.task.created.v1', owner(n), at(n),
    jsonb_build_object('task_id', id(2, n)), 'dead', 9, at(n), at(n)
from generate_series(1, 5000) n, unnest(array['audit', 'reminders', 'notifications', 'recurrence']) consumer;

-- what was handed over, and what the consumers are done with: of 17 days
insert into outbox_archive (slot, id, stream, stream_seq, topic, type, user_id, time, data, handed_at)
select n / 1000 % 17, id(6, n), 'task/' || id(2, n), 1, 'task-events', 'dev.spindle.task.created.v1', owner(n), at(n),
    jsonb_build_object('task_id', id(2, n)), at(n)
from generate_series(1, 20000) n;
insert into inbox_done (slot, consumer, event_id, done_at)
select n / 1000 % 17, consumer, id(6, n), at(n)
from generate_series(1, 20000) n, unnest(array['audit', 'reminders', 'notifications', 'recurrence']) consumer;
update consumer set checked_until = at(19000);
