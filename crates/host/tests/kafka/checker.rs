//! What must hold in the database once all is quiet: every change has one event, every consumer has applied each event
//! once, the audit log in the order of each stream.

use tokio_postgres::Client;
use uuid::Uuid;

#[path = "../it/chains.rs"]
mod chains;

/// Who has a use for which type, as SQL.
fn uses() -> String {
    let pairs = domain::event::TYPES.iter().flat_map(|kind| {
        domain::event::consumers(kind).iter().map(move |consumer| format!("('{consumer}', '{kind}')"))
    });
    format!("(values {}) u (consumer, type)", pairs.collect::<Vec<_>>().join(", "))
}

/// What still has to happen: a line for each kind.
pub async fn unfinished(sql: &Client) -> Vec<String> {
    let waiting = format!(
        "select 'to hand over: ' || count(*) from outbox having count(*) > 0
        union all
        select 'to apply by ' || consumer || ': ' || count(*) from inbox where state = 'new' group by consumer
        union all
        select 'to receive by ' || u.consumer || ': ' || count(*)
        from outbox_archive a join {} on u.type = a.type
        where not exists (
            select from inbox_done d where d.slot = a.slot and d.consumer = u.consumer and d.event_id = a.id)
          and not exists (select from inbox i where i.consumer = u.consumer and i.event_id = a.id)
        group by u.consumer",
        uses()
    );
    lines(sql, &waiting).await
}

/// Each a sentence that must not be true, as SQL that answers one text column.
const FAULTS: [(&str, &str); 11] = [
    (
        "a task's version is not the number of its events",
        "select t.id || ' version ' || t.version || ', events ' || count(a.id)
        from task t left join outbox_archive a on a.stream = 'task/' || t.id
        group by t.id, t.version having count(a.id) <> t.version",
    ),
    (
        "a series' version is not the number of its events",
        "select s.id || ' version ' || s.version || ', events ' || count(a.id)
        from series s left join outbox_archive a on a.stream = 'series/' || s.id
        group by s.id, s.version having count(a.id) <> s.version",
    ),
    (
        "a stream is not dense from 1, or has an event twice",
        "select stream || ': ' || string_agg(stream_seq::text, ',' order by stream_seq)
        from outbox_archive group by stream
        having count(*) <> max(stream_seq) or count(distinct stream_seq) <> count(*) or count(distinct id) <> count(*)",
    ),
    (
        "a stream was not acknowledged as far as it goes",
        "select stream || ': ' || acked_seq || ' of ' || last_seq from event_stream where acked_seq <> last_seq",
    ),
    (
        "an event has not exactly one audit entry",
        "select a.stream || ' ' || a.stream_seq || ': ' || count(e.seq)
        from outbox_archive a left join audit_entry e on e.event_id = a.id
        group by a.stream, a.stream_seq having count(e.seq) <> 1",
    ),
    (
        "the audit log is not in the order of a stream",
        "select stream || ': ' || string_agg(stream_seq::text, ',' order by seq) from (
            select stream, stream_seq, seq, lag(stream_seq) over (partition by stream order by seq) as earlier
            from audit_entry) e
        group by stream having bool_or(earlier > stream_seq)",
    ),
    (
        "a consumer did something for an event that is in no archive",
        "select d.consumer || ' ' || d.event_id from inbox_done d
        where not exists (select from outbox_archive a where a.slot = d.slot and a.id = d.event_id)",
    ),
    (
        "an event is dead",
        "select consumer || ' ' || type || ' ' || coalesce(error, '') from inbox where state = 'dead'",
    ),
    (
        "a reminder that went off has not exactly one notification",
        "select r.id || ': ' || count(n.id) from reminder r left join notification n on n.reminder_id = r.id
        where r.state = 'fired' group by r.id having count(n.id) <> 1",
    ),
    (
        "a series has not one task for each time it went on",
        "select s.id || ' version ' || s.version || ', tasks ' || count(t.id) from series s
        join task t on t.series_id = s.id where s.ended_at is null
        group by s.id, s.version having count(t.id) <> s.version",
    ),
    (
        "a connection is idle in a transaction",
        "select pid || ' ' || query from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'",
    ),
];

/// What is wrong, a line each with up to three examples; nothing if all is right.
pub async fn faults(sql: &Client) -> Vec<String> {
    let mut found: Vec<String> = unfinished(sql).await.into_iter().map(|what| format!("not quiet: {what}")).collect();
    for (what, query) in FAULTS {
        let examples = lines(sql, query).await;
        if !examples.is_empty() {
            let shown = examples.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
            found.push(format!("{what} ({} times): {shown}", examples.len()));
        }
    }
    if !chains::chains_verify(sql).await {
        found.push("an audit chain is broken".to_owned());
    }
    found
}

/// Every event that was handed over: its id and type.
pub async fn events(sql: &Client) -> Vec<(Uuid, String)> {
    let rows = sql.query("select id, type from outbox_archive", &[]).await.expect("events");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// How many events the gap check has put into inboxes: they were lost on the way, or more than a minute late.
pub async fn healed(sql: &Client) -> i64 {
    let query = "select coalesce(sum(gaps_healed), 0)::bigint from consumer";
    sql.query_one(query, &[]).await.expect("gaps").get(0)
}

async fn lines(sql: &Client, query: &str) -> Vec<String> {
    sql.query(query, &[]).await.expect(query).iter().map(|row| row.get(0)).collect()
}

/// Every change that was acknowledged has its event.
pub async fn history(sql: &Client, acked: &[(Uuid, i64)]) -> Vec<String> {
    let (ids, versions): (Vec<Uuid>, Vec<i64>) = acked.iter().copied().unzip();
    let query = "select 'acknowledged and lost: task ' || h.id || ' version ' || h.version
        from unnest($1::uuid[], $2::bigint[]) h (id, version)
        where not exists (
            select from outbox_archive a where a.stream = 'task/' || h.id and a.stream_seq = h.version)
        limit 5";
    sql.query(query, &[&ids, &versions]).await.expect("a comparison").iter().map(|row| row.get(0)).collect()
}
