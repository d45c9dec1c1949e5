-- Made by `spindle migrate dump`: the schema that the migrations lead to.

create table account (
    id uuid not null,
    email text not null,
    email_key text not null,
    password_hash text not null,
    time_zone text not null,
    created_at timestamp with time zone not null,
    constraint account_email_check CHECK (char_length(email) >= 3 AND char_length(email) <= 254),
    constraint account_email_key_key UNIQUE (email_key),
    constraint account_pkey PRIMARY KEY (id)
);
grant insert, select, update on account to spindle_accounts;

create table audit_entry (
    user_id uuid not null,
    seq bigint not null,
    event_id uuid not null,
    at timestamp with time zone not null,
    action text not null,
    stream text not null,
    stream_seq bigint not null,
    salt bytea,
    payload text,
    commitment bytea not null,
    hash bytea not null,
    constraint audit_entry_event_id_key UNIQUE (event_id),
    constraint audit_entry_pkey PRIMARY KEY (user_id, seq)
);
CREATE INDEX audit_entry_list ON audit_entry USING btree (user_id, at DESC, seq DESC);
grant insert, select on audit_entry to spindle_audit;
grant select on audit_entry to spindle_status;

create table audit_head (
    user_id uuid not null,
    seq bigint not null,
    hash bytea not null,
    constraint audit_head_pkey PRIMARY KEY (user_id)
) with (fillfactor=70);
grant insert, select, update on audit_head to spindle_audit;
grant select on audit_head to spindle_status;

