-- Deletes a task; with the current task of a series the series ends. A task that was deleted before stays so.
-- No row: not there, or someone else's. $1 user uuid, $2 id uuid, $3 now timestamp, $4 and $5 event ids uuid,
-- $6 traceparent text
with old as (
    select * from task where id = $2 and user_id = $1 for update
), after as (
    update task t
    set deleted_at = $3::timestamp at time zone 'utc', updated_at = $3::timestamp at time zone 'utc',
        version = t.version + 1
    from old
    where t.id = old.id and old.deleted_at is null
    returning t.*
), ended as (
    update series s
    set ended_at = $3::timestamp at time zone 'utc', end_reason = 'deleted', version = s.version + 1,
        updated_at = $3::timestamp at time zone 'utc'
    from after
    where s.id = after.series_id and s.user_id = $1 and s.occurrence = after.occurrence and s.ended_at is null
      and after.completed_at is null
    returning s.*
), events as (
    insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data, traceparent)
    select $4::uuid, 'task/' || id, version, 'task-events', 'dev.spindle.task.deleted.v1', user_id, deleted_at,
    jsonb_build_object(
        'task_id', id, 'version', version, 'title', title, 'status', status,
        'due_at', to_char(due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'series_id', series_id, 'occurrence', to_char(occurrence, 'YYYY-MM-DD"T"HH24:MI:SS')),
    $6::text
    from after
    union all
    select $5::uuid, 'series/' || id, version, 'task-events', 'dev.spindle.series.ended.v1', user_id, ended_at,
        jsonb_build_object('series_id', id, 'version', version, 'reason', end_reason),
        $6::text
    from ended
    returning stream, stream_seq
), streams as (
    insert into event_stream (stream, last_seq)
    select stream, stream_seq from events order by stream
    on conflict (stream) do update set last_seq = excluded.last_seq
)
select exists (select from after) as changed from old;
