-- How many of the user's notifications are unread. $1 user uuid
select count(*) as unread from notification where user_id = $1 and read_at is null;
