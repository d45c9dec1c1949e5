-- Gives back the streams whose event was not handed over; each waits longer the oftener it failed.
-- system: the relay serves every user. $1 now timestamp, $2 token uuid, $3 streams text[], $4 most seconds int4
with held as materialized (
    select stream from event_stream where stream = any ($3::text[]) and lease_token = $2 order by stream for update
)
update event_stream s
set lease_token = null,
    lease_until = $1::timestamp at time zone 'utc'
        + make_interval(secs => least(power(2, least(s.attempts, 9)), $4::int4))
from held
where s.stream = held.stream;
