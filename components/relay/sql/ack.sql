-- Acknowledges the events that were handed over, if the lease still holds, and moves them to the archive.
-- system: the relay serves every user. $1 now timestamp, $2 token uuid, $3 streams text[], $4 slots int4[]
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
    returning o.*
), archived as (
    insert into outbox_archive (slot, id, stream, stream_seq, topic, type, user_id, time, data, traceparent, handed_at)
    select s.slot, r.id, r.stream, r.stream_seq, r.topic, r.type, r.user_id, r.time, r.data, r.traceparent,
        $1::timestamp at time zone 'utc'
    from removed r join unnest($3::text[], $4::int4[]) s (stream, slot) on s.stream = r.stream
)
select count(*) as acked from acked;
