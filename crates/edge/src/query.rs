//! Query strings.

use crate::Problem;

/// The parameters of a query string, percent-decoded (WHATWG form encoding: `+` is a blank).
pub fn read(query: &str, known: &[&str]) -> Result<Vec<(String, String)>, Problem> {
    let mut found: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = decode(name).zip(decode(value));
        let (name, value) = decoded.ok_or_else(|| Problem::malformed("the query is not percent-encoded UTF-8"))?;
        if !known.contains(&name.as_str()) {
            let name: String = name.chars().take(100).collect();
            let detail = match known {
                [] => "this path takes no parameters".to_owned(),
                known => format!("no such parameter; the parameters are {}", known.join(", ")),
            };
            return Err(Problem::invalid_parameter(&name, "unknown", detail));
        }
        if found.iter().any(|(other, _)| *other == name) {
            return Err(Problem::invalid_parameter(&name, "repeated", "must be given once at most"));
        }
        found.push((name, value));
    }
    Ok(found)
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_query() {
        let pairs = read("limit=5&cursor=a%2Bb+c", &["limit", "cursor"]).unwrap();
        assert_eq!(pairs, [("limit".into(), "5".into()), ("cursor".into(), "a+b c".into())]);
        assert!(read("", &[]).unwrap().is_empty());
    }

    #[test]
    fn refuses_a_bad_query() {
        for (text, status) in
            [("x=1", 422), ("limit=1&limit=2", 422), ("limit=%", 400), ("limit=%zz", 400), ("limit=%ff", 400)]
        {
            assert_eq!(read(text, &["limit"]).unwrap_err().status, status, "{text}");
        }
    }
}
