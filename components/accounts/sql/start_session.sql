-- Starts a session after a successful sign-in, which forgets the failed ones.
-- $1 id uuid, $2 user uuid, $3 refresh_hash bytea, $4 now timestamp, $5 expires timestamp, $6 email_key text
-- system: the user has just proved who they are.
with forgiven as (
    delete from sign_in_attempt where email_key = $6
)
insert into session (id, user_id, refresh_hash, created_at, rotated_at, expires_at)
values (
    $1, $2, $3, $4::timestamp at time zone 'utc', $4::timestamp at time zone 'utc', $5::timestamp at time zone 'utc');
