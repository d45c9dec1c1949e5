-- Compares what was handed over with what the consumers have received, up to a minute ago and an hour at a time, and
-- puts what is missing into their inboxes: an event that the transport lost. Says how many, and whether there is more.
-- system: the relay serves every user. sweep: reads what was handed over since it last ran. $1 now timestamp,
-- $2 consumers text[] and $3 types text[], in pairs: who has a use for which type
with held as materialized (
    select name, checked_until from consumer order by name for update
), span as materialized (
    select name, from_at, least(from_at + interval '1 hour', to_at) as to_at
    from (
        -- what has never been looked at is new
        select name, $1::timestamp at time zone 'utc' - interval '60 s' as to_at,
            case when checked_until = '-infinity' then $1::timestamp at time zone 'utc' - interval '1 hour'
                else greatest(checked_until, $1::timestamp at time zone 'utc' - interval '15 days') end as from_at
        from held
    ) c
), missing as materialized (
    select u.consumer, a.*
    from outbox_archive a
    join unnest($2::text[], $3::text[]) u (consumer, type) on u.type = a.type
    join span s on s.name = u.consumer and a.handed_at > s.from_at and a.handed_at <= s.to_at
    where a.handed_at > (select min(from_at) from span) and a.handed_at <= (select max(to_at) from span)
      and not exists (
        select from inbox_done d where d.slot = a.slot and d.consumer = u.consumer and d.event_id = a.id)
      and not exists (select from inbox i where i.consumer = u.consumer and i.event_id = a.id)
), healed as (
    insert into inbox (
        consumer, event_id, stream, stream_seq, type, user_id, time, data, traceparent, received_at, not_before)
    select consumer, id, stream, stream_seq, type, user_id, time, data, traceparent, $1::timestamp at time zone 'utc',
        $1::timestamp at time zone 'utc'
    from missing
    on conflict (consumer, event_id) do nothing
    returning consumer
), counted as (
    update consumer c
    set checked_until = greatest(c.checked_until, s.to_at), gaps_healed = c.gaps_healed + coalesce(h.healed, 0),
        healed_at = case when h.healed > 0 then $1::timestamp at time zone 'utc' else c.healed_at end
    from span s left join (select consumer, count(*) as healed from healed group by consumer) h on h.consumer = s.name
    where c.name = s.name
)
select (select count(*) from healed) as healed,
    coalesce((select bool_or(to_at < $1::timestamp at time zone 'utc' - interval '60 s') from span), false) as behind;
