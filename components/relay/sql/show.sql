-- Where one event is, as JSON: its envelope and data, its place in outbox or archive, and how it stands with each
-- consumer that has a use for it or has it. No row: it is nowhere, or was done with more than 15 days ago.
-- system: an operator looks after every user's. sweep: outbox and archive have no index of ids; reads what waits, and
-- the archive of the event's day. $1 id uuid, $2 its slot int4, $3 consumers text[] and $4 types text[], in pairs: who
-- has a use for which type, $5 the only consumer to look at text, or null
with waiting as materialized (
    select o.*, s.attempts, s.lease_until
    from outbox o join event_stream s on s.stream = o.stream
    where o.id = $1
), archived as materialized (
    select * from outbox_archive where slot = $2 and id = $1 limit 1
), received as materialized (
    select i.* from consumer c join inbox i on i.consumer = c.name and i.event_id = $1
), noted as materialized (
    select d.* from consumer c join inbox_done d on d.slot = $2 and d.consumer = c.name and d.event_id = $1
), envelope as materialized (
    -- a skipped one is only in outbox or archive what it was
    select type, stream, stream_seq, user_id, time, data
    from (
        select 1 as place, type, stream, stream_seq, user_id, time, data from waiting
        union all
        select 2, type, stream, stream_seq, user_id, time, data from archived
        union all
        select 3, type, stream, stream_seq, user_id, time, data from received
    ) places
    order by place
    limit 1
), consumers as (
    select
        c.name as consumer,
        case
            when r.state = 'dead' then 'dead'
            when r.state = 'new' then 'waiting'
            when n.skipped is not null then 'skipped'
            when n.consumer is not null or r.state = 'done' then 'done'
            else 'absent'
        end as state,
        r.attempts - (r.state = 'dead')::int as attempts, r.error, n.skipped as reason,
        to_char(r.received_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as received_at,
        case when r.state = 'new' then to_char(r.not_before at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') end
            as not_before,
        to_char(n.done_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as done_at
    from consumer c
    left join received r on r.consumer = c.name
    left join noted n on n.consumer = c.name
    where ($5::text is null or c.name = $5)
      and (r.consumer is not null or n.consumer is not null or exists (
        select from envelope e join unnest($3::text[], $4::text[]) u (consumer, type) on u.type = e.type
        where u.consumer = c.name))
)
select jsonb_build_object(
    'id', $1::uuid, 'type', e.type, 'stream', e.stream, 'sequence', e.stream_seq, 'user_id', e.user_id,
    'time', to_char(e.time at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'data', e.data,
    'outbox', (
        select jsonb_build_object(
            'topic', w.topic, 'attempts', w.attempts, 'lease_until',
            case when isfinite(w.lease_until)
                then to_char(w.lease_until at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') end)
        from waiting w),
    'archive', (
        select jsonb_build_object(
            'topic', a.topic,
            'handed_at', to_char(a.handed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        from archived a),
    'consumers', (select coalesce(jsonb_agg(c order by c.consumer), '[]') from consumers c)) as body
from (select exists (select from noted) as noted) n
left join envelope e on true
where n.noted or e.type is not null;
