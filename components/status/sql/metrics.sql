-- What waits, what is late, what is stuck.
-- system: sums over all users, of rows that are few unless something is wrong. sweep: counts. $1 now timestamp
select
    (select count(*) from outbox) as outbox_events,
    coalesce((select extract(epoch from $1::timestamp at time zone 'utc' - min(time)) from outbox), 0)::float8
        as outbox_oldest_seconds,
    (select count(*) from reminder where state = 'pending' and fire_at <= $1::timestamp at time zone 'utc')
        as reminders_overdue,
    (select count(*) from inbox where state = 'new') as inbox_waiting,
    (select count(*) from inbox where state = 'dead') as inbox_dead,
    (select jsonb_object_agg(name, gaps_healed) from consumer) as gaps_healed;
