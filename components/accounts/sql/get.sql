-- The account of who is signed in. $1 user uuid
select id, email, time_zone, created_at at time zone 'utc' as created_at from account user_account where id = $1;
