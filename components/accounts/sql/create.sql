-- Makes an account. The same id with the same address again answers the stored one. No row: the address or the id is
-- taken by another.
-- system: nobody is signed in yet. $1 id uuid, $2 email text, $3 email_key text, $4 password_hash text,
-- $5 time_zone text, $6 now timestamp
with fresh as (
    insert into account (id, email, email_key, password_hash, time_zone, created_at)
    values ($1, $2, $3, $4, $5, $6::timestamp at time zone 'utc')
    on conflict do nothing
    returning *
)
select a.id, a.email, a.password_hash, a.time_zone, a.created_at at time zone 'utc' as created_at, a.created
from (
    select *, true as created from fresh
    union all
    select *, false from account where id = $1 and email_key = $3 and not exists (select from fresh)
) a;
