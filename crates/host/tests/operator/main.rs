//! The binary `spindle` as an operator runs it, on a real PostgreSQL.

#![allow(missing_docs, reason = "a test")]

mod bed;
#[path = "../collector/mod.rs"]
mod collector;
mod events;
mod telemetry;

use bed::Bed;
use serde_json::Value;
use uuid::Uuid;

const ALICE: Uuid = Uuid::from_u128(0xa11ce);
const BOB: Uuid = Uuid::from_u128(0xb0b);

#[tokio::test]
async fn an_altered_audit_log_is_found() {
    let bed = Bed::new("audit").await;
    let (words, good) = bed.says("migrate up");
    assert!(good, "{words}");
    bed.chain(ALICE, 5).await;
    bed.chain(BOB, 3).await;
    assert_eq!(bed.says("audit verify"), ("whole: 2 chains with 8 entries\n".to_string(), true));

    bed.sql("update audit_entry set payload = null, salt = null where seq = 2").await;
    assert!(bed.says("audit verify").1, "an erased payload is no break");

    bed.sql(&format!("update audit_entry set payload = '{{\"n\":9}}' where seq = 3 and user_id = '{ALICE}'")).await;
    let (words, good) = bed.says("audit verify");
    assert!(!good && words.contains(&format!("user {ALICE}: audit entry 3 has an altered payload")), "{words}");
    assert!(words.contains("1 of 2 chains are broken"), "{words}");
    assert!(bed.says(&format!("audit verify --user {BOB}")).1);
    let json = bed.json("audit verify --json");
    assert_eq!(json[1]["whole"], false);
    assert_eq!((&json[1]["seq"], &json[0]["entries"]), (&Value::from(3), &Value::from(3)));

    bed.sql("update audit_entry set payload = '{\"n\":3}' where seq = 3; delete from audit_entry where seq = 5").await;
    let (words, good) = bed.says("audit verify");
    assert!(!good && words.contains("audit entry 5 is missing from the end"), "{words}");
    bed.sql("update audit_entry set hash = 'short' where seq = 1").await;
    let (words, _) = bed.says(&format!("audit verify --user {BOB}"));
    assert!(words.contains("audit entry 1 was altered"), "{words}");
}

#[tokio::test]
async fn doctor_and_status_say_what_to_do() {
    let bed = Bed::new("doctor").await;
    let (words, good) = bed.says("doctor");
    assert!(!good, "{words}");
    assert!(
        words.contains("bad roles: missing: spindle_tasks") && words.contains("→ run `spindle migrate roles`"),
        "{words}"
    );
    assert!(words.contains("bad schema: 0 applied") && words.contains("→ run `spindle migrate up`"), "{words}");
    assert_eq!(bed.json("migrate status --json")[0]["state"], "pending");
    assert!(!bed.says("migrate status").1);
    let (applied, good) = bed.says("migrate up");
    assert!(good, "{applied}");
    let json = bed.json("doctor --json");
    assert!(json.as_array().unwrap().iter().all(|finding| finding["good"] == true), "{json}");
    assert!(bed.says("migrate status").1);
    assert_eq!(bed.says("migrate up").0, "nothing to apply: the schema is up to date\n");
    let (words, good) = bed.says("migrate up --to 99");
    assert!(!good && words.contains("there is no migration 0099"), "{words}");
}
