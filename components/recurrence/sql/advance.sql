-- Moves a series on to its next occurrence and makes the task for it, as the completed task now reads, if the series
-- still has the version that was read; else somebody was first. Marks the received event as done either way.
-- $1 user uuid, $2 series uuid, $3 version int8, $4 completed task uuid, $5 next occurrence timestamp (local),
-- $6 its due_at timestamp, $7 its due_on date, $8 new task uuid, $9 now timestamp, $10 skipped occurrences int4,
-- $11 inbox event uuid or null, $12 and $13 event ids uuid, $14 traceparent text
with taken as (
    delete from inbox where consumer = 'recurrence' and event_id = $11::uuid and state = 'new' returning slot, event_id
), received as (
    insert into inbox_done (slot, consumer, event_id, done_at)
    select slot, 'recurrence', event_id, $9::timestamp at time zone 'utc' from taken
    on conflict do nothing
), moved as (
    update series
    set occurrence = $5, version = version + 1, updated_at = $9::timestamp at time zone 'utc',
        guard_count = case when guard_day = $9::timestamp::date then guard_count + 1 else 1 end,
        guard_day = $9::timestamp::date
    where id = $2 and user_id = $1 and version = $3 and ended_at is null
    returning *
), made as (
    insert into task (
        id, user_id, title, description, priority, tags, due_on, due_at, time_zone, recurrence_rule, reminder_minutes,
        series_id, occurrence, version, created_at, updated_at)
    select $8, t.user_id, t.title, t.description, t.priority, t.tags, $7::date, $6::timestamp at time zone 'utc',
        t.time_zone, t.recurrence_rule, t.reminder_minutes, moved.id, moved.occurrence, 1,
        moved.updated_at, moved.updated_at
    from moved
    join task t on t.id = $4 and t.user_id = moved.user_id
    returning *
), events as (
    insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data, traceparent)
    select $12::uuid, 'series/' || id, version, 'task-events', 'dev.spindle.series.advanced.v1', user_id, updated_at,
        jsonb_build_object(
            'series_id', id, 'version', version, 'task_id', $8::uuid,
            'occurrence', to_char(occurrence, 'YYYY-MM-DD"T"HH24:MI:SS'), 'skipped', $10::int),
        $14::text
    from moved
    union all
    select $13::uuid, 'task/' || id, version, 'task-events', 'dev.spindle.task.created.v1', user_id, created_at,
        jsonb_build_object(
            'task_id', id, 'version', version, 'title', title, 'status', status,
            'due_at', to_char(due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'series_id', series_id, 'occurrence', to_char(occurrence, 'YYYY-MM-DD"T"HH24:MI:SS')),
        $14::text
    from made
    returning stream, stream_seq
), streams as (
    insert into event_stream (stream, last_seq)
    select stream, stream_seq from events order by stream
    on conflict (stream) do update set last_seq = excluded.last_seq
)
select exists (select from moved) as advanced;
