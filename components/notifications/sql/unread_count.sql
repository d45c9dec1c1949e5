-- How many of the user's notifications are unread, up to a thousand: nobody counts further, and the statement stays
-- quick. $1 user uuid
select count(*) as unread
from (select from notification n where n.user_id = $1 and n.read_at is null limit 1000) counted;
