-- Keeps a body that is no event as a dead row, for an operator to see; it can never be applied.
-- system: nobody's, as far as can be told. $1 consumer text, $2 id uuid, $3 type text, $4 data jsonb, $5 now timestamp,
-- $6 reason text
insert into inbox (
    consumer, event_id, stream, stream_seq, type, user_id, time, data, state, received_at, not_before, error)
values (
    $1, $2, 'unreadable/' || $2::uuid, 1, $3, '00000000-0000-0000-0000-000000000000',
    $5::timestamp at time zone 'utc', $4, 'dead', $5::timestamp at time zone 'utc',
    $5::timestamp at time zone 'utc', $6)
on conflict (consumer, event_id) do nothing;
