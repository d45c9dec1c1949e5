-- Takes an event into a consumer's inbox, once; after this it cannot be lost.
-- system: an event carries its user. $1 consumer text, $2 event uuid, $3 stream text, $4 stream_seq int8, $5 type text,
-- $6 user uuid, $7 time timestamp, $8 data jsonb, $9 now timestamp, $10 first retry timestamp, $11 slot int4,
-- $12 traceparent text
-- A receiver whose snapshot is older than the end of the first try takes the event in again; applying it then finds it
-- in the ledger.
with done as (
    select from inbox_done where slot = $11 and consumer = $1 and event_id = $2
), fresh as (
    insert into inbox (
        consumer, event_id, stream, stream_seq, type, user_id, time, data, received_at, not_before, traceparent)
    select $1, $2, $3, $4, $5, $6, $7::timestamp at time zone 'utc', $8, $9::timestamp at time zone 'utc',
        $10::timestamp at time zone 'utc', $12
    where not exists (select from done)
    on conflict (consumer, event_id) do nothing
    returning state
)
select state from fresh
union all
select state from inbox where consumer = $1 and event_id = $2 and not exists (select from fresh)
union all
select 'done' from done;
