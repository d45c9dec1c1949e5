-- The series of a completed task, if that task is still completed and still the latest occurrence.
-- No row: nothing to do. $1 user uuid, $2 task uuid
select s.id as series_id, s.version, s.rule, s.time_zone, s.dtstart, s.all_day, s.occurrence,
    s.guard_day, s.guard_count
from task t
join series s on s.id = t.series_id and s.user_id = t.user_id and s.occurrence = t.occurrence
where t.user_id = $1 and t.id = $2 and t.completed_at is not null and s.ended_at is null;
