-- Keeps the reason why an event could not be applied, for whoever looks after it.
-- system: an event carries its user. $1 consumer text, $2 event uuid, $3 error text
update inbox set error = $3 where consumer = $1 and event_id = $2 and state = 'new';
