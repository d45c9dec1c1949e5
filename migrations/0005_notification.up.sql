-- In-app notifications: exactly one for each reminder that went off.
-- Owner: notifications. Other writers: none.
create table notification (
    id uuid primary key,
    user_id uuid not null,
    reminder_id uuid not null unique,
    task_id uuid not null,
    title text not null,
    due_at timestamptz not null,
    fire_at timestamptz not null,
    created_at timestamptz not null,
    read_at timestamptz
) with (fillfactor = 90);
create index notification_list on notification (user_id, created_at desc, id desc);
create index notification_unread on notification (user_id) where read_at is null;

grant select, insert, update on notification to spindle_notifications;
grant select on notification to spindle_status;
