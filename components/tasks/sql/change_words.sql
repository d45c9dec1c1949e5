-- Changes fields of a task that stand for themselves; a task that has these values already stays as it is.
-- No row: not there, deleted, or someone else's.
-- $1 user uuid, $2 id uuid, $3 fields text[], $4 title text, $5 description text, $6 priority int4, $7 tags text[],
-- $8 now timestamp, $9 event id uuid, $10 traceparent text
with old as (
    select * from task where id = $2 and user_id = $1 and deleted_at is null for update
), wanted as (
    select
        id,
        case when 'title' = any ($3::text[]) then $4 else title end as title,
        case when 'description' = any ($3::text[]) then $5 else description end as description,
        case when 'priority' = any ($3::text[]) then $6 else priority end as priority,
        case when 'tags' = any ($3::text[]) then $7 else tags end as tags
    from old
), after as (
    update task t
    set title = wanted.title, description = wanted.description, priority = wanted.priority, tags = wanted.tags,
        updated_at = $8::timestamp at time zone 'utc', version = t.version + 1
    from wanted
    where t.id = wanted.id
      and (t.title, t.description, t.priority, t.tags)
          is distinct from (wanted.title, wanted.description, wanted.priority, wanted.tags)
    returning t.*
), event as (
    insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data, traceparent)
    select $9, 'task/' || a.id, a.version, 'task-events', 'dev.spindle.task.updated.v1', a.user_id, a.updated_at,
    jsonb_build_object(
        'task_id', a.id, 'version', a.version, 'title', a.title, 'status', a.status,
        'due_at', to_char(a.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'series_id', a.series_id, 'occurrence', to_char(a.occurrence, 'YYYY-MM-DD"T"HH24:MI:SS'),
        'changed', to_jsonb(array_remove(array[
            case when a.title is distinct from old.title then 'title' end,
            case when a.description is distinct from old.description then 'description' end,
            case when a.priority is distinct from old.priority then 'priority' end,
            case when a.tags is distinct from old.tags then 'tags' end], null))),
    $10::text
    from after a
    join old on old.id = a.id
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
