-- Marks an event as done that asks nothing of its consumer. $1 consumer text, $2 event uuid
-- system: an event carries its user.
update inbox set state = 'done', error = null where consumer = $1 and event_id = $2 and state = 'new';
