-- A page of the user's notifications, the newest first, after the keyset ($2, $3).
-- $1 user uuid, $2 created before timestamp, $3 id before uuid, $4 rows int8
select n.id, n.reminder_id, n.task_id, n.title, n.due_at at time zone 'utc' as due_at,
    n.fire_at at time zone 'utc' as fire_at, n.created_at at time zone 'utc' as created_at,
    n.read_at at time zone 'utc' as read_at
from notification n
where n.user_id = $1 and (n.created_at, n.id) < ($2::timestamp at time zone 'utc', $3::uuid)
order by n.created_at desc, n.id desc
limit $4;
