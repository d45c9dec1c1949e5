-- The roles that the components connect as. They may log in and do what the migrations grant, nothing else.
-- Run before the first migration, and again at any time: to change the password or the limits. `spindle migrate roles`
-- runs it, and so does: psql -v password=… -v connection_limit=64 -f roles.sql
do $$
declare
    role text;
begin
    foreach role in array array[
        'spindle_tasks', 'spindle_recurrence', 'spindle_reminders', 'spindle_notifications',
        'spindle_audit', 'spindle_relay', 'spindle_accounts', 'spindle_status'
    ] loop
        if not exists (select from pg_roles where rolname = role) then
            execute format('create role %I', role);
        end if;
        -- A guest has no deadline of its own on Spin: a statement, a wait for a lock, a transaction left open end here.
        execute format('alter role %I set statement_timeout = ''5s''', role);
        execute format('alter role %I set lock_timeout = ''1s''', role);
        execute format('alter role %I set idle_in_transaction_session_timeout = ''5s''', role);
    end loop;
end $$;

-- Spin's pool opens up to 64 connections a component and pod: the limit is 64 times the pods, and the sum of what
-- really is in use stays below max_connections.
alter role spindle_tasks login connection limit :connection_limit password :'password';
alter role spindle_recurrence login connection limit :connection_limit password :'password';
alter role spindle_reminders login connection limit :connection_limit password :'password';
alter role spindle_notifications login connection limit :connection_limit password :'password';
alter role spindle_audit login connection limit :connection_limit password :'password';
alter role spindle_relay login connection limit :connection_limit password :'password';
alter role spindle_accounts login connection limit :connection_limit password :'password';
alter role spindle_status login connection limit :connection_limit password :'password';
