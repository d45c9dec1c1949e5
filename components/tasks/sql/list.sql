-- A page of the user's tasks, the newest first, after the keyset ($2, $3). Its columns are the names in
-- the answer.
-- $1 user uuid, $2 created before timestamp, $3 id before uuid, $4 rows int8
select
    t.id, t.title, t.description, 'P' || t.priority as priority, t.tags,
    coalesce(
        to_char(t.due_on, 'YYYY-MM-DD'),
        to_char(t.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) as due_date,
    t.time_zone, t.recurrence_rule, t.reminder_minutes, t.series_id,
    to_char(t.occurrence, 'YYYY-MM-DD"T"HH24:MI:SS') as occurrence, t.status, t.version,
    t.created_at at time zone 'utc' as created_at, t.updated_at at time zone 'utc' as updated_at,
    t.completed_at at time zone 'utc' as completed_at
from task t
where t.user_id = $1 and t.deleted_at is null
  and (t.created_at, t.id) < ($2::timestamp at time zone 'utc', $3::uuid)
order by t.created_at desc, t.id desc
limit $4;
