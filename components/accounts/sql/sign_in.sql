-- Counts an attempt to sign in before anything costly is done, and finds the account if there is one.
-- system: nobody is signed in yet. $1 email_key text, $2 now timestamp, $3 start of the window timestamp
with counted as (
    insert into sign_in_attempt as t (email_key, since, attempts)
    values ($1, $2::timestamp at time zone 'utc', 1)
    on conflict (email_key) do update
    set attempts = case when t.since <= $3::timestamp at time zone 'utc' then 1 else t.attempts + 1 end,
        since = case when t.since <= $3::timestamp at time zone 'utc' then excluded.since else t.since end
    returning attempts, since
)
select c.attempts, c.since at time zone 'utc' as since, a.id, a.password_hash, a.time_zone
from counted c
left join account a on a.email_key = $1;
