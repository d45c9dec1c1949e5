-- Deletes a part of the day that leaves the archive and the ledger. Answers how many rows went.
-- system: rows of every user. $1 slot int4
with archived as materialized (
    select ctid from outbox_archive where slot = $1 limit 2000
), forgotten as (
    delete from outbox_archive a using archived o where a.slot = $1 and a.ctid = o.ctid returning 1
), noted as materialized (
    select ctid from inbox_done where slot = $1 limit 5000
), dropped as (
    delete from inbox_done d using noted o where d.slot = $1 and d.ctid = o.ctid returning 1
)
select (select count(*) from forgotten) + (select count(*) from dropped) as purged;
