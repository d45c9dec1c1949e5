-- What waits and what is stuck, as JSON: in the outbox by topic, as far as something waits there, and at each consumer.
-- system: sums over all users. sweep: counts what waits and what is dead. $1 now timestamp
with outboxes as (
    select
        o.topic, count(*) as waiting,
        extract(epoch from $1::timestamp at time zone 'utc' - min(o.time))::float8 as oldest_seconds,
        max(s.attempts) as most_attempts,
        -- the first event of a stream is on its way under the stream's lease
        count(*) filter (
            where o.stream_seq = s.acked_seq + 1 and s.lease_token is not null
              and s.lease_until > $1::timestamp at time zone 'utc') as leased
    from outbox o join event_stream s on s.stream = o.stream
    group by o.topic
), inboxes as (
    select
        consumer, count(*) filter (where state = 'new') as waiting,
        extract(epoch from $1::timestamp at time zone 'utc' - min(time) filter (where state = 'new'))::float8
            as oldest_seconds,
        count(*) filter (where state = 'dead') as dead
    from inbox
    group by consumer
), consumers as (
    select
        c.name as consumer, coalesce(i.waiting, 0) as waiting, coalesce(i.oldest_seconds, 0) as oldest_seconds,
        coalesce(i.dead, 0) as dead, c.gaps_healed,
        to_char(c.healed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as healed_at
    from consumer c left join inboxes i on i.consumer = c.name
)
select jsonb_build_object(
    'outbox', (select coalesce(jsonb_agg(o order by o.topic), '[]') from outboxes o),
    'consumers', (select coalesce(jsonb_agg(c order by c.consumer), '[]') from consumers c)) as body;
