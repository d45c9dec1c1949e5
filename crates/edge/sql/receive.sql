-- Takes an event into a consumer's inbox, once; after this it cannot be lost.
-- system: an event carries its user. $1 consumer text, $2 event uuid, $3 stream text, $4 stream_seq int8, $5 type text,
-- $6 user uuid, $7 time timestamp, $8 data jsonb, $9 now timestamp, $10 first retry timestamp,
-- $11 traceparent text
with fresh as (
    insert into inbox (
        consumer, event_id, stream, stream_seq, type, user_id, time, data, received_at, not_before, traceparent)
    values (
        $1, $2, $3, $4, $5, $6, $7::timestamp at time zone 'utc', $8, $9::timestamp at time zone 'utc',
        $10::timestamp at time zone 'utc', $11)
    on conflict (consumer, event_id) do nothing
    returning state
)
select state from fresh
union all
select state from inbox where consumer = $1 and event_id = $2 and not exists (select from fresh);
