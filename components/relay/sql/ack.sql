-- Acknowledges the events that every consumer has received, if the lease still holds, and removes them.
-- system: the relay serves every user. $1 now timestamp, $2 token uuid, $3 streams text[]
with held as materialized (
    select stream from event_stream
    where stream = any ($3::text[]) and lease_token = $2 and lease_until > $1::timestamp at time zone 'utc'
    order by stream
    for update
), acked as (
    update event_stream s
    set acked_seq = s.acked_seq + 1, lease_token = null, lease_until = '-infinity', attempts = 0
    from held
    where s.stream = held.stream
    returning s.stream, s.acked_seq
), removed as (
    delete from outbox o using acked where o.stream = acked.stream and o.stream_seq = acked.acked_seq
)
select count(*) as acked from acked;
