-- Deletes sessions that have ended and attempts to sign in that no longer count. Answers how many.
-- system: whatever user's. $1 now timestamp, $2 start of the window of attempts timestamp
with ended as (
    delete from session s using (
        select id from session where expires_at <= $1::timestamp at time zone 'utc' order by expires_at limit 1000
    ) o
    where s.id = o.id
    returning 1
), forgotten as (
    delete from sign_in_attempt t using (
        select email_key from sign_in_attempt where since <= $2::timestamp at time zone 'utc' order by since limit 1000
    ) o
    where t.email_key = o.email_key and t.since <= $2::timestamp at time zone 'utc'
    returning 1
)
select (select count(*) from ended) + (select count(*) from forgotten) as purged;
