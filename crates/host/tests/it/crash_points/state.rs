//! What a database holds, in words that are the same in every run: ids are replaced by what they stand for.

use std::collections::BTreeMap;

use tokio_postgres::Client;

/// Ids and what they stand for.
const NAMES: &str = "
    select id::text, 'series of ' || dtstart from series
    union all select id::text, 'task of ' || coalesce(occurrence::text, title) from task
    union all select r.id::text, 'reminder of ' || coalesce(t.occurrence::text, t.title) || ' ' || r.minutes
        from reminder r join task t on t.id = r.task_id";

/// The rows that a journey leaves behind, but for times of writing and what keeps no meaning (leases, sessions).
const ROWS: &str = "
    select concat_ws(' | ', 'account', id, email, email_key, time_zone) from account
    union all select concat_ws(' | ', 'task', id, user_id, title, priority, tags, due_at at time zone 'utc',
        recurrence_rule, reminder_minutes, series_id, occurrence, status, version, completed_at at time zone 'utc',
        deleted_at) from task
    union all select concat_ws(' | ', 'series', id, user_id, rule, time_zone, dtstart, occurrence, ended_at,
        guard_count, version) from series
    union all select concat_ws(' | ', 'reminder', id, user_id, task_id, due_at at time zone 'utc', minutes,
        fire_at at time zone 'utc', state, version, task_version) from reminder
    union all select concat_ws(' | ', 'notification', user_id, reminder_id, task_id, title, due_at at time zone 'utc',
        fire_at at time zone 'utc', read_at) from notification
    union all select concat_ws(' | ', 'stream', stream, last_seq, acked_seq) from event_stream
    union all select concat_ws(' | ', 'inbox', consumer, user_id, stream, stream_seq, type, state) from inbox
    union all select concat_ws(' | ', 'done', d.consumer, a.user_id, a.stream, a.stream_seq, a.type)
        from inbox_done d join outbox_archive a on a.id = d.event_id
    union all select concat_ws(' | ', 'archive', stream, stream_seq, type) from outbox_archive
    union all select concat_ws(' | ', 'healed', sum(gaps_healed)) from consumer
    union all select concat_ws(' | ', 'outbox', stream, stream_seq, type) from outbox
    union all select concat_ws(' | ', 'attempts', email_key, attempts) from sign_in_attempt";

/// Entries in the order of the chain.
const AUDIT: &str = "select stream, concat_ws(' | ', 'audit', stream, stream_seq, user_id, action, payload)
    from audit_entry order by user_id, seq";

/// The state as sorted lines; the audit entries of a stream keep their order.
pub async fn read(sql: &Client) -> Vec<String> {
    let mut lines: Vec<String> = strings(sql, ROWS).await.into_iter().map(|[line]| line).collect();
    let mut audit = strings(sql, AUDIT).await;
    let names: BTreeMap<String, String> = strings(sql, NAMES).await.into_iter().map(|[id, name]| (id, name)).collect();
    lines.iter_mut().for_each(|line| rename(line, &names));
    lines.sort();
    audit.iter_mut().flatten().for_each(|text| rename(text, &names));
    // a stable sort
    audit.sort_by(|[one, _], [other, _]| one.cmp(other));
    lines.extend(audit.into_iter().map(|[_, line]| line));
    lines
}

async fn strings<const N: usize>(sql: &Client, query: &str) -> Vec<[String; N]> {
    let rows = sql.query(query, &[]).await.expect(query);
    rows.iter().map(|row| std::array::from_fn(|column| row.get(column))).collect()
}

fn rename(text: &mut String, names: &BTreeMap<String, String>) {
    for (id, name) in names {
        if text.contains(id) {
            *text = text.replace(id, name);
        }
    }
}

/// The lines by which two states differ, up to ten.
pub fn difference(expected: &[String], found: &[String]) -> Option<String> {
    if expected == found {
        return None;
    }
    let missing = expected.iter().filter(|line| !found.contains(line)).map(|line| format!("  lacks {line}"));
    let more = found.iter().filter(|line| !expected.contains(line)).map(|line| format!("  has   {line}"));
    let lines: Vec<String> = missing.chain(more).take(10).collect();
    // the same lines, oftener or in another order
    Some(if lines.is_empty() { format!("{found:#?}") } else { lines.join("\n") })
}

/// Empties the database, for the next run.
pub async fn forget(sql: &Client) {
    // a transaction that a guest left open must fail the test, not hang it
    let tables = "set lock_timeout = '5s'; truncate account, session, sign_in_attempt, task, series, reminder,
        notification, outbox, event_stream, inbox, inbox_done, outbox_archive, audit_entry,
        audit_head; update consumer set checked_until = '-infinity', gaps_healed = 0, healed_at = null";
    sql.batch_execute(tables).await.expect("empty tables");
}
