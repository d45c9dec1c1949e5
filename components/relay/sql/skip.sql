-- Gives up a dead event for one consumer, for good. It goes to the ledger with the reason, and the audit log gets an
-- event that says so. At the audit log itself it becomes that event, in its place, since what follows in its stream
-- needs the one before. A body that is no event is nobody's: only the ledger tells of it. Says whether it was skipped:
-- not if it is not dead.
-- system: an operator looks after every user's. $1 consumer text, $2 event uuid, $3 reason text, $4 now timestamp,
-- $5 new event uuid, $6 type of the event that says so text
with held as materialized (
    select
        i.*, i.type <> 'unreadable' as readable, i.consumer = 'audit' and i.type <> 'unreadable' as in_place,
        -- what says of another that it was skipped goes on saying it
        case
            when i.type = $6 then i.data
            else jsonb_build_object(
                'consumer', i.consumer, 'event_id', i.event_id, 'type', i.type, 'reason', $3::text)
        end as words
    from inbox i
    where i.consumer = $1 and i.event_id = $2 and i.state = 'dead'
    for update
), replaced as (
    update inbox i
    set type = $6, data = h.words, state = 'new', attempts = 0, error = null,
        not_before = $4::timestamp at time zone 'utc'
    from held h
    where h.in_place and i.consumer = h.consumer and i.event_id = h.event_id
    returning i.event_id
), removed as (
    delete from inbox i using held h
    where not h.in_place and i.consumer = h.consumer and i.event_id = h.event_id
    returning i.event_id
), noted as (
    insert into inbox_done (slot, consumer, event_id, done_at, skipped)
    select h.slot, h.consumer, h.event_id, $4::timestamp at time zone 'utc', $3
    from held h join removed r on r.event_id = h.event_id
    on conflict do nothing
    returning event_id
), told as (
    insert into inbox (
        consumer, event_id, stream, stream_seq, type, user_id, time, data, traceparent, attempts, received_at,
        not_before)
    select 'audit', $5, 'event/' || h.event_id || '/' || h.consumer, 1, $6, h.user_id,
        $4::timestamp at time zone 'utc', h.words, h.traceparent, 0, $4::timestamp at time zone 'utc',
        $4::timestamp at time zone 'utc'
    from held h join noted n on n.event_id = h.event_id
    where h.readable
    on conflict do nothing
)
select exists (select from replaced) or exists (select from removed) as skipped;
