-- Takes up the events that wait for another try, counting it; one that has had its tries is dead, and one behind an
-- earlier event of its stream waits if the consumer keeps the order.
-- system: the tick serves every user. $1 consumer text, $2 now timestamp, $3 rows int8, $4 tries int4, $5 in order bool
with waiting as materialized (
    -- the inner limit is for the planner, which takes $3 for a tenth of the table
    select event_id from (
        select i.event_id from inbox i
        where i.consumer = $1 and i.state = 'new' and i.not_before <= $2::timestamp at time zone 'utc'
          and not ($5 and exists (
            select from inbox e
            where e.consumer = $1 and e.stream = i.stream and e.stream_seq < i.stream_seq and e.state <> 'done'))
        order by i.not_before, i.event_id
        limit 100
        for update skip locked
    ) free
    limit $3
), taken as (
    update inbox i
    set attempts = i.attempts + 1,
        state = case when i.attempts >= $4 then 'dead' else 'new' end,
        not_before = $2::timestamp at time zone 'utc' + make_interval(secs => least(power(2, i.attempts + 1), 300))
    from waiting w
    where i.consumer = $1 and i.event_id = w.event_id
    returning i.*
)
select event_id, stream, stream_seq, type as kind, user_id, time at time zone 'utc' as time, data, state, traceparent
from taken
order by time, stream, stream_seq;
