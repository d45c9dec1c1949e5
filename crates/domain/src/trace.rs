//! Which trace something belongs to, as W3C Trace Context writes it in `traceparent`:
//! `00-<trace id>-<span id>-<flags>`, <https://www.w3.org/TR/trace-context/#traceparent-header>.

/// Whether `text` names a span: version 00, lower-case hex, no id all zeros (section 3.2.2).
pub fn is_parent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), ["00", trace, span, flags] if is_id(trace, 32) && is_id(span, 16) && is_hex(flags, 2))
}

/// What names the trace of an event best: what the request that brought it names, where that is in the same trace, for
/// a host that traces puts its own span there; else what the event names. Nothing if the event belongs to none.
pub fn nearest(event: Option<String>, request: Option<String>) -> Option<String> {
    let event = event?;
    Some(request.filter(|request| id(request) == id(&event)).unwrap_or(event))
}

/// The trace id.
fn id(traceparent: &str) -> Option<&str> {
    traceparent.split('-').nth(1)
}

fn is_id(text: &str, length: usize) -> bool {
    is_hex(text, length) && text.bytes().any(|byte| byte != b'0')
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn what_names_a_span_is_taken_and_nothing_else() {
        let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert!(is_parent(&good) && is_parent(&good.replace("-01", "-00")));
        let zeros = "0".repeat(32);
        for bad in [
            String::new(),
            good.to_uppercase(),
            format!(" {good}"),
            format!("{good}-"),
            format!("{good}-01"),
            good.replacen("00", "01", 1),
            good.replacen("00", "ff", 1),
            good.replace(TRACE, &zeros),
            good.replace("00f067aa0ba902b7", "0000000000000000"),
            good.replace("4bf9", "4bfg"),
            good.replace("4bf9", "4bé"),
            good.replace("b7-01", "-01"),
            "00-1-1-01".to_owned(),
        ] {
            assert!(!is_parent(&bad), "{bad:?}");
        }
    }

    #[test]
    fn the_request_is_nearer_only_within_the_trace() {
        let at = |trace: &str, span: &str| Some(format!("00-{trace}-{span}-01"));
        let (event, hop) = (at(TRACE, "00f067aa0ba902b7"), at(TRACE, "00f067aa0ba902b8"));
        let run = at("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b9");
        assert_eq!(nearest(event.clone(), hop.clone()), hop);
        assert_eq!(nearest(event.clone(), run.clone()), event);
        assert_eq!(nearest(event.clone(), None), event);
        assert_eq!(nearest(None, run), None);
    }
}
