-- A page of the events that a consumer gave up, the latest received first, after the keyset ($4, $5), each as JSON. A
-- filter that is null lets all pass; one that finds little reads all that is dead. An event may be dead at several
-- consumers, received at one moment: `key` is a number of both, since a cursor has room for one.
-- system: an operator looks after every user's. $1 consumer text, $2 stream text, $3 type text, $4 received at or
-- before timestamp, $5 key before int8, $6 rows int8
select d.received_at at time zone 'utc' as received_at, d.key, to_jsonb(v) as body
from (select i.*, hashtextextended(i.consumer || i.event_id, 0) as key from inbox i where i.state = 'dead') d
cross join lateral (
    select
        d.consumer, d.event_id as id, d.type, d.stream, d.stream_seq as sequence, d.user_id,
        to_char(d.time at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
        to_char(d.received_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as received_at,
        -- giving up was counted too
        d.attempts - 1 as attempts, d.error
) v
where (d.received_at, d.key) < ($4::timestamp at time zone 'utc', $5::int8)
  and ($1::text is null or d.consumer = $1) and ($2::text is null or d.stream = $2)
  and ($3::text is null or d.type = $3)
order by d.received_at desc, d.key desc
limit $6;
