-- Reminders: one row for each moment at which a task asks to be remembered.
-- Owner: reminders. Other writers: none.
create table reminder (
    id uuid primary key,
    user_id uuid not null,
    task_id uuid not null,
    -- what it is for: a task that is moved gets new reminders, and one that went off never does again
    due_at timestamptz not null,
    minutes int not null,
    fire_at timestamptz not null,
    state text not null check (state in ('pending', 'fired', 'expired', 'cancelled')),
    -- the number of events it has written
    version bigint not null,
    -- the version of the task that it was last brought in step with
    task_version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (task_id, due_at, minutes)
) with (fillfactor = 90);
create index reminder_due on reminder (fire_at, id) where state = 'pending';
create index reminder_list on reminder (user_id, fire_at desc, id desc);

grant select, insert, update on reminder to spindle_reminders;
grant select on reminder to spindle_status;
