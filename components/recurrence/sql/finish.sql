-- Ends a series that has no further occurrence, or that made too many tasks in a day, if it still has the version that
-- was read. Marks the received event as done either way.
-- $1 user uuid, $2 series uuid, $3 version int8, $4 reason text, $5 now timestamp, $6 inbox event uuid or null,
-- $7 event id uuid, $8 traceparent text
with taken as (
    delete from inbox where consumer = 'recurrence' and event_id = $6::uuid and state = 'new' returning slot, event_id
), received as (
    insert into inbox_done (slot, consumer, event_id, done_at)
    select slot, 'recurrence', event_id, $5::timestamp at time zone 'utc' from taken
    on conflict do nothing
), ended as (
    update series
    set ended_at = $5::timestamp at time zone 'utc', end_reason = $4, version = version + 1,
        updated_at = $5::timestamp at time zone 'utc'
    where id = $2 and user_id = $1 and version = $3 and ended_at is null
    returning *
), event as (
    insert into outbox (id, stream, stream_seq, topic, type, user_id, time, data, traceparent)
    select $7, 'series/' || id, version, 'task-events', 'dev.spindle.series.ended.v1', user_id, ended_at,
        jsonb_build_object('series_id', id, 'version', version, 'reason', end_reason), $8::text
    from ended
), stream as (
    insert into event_stream (stream, last_seq)
    select 'series/' || id, version from ended
    on conflict (stream) do update set last_seq = excluded.last_seq
)
select exists (select from ended) as ended;
