-- A task before it is changed: what clients write of it, what decides over its series, and its answer.
-- No row: not there, deleted, or someone else's. $1 user uuid, $2 id uuid
select
    t.title, t.description, t.priority, t.tags, t.due_on, t.due_at at time zone 'utc' as due_at, t.time_zone,
    t.recurrence_rule, t.reminder_minutes, t.series_id, t.occurrence, t.status, t.version,
    row_to_json(v)::text as body
from task t
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
) v
where t.user_id = $1 and t.id = $2 and t.deleted_at is null;
