-- What waits, what is late, what is stuck: a row a number, with its name and the topic or consumer that it is of (empty
-- where it is of all). What has nothing to count has no row.
-- system: sums over all users, of rows that are few unless something is wrong. sweep: counts. $1 now timestamp
with outboxes as (
    select topic, count(*) as waiting, $1::timestamp at time zone 'utc' - min(time) as age
    from outbox
    group by topic
), inboxes as (
    select consumer, count(*) filter (where state = 'new') as waiting, count(*) filter (where state = 'dead') as dead,
        $1::timestamp at time zone 'utc' - min(received_at) filter (where state = 'new') as age
    from inbox
    where state <> 'done'
    group by consumer
), numbers (metric, label, value) as (
    select 'outbox_events', topic, waiting from outboxes
    union all
    select 'outbox_oldest_seconds', topic, extract(epoch from age) from outboxes
    union all
    select 'relay_attempts', '', max(attempts) from event_stream where acked_seq < last_seq
    union all
    select 'reminders_overdue', '', count(*) from reminder
    where state = 'pending' and fire_at <= $1::timestamp at time zone 'utc'
    union all
    select 'inbox_waiting', consumer, waiting from inboxes
    union all
    select 'inbox_oldest_seconds', consumer, extract(epoch from age) from inboxes
    union all
    select 'inbox_dead', consumer, dead from inboxes
    union all
    select 'events_gaps_healed_total', name, gaps_healed from consumer
)
select metric, label, value::float8 as value from numbers where value is not null;
