-- Changes an open or completed task that still has the version that was read. A new rule ends the task's series and
-- starts another from here; no rule ends it; a series that has gone on from this task goes on.
-- No row: the version has moved, or the task is gone.
-- $1 user uuid, $2 id uuid, $3 version int8, $4 title text, $5 description text, $6 priority int4, $7 tags text[],
-- $8 due_on date, $9 due_at timestamp, $10 time_zone text, $11 recurrence_rule text, $12 reminder_minutes int4[],
-- $13 series uuid, $14 occurrence timestamp (local), $15 series' zone text, $16 starts a series bool,
-- $17 series to end uuid, $18 changed fields text[], $19 now timestamp, $20, $21 and $22 event ids uuid,
-- $23 traceparent text
with after as (
    update task
    set title = $4, description = $5, priority = $6, tags = $7, due_on = $8,
        due_at = $9::timestamp at time zone 'utc', time_zone = $10, recurrence_rule = $11, reminder_minutes = $12,
        series_id = $13, occurrence = $14, version = version + 1, updated_at = $19::timestamp at time zone 'utc'
    where id = $2 and user_id = $1 and version = $3 and deleted_at is null
    returning *
), ended as (
    update series s
    set ended_at = after.updated_at, end_reason = 'changed', version = s.version + 1, updated_at = after.updated_at
    from after, task before
    where s.id = $17 and s.user_id = $1 and s.ended_at is null and before.id = after.id
      and s.occurrence = before.occurrence
    returning s.*
), started as (
    insert into series (
        id, user_id, rule, time_zone, dtstart, all_day, occurrence, guard_day, guard_count, version, created_at,
        updated_at)
    select series_id, user_id, recurrence_rule, $15, occurrence, due_on is not null, occurrence,
        $19::timestamp::date, 1, 1, updated_at, updated_at
    from after
    where $16::boolean
    returning *
), events as (
    insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data, traceparent)
    select $20::uuid, 'task/' || id, version, 'task-events', 'dev.spindle.task.updated.v1', user_id, updated_at,
    jsonb_build_object(
        'task_id', id, 'version', version, 'title', title, 'status', status,
        'due_at', to_char(due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'series_id', series_id, 'occurrence', to_char(occurrence, 'YYYY-MM-DD"T"HH24:MI:SS'),
        'changed', to_jsonb($18::text[])),
    $23::text
    from after
    union all
    select $21::uuid, 'series/' || id, version, 'task-events', 'dev.spindle.series.created.v1', user_id, created_at,
        jsonb_build_object(
            'series_id', id, 'version', version, 'task_id', $2::uuid, 'rule', rule, 'time_zone', time_zone),
        $23::text
    from started
    union all
    select $22::uuid, 'series/' || id, version, 'task-events', 'dev.spindle.series.ended.v1', user_id, ended_at,
        jsonb_build_object('series_id', id, 'version', version, 'reason', end_reason),
        $23::text
    from ended
    returning stream, stream_seq
), streams as (
    insert into event_stream (stream, last_seq)
    select stream, stream_seq from events order by stream
    on conflict (stream) do update set last_seq = excluded.last_seq
)
select row_to_json(v)::text as body
from after t
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
