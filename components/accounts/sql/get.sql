-- The account of who is signed in: an account is its user. $1 user uuid
select a.id, a.email, a.time_zone, a.created_at at time zone 'utc' as created_at
from (select *, id as user_id from account) a
where a.user_id = $1;
