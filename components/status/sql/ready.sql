-- The newest migration that has been applied.
-- system: says nothing of users. No parameters.
select coalesce(max(number), 0)::bigint as schema_version from schema_migration;
