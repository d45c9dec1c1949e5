-- A page of the user's audit entries, the latest event first, after the keyset ($2, $3).
-- $1 user uuid, $2 at or before timestamp, $3 seq before int8, $4 rows int8
select a.seq, a.event_id, a.at at time zone 'utc' as at, a.action, a.stream, a.stream_seq, a.payload, a.commitment,
    a.hash
from audit_entry a
where a.user_id = $1 and (a.at, a.seq) < ($2::timestamp at time zone 'utc', $3::bigint)
order by a.at desc, a.seq desc
limit $4;
