-- One series with the task of its latest occurrence. No row: not there, or someone else's.
-- $1 user uuid, $2 id uuid
select
    s.id, s.rule, s.time_zone, s.dtstart, s.all_day, s.occurrence, s.ended_at at time zone 'utc' as ended_at,
    s.end_reason, s.version, s.created_at at time zone 'utc' as created_at,
    s.updated_at at time zone 'utc' as updated_at,
    t.id as task_id, t.title, t.status
from series s
left join task t on t.series_id = s.id and t.occurrence = s.occurrence and t.user_id = s.user_id
where s.user_id = $1 and s.id = $2;
