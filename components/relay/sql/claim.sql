-- Leases the streams that have an event to hand over and answers the first such event of each. Rows are locked in
-- passing only; what another relay holds is left to it. A stream that was acknowledged and added to after this
-- statement's snapshot has a head that cannot be seen yet: it is not leased, or it would wait for the lease to end.
-- system: the relay serves every user. $1 now timestamp, $2 token uuid, $3 lease until timestamp, $4 rows int8 (<= 200)
with heads as materialized (
    -- the inner limit is for the planner, which takes $4 for a tenth of the table
    select stream from (
        select stream from event_stream
        where acked_seq < last_seq and lease_until < $1::timestamp at time zone 'utc'
        order by lease_until
        limit 200
        for update skip locked
    ) free
    limit $4
), claimed as (
    update event_stream s
    set lease_token = $2, lease_until = $3::timestamp at time zone 'utc', attempts = s.attempts + 1
    from heads, outbox o
    where s.stream = heads.stream and o.stream = s.stream and o.stream_seq = s.acked_seq + 1
    returning o.*, s.attempts
)
select c.id, c.stream, c.stream_seq, c.topic, c.type as kind, c.user_id, c.time at time zone 'utc' as time, c.data,
    c.attempts, c.traceparent
from claimed c
order by c.time, c.stream;
