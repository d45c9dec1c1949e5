-- Tasks, and the series that a recurring task belongs to.
-- Owner of task: tasks. Other writer: recurrence inserts the next task of a series.
-- Owner of series: recurrence. Other writer: tasks inserts a series with its first task, and changes or ends it when
-- the rule of its current task is changed or that task is deleted.
create table series (
    id uuid primary key,
    user_id uuid not null,
    -- canonical RFC 5545 RRULE
    rule text not null check (char_length(rule) between 1 and 500),
    time_zone text not null,
    -- the wall clock of the first occurrence, in time_zone
    dtstart timestamp not null,
    -- an all-day series: the time of day means nothing
    all_day boolean not null,
    -- the latest occurrence that has a task
    occurrence timestamp not null,
    ended_at timestamptz,
    end_reason text check (end_reason in ('finished', 'changed', 'deleted', 'guard')),
    -- the guard against a series that runs away: how many tasks it made on guard_day (UTC)
    guard_day date not null,
    guard_count int not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index series_list on series (user_id, created_at desc, id desc);

create table task (
    id uuid primary key,
    user_id uuid not null,
    title text not null check (char_length(title) between 1 and 500),
    description text check (char_length(description) <= 20000),
    priority int check (priority between 1 and 4),
    tags text[] not null,
    -- a day without a time; due_at is then the hour from which its reminders count back
    due_on date,
    due_at timestamptz,
    time_zone text,
    recurrence_rule text,
    reminder_minutes int[] not null,
    series_id uuid references series (id),
    -- which occurrence of the series this is: its wall clock (RFC 5545 RECURRENCE-ID)
    occurrence timestamp,
    status text not null generated always as (
        case when completed_at is null then 'open' else 'completed' end) stored,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    completed_at timestamptz,
    deleted_at timestamptz,
    check (due_on is null or due_at is not null),
    check ((series_id is null) = (occurrence is null))
) with (fillfactor = 90);
create unique index task_occurrence on task (series_id, occurrence) where series_id is not null;
create index task_completed_recurring on task (completed_at)
    where series_id is not null and completed_at is not null;
create index task_list on task (user_id, created_at desc, id desc) where deleted_at is null;
create index task_list_status on task (user_id, status, created_at desc, id desc) where deleted_at is null;

grant select, insert, update on task, series to spindle_tasks;
grant select, insert on task to spindle_recurrence;
grant select, update on series to spindle_recurrence;
grant select on task to spindle_reminders;
grant select on task, series to spindle_status;
