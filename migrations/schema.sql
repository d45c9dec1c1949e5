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
    constraint audit_entry_pkey PRIMARY KEY (user_id, seq),
    constraint audit_entry_stream_key UNIQUE (user_id, stream, stream_seq)
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

create table consumer (
    name text not null,
    checked_until timestamp with time zone not null,
    gaps_healed bigint not null,
    healed_at timestamp with time zone,
    constraint consumer_pkey PRIMARY KEY (name)
);
grant select, update on consumer to spindle_relay;
grant select on consumer to spindle_status;

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
    slot integer not null generated always as (((('x'::text || "left"(replace(event_id::text, '-'::text, ''::text), 12)))::bit(48)::bigint / 86400000 % 17::bigint)::integer) stored,
    traceparent text,
    constraint inbox_pkey PRIMARY KEY (consumer, event_id),
    constraint inbox_state_check CHECK (state = ANY (ARRAY['new'::text, 'done'::text, 'dead'::text]))
) with (autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX inbox_dead ON inbox USING btree (received_at, consumer) WHERE state = 'dead'::text;
CREATE INDEX inbox_stream ON inbox USING btree (consumer, stream, stream_seq) WHERE state <> 'done'::text;
CREATE INDEX inbox_waiting ON inbox USING btree (consumer, not_before) WHERE state = 'new'::text;
grant delete, insert, select, update on inbox to spindle_audit;
grant delete, insert, select, update on inbox to spindle_notifications;
grant delete, insert, select, update on inbox to spindle_recurrence;
grant delete, insert, select, update on inbox to spindle_relay;
grant delete, insert, select, update on inbox to spindle_reminders;
grant select on inbox to spindle_status;

create table inbox_done (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_pkey PRIMARY KEY (slot, consumer, event_id)
);
grant insert, select on inbox_done to spindle_audit;
grant insert, select on inbox_done to spindle_notifications;
grant insert, select on inbox_done to spindle_recurrence;
grant delete, insert, select on inbox_done to spindle_relay;
grant insert, select on inbox_done to spindle_reminders;
grant select on inbox_done to spindle_status;

create table inbox_done_00 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_00_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_01 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_01_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_02 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_02_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_03 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_03_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_04 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_04_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_05 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_05_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_06 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_06_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_07 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_07_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_08 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_08_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_09 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_09_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_10 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_10_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_11 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_11_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_12 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_12_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_13 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_13_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_14 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_14_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_15 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_15_pkey PRIMARY KEY (slot, consumer, event_id)
);

create table inbox_done_16 (
    done_at timestamp with time zone not null,
    event_id uuid not null,
    slot integer not null,
    consumer text not null,
    skipped text,
    constraint inbox_done_16_pkey PRIMARY KEY (slot, consumer, event_id)
);

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

create table outbox_archive (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_handed ON ONLY outbox_archive USING brin (handed_at) WITH (pages_per_range='16');
grant delete, insert, select on outbox_archive to spindle_relay;
grant select on outbox_archive to spindle_status;

create table outbox_archive_00 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_00_handed_at_idx ON outbox_archive_00 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_01 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_01_handed_at_idx ON outbox_archive_01 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_02 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_02_handed_at_idx ON outbox_archive_02 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_03 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_03_handed_at_idx ON outbox_archive_03 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_04 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_04_handed_at_idx ON outbox_archive_04 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_05 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_05_handed_at_idx ON outbox_archive_05 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_06 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_06_handed_at_idx ON outbox_archive_06 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_07 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_07_handed_at_idx ON outbox_archive_07 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_08 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_08_handed_at_idx ON outbox_archive_08 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_09 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_09_handed_at_idx ON outbox_archive_09 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_10 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_10_handed_at_idx ON outbox_archive_10 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_11 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_11_handed_at_idx ON outbox_archive_11 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_12 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_12_handed_at_idx ON outbox_archive_12 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_13 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_13_handed_at_idx ON outbox_archive_13 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_14 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_14_handed_at_idx ON outbox_archive_14 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_15 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_15_handed_at_idx ON outbox_archive_15 USING brin (handed_at) WITH (pages_per_range='16');

create table outbox_archive_16 (
    handed_at timestamp with time zone not null,
    time timestamp with time zone not null,
    stream_seq bigint not null,
    id uuid not null,
    user_id uuid not null,
    slot integer not null,
    stream text not null,
    topic text not null,
    type text not null,
    data jsonb not null,
    traceparent text
);
CREATE INDEX outbox_archive_16_handed_at_idx ON outbox_archive_16 USING brin (handed_at) WITH (pages_per_range='16');

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
CREATE INDEX session_ends ON session USING btree (expires_at);
CREATE INDEX session_of_user ON session USING btree (user_id);
grant delete, insert, select, update on session to spindle_accounts;

create table sign_in_attempt (
    email_key text not null,
    since timestamp with time zone not null,
    attempts integer not null,
    constraint sign_in_attempt_pkey PRIMARY KEY (email_key)
);
CREATE INDEX sign_in_attempt_since ON sign_in_attempt USING btree (since);
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
