-- The audit log: one append-only hash chain a user, in order of arrival.
-- Owner: audit. Other writers: none. Nobody may update or delete an entry.
create table audit_entry (
    user_id uuid not null,
    seq bigint not null,
    event_id uuid not null unique,
    -- when it happened; arrival is in the order of seq
    at timestamptz not null,
    action text not null,
    stream text not null,
    stream_seq bigint not null,
    -- canonical JSON (RFC 8785) and the salt of its commitment; both null once erased
    salt bytea,
    payload text,
    commitment bytea not null,
    hash bytea not null,
    primary key (user_id, seq)
);
create index audit_entry_list on audit_entry (user_id, at desc, seq desc);

-- The end of each chain, without which a cut tail could not be told.
create table audit_head (
    user_id uuid primary key,
    seq bigint not null,
    hash bytea not null
) with (fillfactor = 70);

grant select, insert on audit_entry to spindle_audit;
grant select, insert, update on audit_head to spindle_audit;
grant select on audit_entry, audit_head to spindle_status;