create table event_stream (
    stream text not null,
    last_seq bigint not null,
    acked_seq bigint not null default 0,
    lease_token uuid,
    lease_until timestamp with time zone not null default '-infinity'::timestamp with time zone,
    attempts integer not null default 0,
    constraint event_stream_pkey PRIMARY KEY (stream)
) with (autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX event_stream_pending ON event_stream USING btree (lease_until) WHERE acked_seq < last_seq;
grant insert, select, update on event_stream to spindle_recurrence;
grant select, update on event_stream to spindle_relay;
grant insert, select, update on event_stream to spindle_reminders;
grant select on event_stream to spindle_status;
grant insert, select, update on event_stream to spindle_tasks;

create table inbox (
    consumer text not null,
    event_id uuid not null,
    stream text not null,
    stream_seq bigint not null,
    type text not null,
    user_id uuid not null,
    time timestamp with time zone not null,
    data jsonb not null,
    state text not null default 'new'::text,
    attempts integer not null default 1,
    not_before timestamp with time zone not null,
    received_at timestamp with time zone not null,
    error text,
    traceparent text,
    constraint inbox_pkey PRIMARY KEY (consumer, event_id),
    constraint inbox_state_check CHECK (state = ANY (ARRAY['new'::text, 'done'::text, 'dead'::text]))
) with (autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX inbox_stream ON inbox USING btree (consumer, stream, stream_seq) WHERE state <> 'done'::text;
CREATE INDEX inbox_waiting ON inbox USING btree (consumer, not_before) WHERE state = 'new'::text;
grant insert, select, update on inbox to spindle_audit;
grant insert, select, update on inbox to spindle_notifications;
grant insert, select, update on inbox to spindle_recurrence;
grant insert, select, update on inbox to spindle_reminders;
grant select on inbox to spindle_status;

create table notification (
    id uuid not null,
    user_id uuid not null,
    reminder_id uuid not null,
    task_id uuid not null,
    title text not null,
    due_at timestamp with time zone not null,
    fire_at timestamp with time zone not null,
    created_at timestamp with time zone not null,
    read_at timestamp with time zone,
    constraint notification_pkey PRIMARY KEY (id),
    constraint notification_reminder_id_key UNIQUE (reminder_id)
) with (fillfactor=90);
CREATE INDEX notification_list ON notification USING btree (user_id, created_at DESC, id DESC);
CREATE INDEX notification_unread ON notification USING btree (user_id) WHERE read_at IS NULL;
grant insert, select, update on notification to spindle_notifications;
grant select on notification to spindle_status;

create table outbox (
    id uuid not null,
    stream text not null,
    stream_seq bigint not null,
    topic text not null,
    type text not null,
    user_id uuid not null,
    time timestamp with time zone not null,
    data jsonb not null,
    traceparent text,
    constraint outbox_data_check CHECK (pg_column_size(data) <= 65536),
    constraint outbox_pkey PRIMARY KEY (stream, stream_seq),
    constraint outbox_topic_check CHECK (topic = ANY (ARRAY['task-events'::text, 'reminders'::text]))
) with (autovacuum_vacuum_scale_factor=0.02);
grant insert, select (stream), select (stream_seq) on outbox to spindle_recurrence;
grant delete, select, update on outbox to spindle_relay;
grant insert, select (stream), select (stream_seq) on outbox to spindle_reminders;
grant select on outbox to spindle_status;
grant insert, select (stream), select (stream_seq) on outbox to spindle_tasks;

create table reminder (
    id uuid not null,
    user_id uuid not null,
    task_id uuid not null,
    due_at timestamp with time zone not null,
    minutes integer not null,
    fire_at timestamp with time zone not null,
    state text not null,
    version bigint not null,
    task_version bigint not null,
    created_at timestamp with time zone not null,
    updated_at timestamp with time zone not null,
    traceparent text,
    constraint reminder_pkey PRIMARY KEY (id),
    constraint reminder_state_check CHECK (state = ANY (ARRAY['pending'::text, 'fired'::text, 'expired'::text, 'cancelled'::text])),
    constraint reminder_task_id_due_at_minutes_key UNIQUE (task_id, due_at, minutes)
) with (fillfactor=90);
CREATE INDEX reminder_due ON reminder USING btree (fire_at, id) WHERE state = 'pending'::text;
CREATE INDEX reminder_list ON reminder USING btree (user_id, fire_at DESC, id DESC);
grant insert, select, update on reminder to spindle_reminders;
grant select on reminder to spindle_status;

create table series (
    id uuid not null,
    user_id uuid not null,
    rule text not null,
    time_zone text not null,
    dtstart timestamp without time zone not null,
    all_day boolean not null,
    occurrence timestamp without time zone not null,
    ended_at timestamp with time zone,
    end_reason text,
    guard_day date not null,
    guard_count integer not null,
    version bigint not null,
    created_at timestamp with time zone not null,
    updated_at timestamp with time zone not null,
    constraint series_end_reason_check CHECK (end_reason = ANY (ARRAY['finished'::text, 'changed'::text, 'deleted'::text, 'guard'::text])),
    constraint series_pkey PRIMARY KEY (id),
    constraint series_rule_check CHECK (char_length(rule) >= 1 AND char_length(rule) <= 500)
);
CREATE INDEX series_list ON series USING btree (user_id, created_at DESC, id DESC);
grant select, update on series to spindle_recurrence;
grant select on series to spindle_status;
grant insert, select, update on series to spindle_tasks;

create table session (
    id uuid not null,
    user_id uuid not null,
    refresh_hash bytea not null,
    previous_hash bytea,
    created_at timestamp with time zone not null,
    rotated_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    constraint session_pkey PRIMARY KEY (id),
    constraint session_previous_hash_key UNIQUE (previous_hash),
    constraint session_refresh_hash_key UNIQUE (refresh_hash)
);
CREATE INDEX session_of_user ON session USING btree (user_id);
grant delete, insert, select, update on session to spindle_accounts;

create table sign_in_attempt (
    email_key text not null,
    since timestamp with time zone not null,
    attempts integer not null,
    constraint sign_in_attempt_pkey PRIMARY KEY (email_key)
);
grant delete, insert, select, update on sign_in_attempt to spindle_accounts;

create table task (
    id uuid not null,
    user_id uuid not null,
    title text not null,
    description text,
    priority integer,
    tags text[] not null,
    due_on date,
    due_at timestamp with time zone,
    time_zone text,
    recurrence_rule text,
    reminder_minutes integer[] not null,
    series_id uuid,
    occurrence timestamp without time zone,
    status text not null generated always as ( CASE WHEN completed_at IS NULL THEN 'open'::text ELSE 'completed'::text END) stored,
    version bigint not null,
    created_at timestamp with time zone not null,
    updated_at timestamp with time zone not null,
    completed_at timestamp with time zone,
    deleted_at timestamp with time zone,
    constraint task_check CHECK (due_on IS NULL OR due_at IS NOT NULL),
    constraint task_check1 CHECK ((series_id IS NULL) = (occurrence IS NULL)),
    constraint task_description_check CHECK (char_length(description) <= 20000),
    constraint task_pkey PRIMARY KEY (id),
    constraint task_priority_check CHECK (priority >= 1 AND priority <= 4),
    constraint task_title_check CHECK (char_length(title) >= 1 AND char_length(title) <= 500)
) with (fillfactor=90);
CREATE INDEX task_completed_recurring ON task USING btree (completed_at) WHERE series_id IS NOT NULL AND completed_at IS NOT NULL;
CREATE INDEX task_list ON task USING btree (user_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX task_list_status ON task USING btree (user_id, status, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX task_occurrence ON task USING btree (series_id, occurrence) WHERE series_id IS NOT NULL;
grant insert, select on task to spindle_recurrence;
grant select on task to spindle_reminders;
grant select on task to spindle_status;
grant insert, select, update on task to spindle_tasks;

alter table session add constraint session_user_id_fkey FOREIGN KEY (user_id) REFERENCES account(id) ON DELETE CASCADE;
alter table task add constraint task_series_id_fkey FOREIGN KEY (series_id) REFERENCES series(id);
