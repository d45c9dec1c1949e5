-- Exchanges a refresh token for the next one. The token before it is taken for a short while more, for a client that
-- never got its answer; used later it has been stolen, and the session ends. The while is counted from the first
-- exchange, or whoever has an old token could go on with it for ever. No row: no such token.
-- system: the token says whose it is. $1 presented hash bytea, $2 next hash bytea, $3 now timestamp,
-- $4 start of the grace timestamp
with held as materialized (
    select s.*, s.refresh_hash = $1 or s.rotated_at > $4::timestamp at time zone 'utc' as usable
    from session s
    where s.refresh_hash = $1 or s.previous_hash = $1
    for update
), rotated as (
    update session s
    set refresh_hash = $2, previous_hash = $1,
        rotated_at = case when held.refresh_hash = $1 then $3::timestamp at time zone 'utc' else held.rotated_at end
    from held
    where s.id = held.id and held.usable and held.expires_at > $3::timestamp at time zone 'utc'
    returning s.id
), revoked as (
    delete from session s using held where s.id = held.id and not held.usable
)
select held.id as session_id, held.user_id, a.time_zone, exists (select from rotated) as rotated
from held
join account a on a.id = held.user_id;
