-- no-transaction
drop index concurrently inbox_dead;
