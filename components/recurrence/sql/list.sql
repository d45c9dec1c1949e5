-- A page of the user's series, the newest first, after the keyset ($2, $3).
-- $1 user uuid, $2 created before timestamp, $3 id before uuid, $4 rows int8
select
    s.id, s.rule, s.time_zone, s.dtstart, s.all_day, s.occurrence, s.ended_at at time zone 'utc' as ended_at,
    s.end_reason, s.version, s.created_at at time zone 'utc' as created_at,
    s.updated_at at time zone 'utc' as updated_at,
    t.id as task_id, t.title, t.status
from series s
left join task t on t.series_id = s.id and t.occurrence = s.occurrence and t.user_id = s.user_id
where s.user_id = $1 and (s.created_at, s.id) < ($2::timestamp at time zone 'utc', $3::uuid)
order by s.created_at desc, s.id desc
limit $4;
