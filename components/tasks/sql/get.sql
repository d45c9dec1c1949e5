-- One task. No row: not there, deleted, or someone else's.
-- $1 user uuid, $2 id uuid
select
    t.id, t.title, t.description, t.priority, t.tags, t.due_on, t.due_at at time zone 'utc' as due_at,
    coalesce(
        to_char(t.due_on, 'YYYY-MM-DD'),
        to_char(t.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) as due_date,
    t.time_zone,
    t.recurrence_rule, t.reminder_minutes, t.series_id, t.occurrence, t.status, t.version,
    t.created_at at time zone 'utc' as created_at, t.updated_at at time zone 'utc' as updated_at,
    t.completed_at at time zone 'utc' as completed_at, false as changed
from task t
where t.user_id = $1 and t.id = $2 and t.deleted_at is null;
