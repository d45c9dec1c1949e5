-- Brings the reminders of a task in step with the task as it is now, whatever event told of it, and marks that event
-- as done. An event that is done already changes nothing. Says how many of the wanted moments have come.
-- Two events of a task may be followed at once: the reminders are locked in one order first (they deadlocked without),
-- and one that stays wanted takes the task's version, or the older event's follower would cancel it.
-- $1 user uuid, $2 task uuid, $3 inbox event uuid, $4 ids for new reminders text[], $5 now timestamp,
-- $6 traceparent text
with taken as (
    delete from inbox where consumer = 'reminders' and event_id = $3 and state = 'new' returning slot, event_id
), received as (
    insert into inbox_done (slot, consumer, event_id, done_at)
    select slot, 'reminders', event_id, $5::timestamp at time zone 'utc' from taken
    on conflict do nothing
    returning event_id
), held as materialized (
    select r.id from received, reminder r where r.user_id = $1 and r.task_id = $2 order by r.id for update of r
), current as (
    select t.* from task t, received, (select count(*) from held) locked where t.user_id = $1 and t.id = $2
), wanted as (
    select t.id, t.user_id, t.due_at, m.minutes, t.due_at - make_interval(mins => m.minutes) as fire_at, t.version, m.n
    from current t, unnest(t.reminder_minutes) with ordinality m (minutes, n)
    where t.due_at is not null and t.completed_at is null and t.deleted_at is null
), kept as (
    insert into reminder (
        id, user_id, task_id, due_at, minutes, fire_at, state, version, task_version, created_at, updated_at,
        traceparent)
    select i.id::uuid, w.user_id, w.id, w.due_at, w.minutes, w.fire_at, 'pending', 0, w.version,
        $5::timestamp at time zone 'utc', $5::timestamp at time zone 'utc', $6::text
    from wanted w
    join unnest($4::text[]) with ordinality i (id, n) on i.n = w.n
    order by w.minutes
    on conflict (task_id, due_at, minutes) do update
    set state = 'pending', task_version = excluded.task_version, updated_at = excluded.updated_at,
        traceparent = excluded.traceparent
    where reminder.task_version <= excluded.task_version and reminder.state in ('cancelled', 'pending')
), dropped as (
    update reminder r
    set state = 'cancelled', task_version = t.version, updated_at = $5::timestamp at time zone 'utc'
    from current t
    where r.task_id = t.id and r.user_id = $1 and r.state = 'pending' and r.task_version <= t.version
      and not exists (select from wanted w where w.due_at = r.due_at and w.minutes = r.minutes)
)
select count(*) as due from wanted where fire_at <= $5::timestamp at time zone 'utc';
