-- no-transaction
-- What was given up is few unless something is wrong, and then an operator looks at it while much else waits.
create index concurrently inbox_dead on inbox (received_at, consumer) where state = 'dead';
