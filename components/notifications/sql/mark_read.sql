-- Marks one notification as read; one that was read keeps its first time. No row: not there, or someone else's.
-- $1 user uuid, $2 id uuid, $3 now timestamp
update notification
set read_at = coalesce(read_at, $3::timestamp at time zone 'utc')
where user_id = $1 and id = $2
returning id, reminder_id, task_id, title, due_at at time zone 'utc' as due_at, fire_at at time zone 'utc' as fire_at,
    created_at at time zone 'utc' as created_at, read_at at time zone 'utc' as read_at;
