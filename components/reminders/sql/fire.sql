-- Sets off the reminders whose moment has come: one statement claims them, looks at the task once more and writes the
-- event, so that a reminder goes off exactly once. More than a day late it expires; one that its task no longer wants
-- is cancelled without an event. The event belongs to the trace of the change that its reminder comes from.
-- system: the tick serves every user. $1 now timestamp, $2 rows int8, $3 event ids text[], one a row
with due as materialized (
    -- the inner limit is for the planner, which takes $2 for a tenth of the table
    select * from (
        select * from reminder
        where state = 'pending' and fire_at <= $1::timestamp at time zone 'utc'
        order by fire_at, id
        limit 200
        for update skip locked
    ) free
    limit $2
), judged as (
    select r.id, t.title, row_number() over (order by r.fire_at, r.id) as n,
        case
            when t.id is null or t.completed_at is not null or t.deleted_at is not null or t.due_at <> r.due_at
                or r.minutes <> all (t.reminder_minutes) then 'cancelled'
            when r.fire_at < $1::timestamp at time zone 'utc' - interval '1 day' then 'expired'
            else 'fired'
        end as state
    from due r
    left join task t on t.id = r.task_id and t.user_id = r.user_id
), settled as (
    update reminder r
    set state = j.state, version = r.version + case j.state when 'cancelled' then 0 else 1 end,
        updated_at = $1::timestamp at time zone 'utc'
    from judged j
    where r.id = j.id
    returning r.*, j.title, j.n
), events as (
    insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data, traceparent)
    select i.id::uuid, 'reminder/' || s.id, s.version, 'reminders',
        case s.state when 'fired' then 'dev.spindle.reminder.due.v1' else 'dev.spindle.reminder.expired.v1' end,
        s.user_id, s.updated_at,
        jsonb_build_object(
            'reminder_id', s.id, 'task_id', s.task_id, 'title', s.title, 'minutes', s.minutes,
            'due_at', to_char(s.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'fire_at', to_char(s.fire_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
        s.traceparent
    from settled s
    join unnest($3::text[]) with ordinality i (id, n) on i.n = s.n
    where s.state <> 'cancelled'
    returning stream, stream_seq
), streams as (
    insert into event_stream (stream, last_seq)
    select stream, stream_seq from events order by stream
    on conflict (stream) do update set last_seq = excluded.last_seq
)
select (select count(*) from settled) as settled, (select count(*) from events) as events;
