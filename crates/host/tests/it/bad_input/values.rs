//! Values that no field may take.

use serde_json::{Value, json};

/// What a field is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text of so many characters.
    Text(usize, usize),
    Email,
    Zone,
    Rule,
    Priority,
    Tags,
    Due,
    Minutes,
    Id,
}

/// Bad JSON values of a kind, as text.
pub fn bad(kind: Kind) -> Vec<String> {
    let mut values: Vec<Value> = match kind {
        Kind::Text(min, max) => lengths(min, max),
        Kind::Email => lengths(3, 254).into_iter().chain(emails()).collect(),
        Kind::Zone => strings(&ZONES),
        Kind::Rule => rules(),
        Kind::Priority => strings(&["", "P0", "P5", "p1", "P10", "1", "high", " P1"]),
        Kind::Tags => tags(),
        Kind::Due => strings(&DUES),
        Kind::Minutes => minutes(),
        Kind::Id => strings(&IDS),
    };
    values.extend([json!(true), json!({}), json!({"a": {"b": [1, {"c": null}]}}), json!([[["x"]]]), json!([{}])]);
    values.extend([json!(1.5), json!(-1), json!(1e300)]);
    if kind != Kind::Minutes {
        values.extend([json!(0), json!(1)]);
    }
    if !matches!(kind, Kind::Tags | Kind::Minutes) {
        values.push(json!([]));
    }
    // as JSON escapes: NUL, bell, DEL and a control character of the second block
    let mut texts: Vec<String> = values.iter().map(Value::to_string).collect();
    texts.extend(["0000", "0007", "007f", "0085", "001b"].map(|code| format!(r#""abcdefghij\u{code}@x""#)));
    texts.extend(["123456789012345678901234567890".to_owned(), "-9223372036854775809".to_owned()]);
    texts
}

/// What is no JSON, wherever it stands.
pub const NO_JSON: [&str; 9] =
    [r#""\ud800""#, r#""\udc00x""#, r#""\u12""#, "1e400", "01", "NaN", "'x'", "\"a\nb\"", "undefined"];

pub const ZONES: [&str; 22] = [
    "",
    " ",
    "Mars/Phobos",
    "+01:00",
    "UTC+1",
    "EST5EDT,M3.2.0,M11.1.0",
    "<+03>-3",
    "utc",
    "europe/berlin",
    "Local",
    "localtime",
    "../../etc/passwd",
    "/etc/localtime",
    "Europe/Berlin ",
    "Europe/Berlin\n",
    "Europe/",
    "posix/UTC",
    "right/UTC",
    ":America/New_York",
    "Etc/Unknown",
    "Europe/Berlin;drop table task",
    "\u{202e}CTU",
];

const DUES: [&str; 31] = [
    "",
    " ",
    "tomorrow",
    "2026-02-30",
    "2026-13-01",
    "2026-00-10",
    "2026-2-10",
    "26-02-10",
    "2026-02-10T09:00",
    "2026-02-10T09:00:00",
    "2026-02-10 09:00:00Z",
    "2026-02-10T25:00:00Z",
    "2026-02-10T09:60:00Z",
    "2026-02-10T09:00:00+25:00",
    "2026-02-10T09:00:00+0100",
    "2026-02-10T09:00:00.Z",
    "2026-02-10T09:00:00Z[UTC]",
    "2026-02-10T09:00:00.1234567890Z",
    "+002026-02-10T09:00:00Z",
    "-2026-02-10",
    "1969-12-31",
    "1969-12-31T23:59:59Z",
    "9999-01-01",
    "9999-12-31T23:59:59Z",
    "0000-01-01",
    "2026-W07-2",
    "2026-041xx",
    "20260210Z0",
    "２０２6",
    "1770000000",
    "2026-02-10T09:00:00Z'; --",
];

const IDS: [&str; 9] = [
    "",
    "x",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    // version 4, version 1, one digit short, one not hexadecimal, in a list
    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "c232ab00-9414-11ec-b3c8-9f6bdeced846",
    "019c1680-0000-7000-8000-00000000000",
    "019c1680-0000-7000-8000-00000000000g",
    "019c1680-0000-7000-8000-00000000000a,019c1680-0000-7000-8000-00000000000b",
];

/// Rules that are wrong, or that would cost or make too much.
const RULES: [&str; 36] = [
    "",
    " ",
    "FREQ",
    "FREQ=",
    "FREQ=FORTNIGHTLY",
    "FREQ=SECONDLY",
    "FREQ=MINUTELY",
    "INTERVAL=2",
    "FREQ=DAILY;",
    "FREQ=DAILY;FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;INTERVAL=-1",
    "FREQ=DAILY;INTERVAL=1001",
    "FREQ=DAILY;INTERVAL=99999999999999999999",
    "FREQ=DAILY;COUNT=0",
    "FREQ=DAILY;COUNT=100001",
    "FREQ=DAILY;COUNT=4294967297",
    "FREQ=DAILY;COUNT=2;UNTIL=20270101",
    "FREQ=DAILY;UNTIL=20260230",
    "FREQ=DAILY;UNTIL=2026-03-01",
    "FREQ=WEEKLY;BYDAY=",
    "FREQ=WEEKLY;BYDAY=XX",
    "FREQ=WEEKLY;BYDAY=1MO",
    "FREQ=MONTHLY;BYDAY=54MO",
    "FREQ=MONTHLY;BYDAY=0MO",
    "FREQ=MONTHLY;BYMONTHDAY=32",
    "FREQ=MONTHLY;BYMONTHDAY=0",
    "FREQ=MONTHLY;BYSETPOS=1",
    "FREQ=YEARLY;BYWEEKNO=54",
    "FREQ=DAILY;BYHOUR=24",
    "FREQ=DAILY;BYMINUTE=-1",
    "FREQ=DAILY;WKST=XX",
    "FREQ=DAILY;X-NAME=1",
    "RRULE:RRULE:FREQ=DAILY",
    "DTSTART:20260101\nRRULE:FREQ=DAILY",
    "FREQ=DAILY;BYDAY=MO)); select pg_sleep(9) --",
];

fn strings(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| json!(text)).chain([json!("x".repeat(100_000))]).collect()
}

fn lengths(min: usize, max: usize) -> Vec<Value> {
    let long = [max + 1, 200_000].map(|length| json!("x".repeat(length)));
    // four bytes each: characters count, not bytes
    let wide = json!("🦀".repeat(max + 1));
    let short = (min > 0).then(|| json!("x".repeat(min - 1)));
    long.into_iter().chain([wide]).chain(short).collect()
}

fn emails() -> Vec<Value> {
    let long = format!("{}@example.org", "x".repeat(243));
    let texts = ["xyz", "@xyz", "xyz@", "a@b@c", "a b@c", "a@b\n", "a@\tb", "a@b c", " @ ", &long];
    texts[..9].iter().map(|text| json!(text)).filter(|text| text != "a@b\n").chain([json!(long)]).collect()
}

fn rules() -> Vec<Value> {
    let days: Vec<String> = (1..=366).map(|day| day.to_string()).collect();
    let long = format!("FREQ=YEARLY;BYYEARDAY={}", days.join(","));
    let deep = "FREQ=DAILY;".repeat(10_000);
    strings(&RULES).into_iter().chain([json!(long), json!(deep)]).collect()
}

fn tags() -> Vec<Value> {
    let many: Vec<String> = (0..51).map(|number| format!("tag {number}")).collect();
    let long = json!(["x".repeat(51)]);
    vec![
        json!("work"),
        json!([1]),
        json!([null]),
        json!([""]),
        json!(["  "]),
        json!([["a"]]),
        json!(["a", 2]),
        json!(["a\u{0}"]),
        json!(many),
        long,
        json!({"0": "a"}),
    ]
}

fn minutes() -> Vec<Value> {
    let many: Vec<u32> = (0..11).collect();
    vec![
        json!("30"),
        json!(["30"]),
        json!([null]),
        json!([-1]),
        json!([1.5]),
        json!([525_601]),
        json!(525_601),
        json!([30, "x"]),
        json!([[30]]),
        json!(many),
        json!([9_223_372_036_854_775_807_i64]),
        json!([18_446_744_073_709_551_615_u64]),
        json!([4_294_967_296_i64]),
    ]
}
