//! Every audit chain, recomputed from the tables.

use tokio_postgres::Client;

/// Whether the chain of every user verifies, recomputed from the tables.
pub async fn chains_verify(sql: &Client) -> bool {
    let heads = sql.query("select user_id, seq, hash from audit_head", &[]).await.expect("heads");
    for head in heads {
        let user: uuid::Uuid = head.get(0);
        let entries = "select seq, event_id, (extract(epoch from at) * 1000000)::bigint, action, stream, stream_seq,
            salt, payload, commitment, hash from audit_entry where user_id = $1 order by seq";
        let rows = sql.query(entries, &[&user]).await.expect("entries");
        let hash = |bytes: Vec<u8>| <[u8; 32]>::try_from(bytes).expect("32 bytes");
        let entries = rows.into_iter().map(|row| domain::audit::Entry {
            seq: row.get(0),
            event_id: row.get(1),
            at_micros: row.get(2),
            action: row.get(3),
            stream: row.get(4),
            stream_seq: row.get(5),
            salt: row.get(6),
            payload: row.get(7),
            commitment: hash(row.get(8)),
            hash: hash(row.get(9)),
        });
        if domain::audit::verify(entries, Some((head.get(1), hash(head.get(2))))).is_err() {
            return false;
        }
    }
    true
}
