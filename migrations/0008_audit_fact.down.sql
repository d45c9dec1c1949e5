-- no-transaction
drop index concurrently audit_entry_fact;
