-- Makes the in-app notification of a reminder that went off and marks the received event as done. One reminder has one
-- notification, however often its event arrives. $1 user uuid, $2 inbox event uuid, $3 new id uuid, $4 now timestamp
with taken as (
    delete from inbox where consumer = 'notifications' and event_id = $2 and user_id = $1 and state = 'new'
    returning slot, event_id, user_id, data
), done as (
    insert into inbox_done (slot, consumer, event_id, done_at)
    select slot, 'notifications', event_id, $4::timestamp at time zone 'utc' from taken
    on conflict do nothing
    returning event_id
), received as (
    select t.user_id, t.data from taken t join done d on d.event_id = t.event_id
), made as (
    insert into notification (id, user_id, reminder_id, task_id, title, due_at, fire_at, created_at)
    select $3, user_id, (data ->> 'reminder_id')::uuid, (data ->> 'task_id')::uuid, data ->> 'title',
        (data ->> 'due_at')::timestamptz, (data ->> 'fire_at')::timestamptz, $4::timestamp at time zone 'utc'
    from received
    on conflict (reminder_id) do nothing
    returning id
)
select exists (select from made) as made;
