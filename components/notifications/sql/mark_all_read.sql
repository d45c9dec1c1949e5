-- Marks as read what is unread and was there at a moment, so that what arrives meanwhile stays unread.
-- sweep: writes every unread row of one user. $1 user uuid, $2 now timestamp, $3 up to timestamp
with marked as (
    update notification
    set read_at = $2::timestamp at time zone 'utc'
    where user_id = $1 and read_at is null and created_at <= $3::timestamp at time zone 'utc'
    returning id
)
select count(*) as marked from marked;
