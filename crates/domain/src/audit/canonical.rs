//! JSON with exactly one spelling: RFC 8785, the JSON Canonicalization Scheme.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

/// The canonical text of a JSON value (RFC 8785 section 3.2).
///
/// Members are sorted by the UTF-16 code units of their names, there is no white space, and floats are written as
/// ECMAScript does. Integers are written exactly, also beyond 2^53, where RFC 8785 would round them to a double.
/// The depth of `value` is the depth of the recursion; what serde_json parsed is at most 128 deep.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Number(number) => write_number(text, number),
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                text.push_str(if i == 0 { "" } else { "," });
                write_value(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => write_object(text, members),
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::String(string) => write_string(text, string),
    }
}

fn write_object(text: &mut String, members: &Map<String, Value>) {
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    text.push('{');
    for (i, (name, value)) in members.into_iter().enumerate() {
        text.push_str(if i == 0 { "" } else { "," });
        write_string(text, name);
        text.push(':');
        write_value(text, value);
    }
    text.push('}');
}

/// RFC 8785 section 3.2.2.2: the short escapes, `\u00xx` for other controls, everything else as it is.
fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            c if c < ' ' => _ = write!(text, "\\u{:04x}", u32::from(c)),
            c => text.push(c),
        }
    }
    text.push('"');
}

fn write_number(text: &mut String, number: &Number) {
    let shortest = number.to_string();
    if number.is_f64() {
        write_float(text, &shortest);
    } else {
        text.push_str(&shortest);
    }
}

/// Lays out a float's shortest digits like ECMAScript's Number::toString: plain from 1e-6 up to 1e21, an exponent
/// beyond. serde_json finds the same digits as ECMAScript (of two equally near the even one), Rust's own do not.
fn write_float(text: &mut String, shortest: &str) {
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading = length(&all) - length(digits);
    let digits = digits.trim_end_matches('0');
    // The value is 0.digits times ten to this power.
    let power = length(whole) - leading + exponent.parse().unwrap_or(0);
    match (length(digits), power) {
        (0, _) => text.push('0'),
        (count, _) if (count..=21).contains(&power) => {
            _ = write!(text, "{sign}{digits}{}", zeros(power - count));
        }
        (_, 1..=21) => {
            let (whole, fraction) = split(digits, power);
            _ = write!(text, "{sign}{whole}.{fraction}");
        }
        (_, -5..=0) => _ = write!(text, "{sign}0.{}{digits}", zeros(-power)),
        _ => {
            let (first, rest) = split(digits, 1);
            let point = if rest.is_empty() { "" } else { "." };
            _ = write!(text, "{sign}{first}{point}{rest}e{:+}", power - 1);
        }
    }
}

/// The length of a number's text, which is short.
fn length(digits: &str) -> i32 {
    i32::try_from(digits.len()).unwrap_or(i32::MAX)
}

fn zeros(count: i32) -> String {
    "0".repeat(usize::try_from(count).unwrap_or(0))
}

fn split(digits: &str, at: i32) -> (&str, &str) {
    digits.split_at_checked(usize::try_from(at).unwrap_or(0)).unwrap_or((digits, ""))
}
