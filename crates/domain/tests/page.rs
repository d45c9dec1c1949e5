//! Cursors of keyset pagination.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::page::Cursor;
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

/// From the first second of year 1 to the last one that jiff reads, in microseconds.
const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_207_200_000_000;

#[test]
fn a_cursor_is_32_characters_for_a_url() {
    let cursor = Cursor { at: "2026-11-21T11:05:00.123456Z".parse().unwrap(), id: Uuid::from_u128(0x0123_4567) };
    assert_eq!(cursor.encode(), "AAZgx1TxUUAAAAAAAAAAAAAAAAABI0Vn");
    assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
}

#[test]
fn nothing_else_is_a_cursor() {
    let good = Cursor { at: Timestamp::UNIX_EPOCH, id: Uuid::nil() }.encode();
    let with_time = |micros: i64| {
        let mut bytes = micros.to_be_bytes().to_vec();
        bytes.resize(24, 7);
        URL_SAFE_NO_PAD.encode(bytes)
    };
    assert!(Cursor::decode(&with_time(FIRST)).is_some() && Cursor::decode(&with_time(LAST)).is_some());
    let refused = [
        String::new(),
        good[..31].to_owned(),
        format!("{good}A"),
        format!("{good}AA"),
        format!("{good}AAA"),
        format!("{good}AAAA"),
        format!("{good}=="),
        format!(" {good}"),
        good.replace('A', "+"),
        good.replace('A', "é"),
        with_time(FIRST - 1),
        with_time(LAST + 1_000_000),
        with_time(i64::MAX),
        with_time(i64::MIN),
        "A".repeat(1_000_000),
    ];
    for text in refused {
        assert_eq!(Cursor::decode(&text), None, "{}", &text[..text.len().min(40)]);
    }
}

proptest! {
    #[test]
    fn there_and_back(micros in FIRST..=LAST, id: u128) {
        let cursor = Cursor { at: Timestamp::from_microsecond(micros).unwrap(), id: Uuid::from_u128(id) };
        prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn one_text_a_cursor(text in "[A-Za-z0-9_-]{30,34}|\\PC{0,40}") {
        if let Some(cursor) = Cursor::decode(&text) {
            prop_assert_eq!(cursor.encode(), text);
        }
    }
}
