-- A page of the user's reminders, the latest moment first, after the keyset ($2, $3).
-- $1 user uuid, $2 fires before timestamp, $3 id before uuid, $4 rows int8
select r.id, r.task_id, r.due_at at time zone 'utc' as due_at, r.minutes, r.fire_at at time zone 'utc' as fire_at,
    r.state
from reminder r
where r.user_id = $1 and (r.fire_at, r.id) < ($2::timestamp at time zone 'utc', $3::uuid)
order by r.fire_at desc, r.id desc
limit $4;
