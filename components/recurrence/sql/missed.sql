-- Tasks completed in the last week whose series did not go on, although an event should have seen to it.
-- system: the tick repairs the series of every user. sweep: reads a week of completed recurring tasks.
-- $1 completed from timestamp, $2 completed before timestamp, $3 rows int8
select t.user_id, t.id as task_id
from task t
join series s on s.id = t.series_id and s.occurrence = t.occurrence
where t.completed_at >= $1::timestamp at time zone 'utc' and t.completed_at < $2::timestamp at time zone 'utc'
  and t.series_id is not null and s.ended_at is null
order by t.completed_at
limit $3;
