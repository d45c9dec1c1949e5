-- Accounts, the sessions that refresh tokens belong to, and the count of sign-in attempts.
-- Owner: accounts. Other writers: none.
create table account (
    id uuid primary key,
    email text not null check (char_length(email) between 3 and 254),
    -- what sign-in compares: the address in lower case
    email_key text not null unique,
    -- an argon2id PHC string
    password_hash text not null,
    -- IANA name; a task without a zone of its own uses it
    time_zone text not null,
    created_at timestamptz not null
);

create table session (
    id uuid primary key,
    user_id uuid not null references account (id) on delete cascade,
    -- sha256 of the refresh token in force, and of the one before it, which a client
    -- whose answer was lost may use once more for a short while
    refresh_hash bytea not null unique,
    previous_hash bytea unique,
    created_at timestamptz not null,
    rotated_at timestamptz not null,
    expires_at timestamptz not null
);
create index session_of_user on session (user_id);

create table sign_in_attempt (
    email_key text primary key,
    since timestamptz not null,
    attempts int not null
);

grant select, insert, update on account, session, sign_in_attempt to spindle_accounts;
grant delete on session, sign_in_attempt to spindle_accounts;
