-- Appends a received event to its user's chain and marks it as done, once the event before it in its stream has its
-- entry. A fact (stream and stream_seq) that has its entry gets no second one.
-- The hash is the one of domain::audit::entry_hash. $1 user uuid, $2 inbox event uuid, $3 salt bytea, $4 payload text,
-- $5 commitment bytea, $6 now timestamp. Says whether it was appended, and whether it still waits.
with ready as (
    delete from inbox i
    where i.consumer = 'audit' and i.event_id = $2 and i.user_id = $1 and i.state = 'new'
      and (i.stream_seq = 1 or exists (
        select from audit_entry a
        where a.user_id = i.user_id and a.stream = i.stream and a.stream_seq = i.stream_seq - 1))
    returning i.slot, i.user_id, i.event_id, i.time, i.type, i.stream, i.stream_seq,
        uuid_send(i.event_id) || int8send((extract(epoch from i.time) * 1000000)::bigint)
            || sha256(convert_to(i.type, 'UTF8')) || sha256(convert_to(i.stream, 'UTF8'))
            || int8send(i.stream_seq) || $5::bytea as body
), done as (
    insert into inbox_done (slot, consumer, event_id, done_at)
    select slot, 'audit', event_id, $6::timestamp at time zone 'utc' from ready
    on conflict do nothing
    returning event_id
), fresh as (
    -- another version of the event may have told of the same fact
    select r.* from ready r join done d on d.event_id = r.event_id
    where not exists (
        select from audit_entry a
        where a.user_id = r.user_id and a.stream = r.stream and a.stream_seq = r.stream_seq)
), head as (
    insert into audit_head as h (user_id, seq, hash)
    select user_id, 1, sha256(decode(repeat('00', 32), 'hex') || int8send(1) || body) from fresh
    on conflict (user_id) do update
    set seq = h.seq + 1, hash = sha256(h.hash || int8send(h.seq + 1) || (select body from fresh))
    returning user_id, seq, hash
), appended as (
    insert into audit_entry (
        user_id, seq, event_id, at, action, stream, stream_seq, salt, payload, commitment, hash)
    select h.user_id, h.seq, f.event_id, f.time, f.type, f.stream, f.stream_seq, $3, $4, $5, h.hash
    from head h join fresh f on f.user_id = h.user_id
    returning seq
)
select exists (select from appended) as appended, not exists (select from ready) as waits;
