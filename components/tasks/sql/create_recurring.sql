-- Creates a recurring task and its series, with an event each. A repeated id answers the stored task.
-- No row: the id is taken by a task that is deleted or someone else's, or by one made at this very moment: ask again.
-- $1 user uuid, $2 id uuid, $3 title text, $4 description text, $5 priority int4, $6 tags text[], $7 due_on date,
-- $8 due_at timestamp, $9 time_zone text, $10 recurrence_rule text, $11 reminder_minutes int4[], $12 series uuid,
-- $13 occurrence timestamp (local), $14 series' zone text, $15 now timestamp, $16 and $17 event ids uuid,
-- $18 traceparent text
with after as (
    insert into task (
        id, user_id, title, description, priority, tags, due_on, due_at, time_zone, recurrence_rule, reminder_minutes,
        series_id, occurrence, version, created_at, updated_at)
    values (
        $2, $1, $3, $4, $5, $6, $7, $8::timestamp at time zone 'utc', $9, $10, $11,
        $12, $13, 1, $15::timestamp at time zone 'utc', $15::timestamp at time zone 'utc')
    on conflict (id) do nothing
    returning *
), series_row as (
    insert into series (
        id, user_id, rule, time_zone, dtstart, all_day, occurrence, guard_day, guard_count, version, created_at,
        updated_at)
    select series_id, user_id, recurrence_rule, $14, occurrence, due_on is not null, occurrence,
        $15::timestamp::date, 1, 1, created_at, created_at
    from after
    returning *
), events as (
    insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data, traceparent)
    select $16::uuid, 'task/' || id, version, 'task-events', 'dev.spindle.task.created.v1', user_id, created_at,
    jsonb_build_object(
        'task_id', id, 'version', version, 'title', title, 'status', status,
        'due_at', to_char(due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'series_id', series_id, 'occurrence', to_char(occurrence, 'YYYY-MM-DD"T"HH24:MI:SS')),
    $18::text
    from after
    union all
    select $17::uuid, 'series/' || id, version, 'task-events', 'dev.spindle.series.created.v1', user_id, created_at,
        jsonb_build_object(
            'series_id', id, 'version', version, 'task_id', $2::uuid, 'rule', rule, 'time_zone', time_zone),
        $18::text
    from series_row
    returning stream, stream_seq
), streams as (
    insert into event_stream (stream, last_seq)
    select stream, stream_seq from events
)
select row_to_json(v)::text as body, t.changed
from (
    select *, true as changed from after
    union all
    select *, false from task
    where user_id = $1 and id = $2 and deleted_at is null and not exists (select from after)
) t
cross join lateral (
    select
        t.id, t.title, t.description, 'P' || t.priority as priority, t.tags,
        coalesce(
            to_char(t.due_on, 'YYYY-MM-DD'),
            to_char(t.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) as due_date,
        t.time_zone, t.recurrence_rule, t.reminder_minutes, t.series_id, t.occurrence, t.status, t.version,
        to_char(t.created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at,
        to_char(t.updated_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as updated_at,
        to_char(t.completed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as completed_at
) v;
