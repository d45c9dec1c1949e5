-- Completes an open task; one that is completed stays as it is.
-- No row: not there, deleted, or someone else's. $1 user uuid, $2 id uuid, $3 now timestamp, $4 event id uuid,
-- $5 traceparent text
with old as (
    select * from task where id = $2 and user_id = $1 and deleted_at is null for update
), after as (
    update task t
    set completed_at = $3::timestamp at time zone 'utc', updated_at = $3::timestamp at time zone 'utc',
        version = t.version + 1
    from old
    where t.id = old.id and old.completed_at is null
    returning t.*
), event as (
    insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data, traceparent)
    select $4, 'task/' || id, version, 'task-events', 'dev.spindle.task.completed.v1', user_id, updated_at,
    jsonb_build_object(
        'task_id', id, 'version', version, 'title', title, 'status', status,
        'due_at', to_char(due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'series_id', series_id, 'occurrence', to_char(occurrence, 'YYYY-MM-DD"T"HH24:MI:SS')),
    $5::text
    from after
), stream as (
    insert into event_stream (stream, last_seq)
    select 'task/' || id, version from after
    on conflict (stream) do update set last_seq = excluded.last_seq
)
select row_to_json(v)::text as body, t.changed
from (
    select *, true as changed from after
    union all
    select *, false from old where not exists (select from after)
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
