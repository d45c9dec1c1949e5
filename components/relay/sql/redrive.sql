-- Lets a consumer try dead events again, as if they had just come: one, those of a stream, those of a type, or all.
-- Exactly one of $3 to $6 says which. A body that is no event stays dead. Answers how many, $7 at most. A consumer that
-- keeps the order of a stream takes them up in it (edge/claim).
-- system: an operator looks after every user's. $1 now timestamp, $2 consumer text, $3 event uuid, $4 stream text,
-- $5 type text, $6 all bool, $7 rows int8 (<= 1000)
-- What another operator holds is left to that one. The inner limits are for the planner, which takes $7 for a tenth of
-- the table.
with one as (
    select event_id from inbox
    where consumer = $2 and event_id = $3 and state = 'dead' and type <> 'unreadable'
    for update skip locked
), of_stream as (
    select event_id from inbox
    where consumer = $2 and stream = $4 and state = 'dead' and type <> 'unreadable'
    order by stream_seq
    limit 1000
    for update skip locked
), of_type_or_all as (
    select event_id from inbox
    where consumer = $2 and state = 'dead' and type <> 'unreadable' and ($6 or $5::text is not null)
      and ($6 or type = $5)
    order by received_at
    limit 1000
    for update skip locked
), picked as materialized (
    select event_id from one
    union all
    select event_id from of_stream
    union all
    select event_id from of_type_or_all
    limit $7
), redriven as (
    update inbox i
    set state = 'new', attempts = 0, not_before = $1::timestamp at time zone 'utc'
    from picked p
    where i.consumer = $2 and i.event_id = p.event_id
    returning i.event_id
)
select count(*) as redriven from redriven;
