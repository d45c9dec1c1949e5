-- Marks an event as done that asks nothing of its consumer. $1 consumer text, $2 event uuid, $3 now timestamp
-- system: an event carries its user.
with taken as (
    delete from inbox where consumer = $1 and event_id = $2 and state = 'new' returning slot, consumer, event_id
)
insert into inbox_done (slot, consumer, event_id, done_at)
select slot, consumer, event_id, $3::timestamp at time zone 'utc' from taken
on conflict do nothing;
