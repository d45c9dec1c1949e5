//! Keyset pages: `limit` and `cursor` in, `items` and `next` out.

use domain::page::Cursor;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::Problem;
use crate::db::Listed;

/// The page that a client asks for.
pub struct Page {
    limit: usize,
    /// Items come before this key; the last one possible for the first page.
    pub before: Cursor,
}

/// A page of items.
#[derive(Serialize)]
pub struct Items<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl Page {
    /// Reads `limit` (1 to 100, 50 if not given) and `cursor` from the query's parameters.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn read(parameters: &[(String, String)]) -> Result<Self, Problem> {
        let find = |name| parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        let limit = match find("limit").map(str::parse) {
            None => 50,
            Some(Ok(limit @ 1..=100)) => limit,
            Some(_) => {
                return Err(Problem::invalid_parameter("limit", "range", "must be a whole number from 1 to 100"));
            }
        };
        let before = match find("cursor") {
            None => last_key(),
            Some(text) => Cursor::decode(text).ok_or_else(|| {
                Problem::invalid_parameter("cursor", "format", "must be the `next` of an earlier page")
            })?,
        };
        Ok(Self { limit, before })
    }

    /// How many rows to ask for: one more than wanted, to know whether there is a next page.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(100) + 1
    }

    /// Makes a page of the rows found, as JSON. They are ordered by their columns `created_at` and `id`.
    pub fn json(&self, listed: &Listed) -> Vec<u8> {
        let mut page = b"{\"items\":[".to_vec();
        listed.write(self.limit, &mut page);
        page.extend_from_slice(b"],\"next\":");
        match self.limit.checked_sub(1).filter(|_| listed.len() > self.limit).and_then(|last| listed.key(last)) {
            // base64url needs no escaping
            Some(key) => [b"\"", key.encode().as_bytes(), b"\"}"].iter().for_each(|part| page.extend_from_slice(part)),
            None => page.extend_from_slice(b"null}"),
        }
        page
    }

    /// Makes a page of the rows found; `key` is what they are ordered by.
    pub fn items<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> Cursor) -> Items<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|row| key(row).encode());
        Items { items: rows, next }
    }
}

/// A key after all others.
fn last_key() -> Cursor {
    // 9998-12-31; PostgreSQL and the cursor both reach it
    let at = Timestamp::from_second(253_370_764_800).unwrap_or(Timestamp::MAX);
    Cursor { at, id: Uuid::max() }
}

impl<T> Items<T> {
    /// The same page with each item as it is shown.
    pub fn map<U>(self, show: impl Fn(T) -> U) -> Items<U> {
        Items { items: self.items.into_iter().map(show).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spin_sdk::pg4::DbValue;

    fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn key(n: &u8) -> Cursor {
        Cursor { at: Timestamp::UNIX_EPOCH, id: Uuid::from_u128(u128::from(*n)) }
    }

    #[test]
    fn a_page_has_a_next_one_only_if_there_is_more() {
        let page = Page::read(&parameters(&[("limit", "2")])).expect("a page");
        assert_eq!(page.rows(), 3);
        let full = serde_json::to_value(page.items(vec![3, 2, 1], key)).unwrap();
        assert_eq!(full["items"], serde_json::json!([3, 2]));
        let next = full["next"].as_str().unwrap().to_owned();
        let last = Page::read(&parameters(&[("cursor", &next)])).expect("a page");
        assert_eq!((last.before.id, last.limit), (Uuid::from_u128(2), 50));
        let rest = page.items(vec![1], key).map(|n| n + 1);
        assert_eq!(serde_json::to_value(rest).unwrap(), serde_json::json!({"items": [2], "next": null}));
    }

    #[test]
    fn a_page_of_a_listing_reads_like_one_of_values() {
        #[derive(Serialize)]
        struct Shown {
            created_at: &'static str,
            id: Uuid,
        }
        let ids = |rows: &[u8]| -> Vec<Uuid> { rows.iter().map(|n| Uuid::from_u128(u128::from(*n))).collect() };
        let at = Cursor { at: Timestamp::UNIX_EPOCH, id: Uuid::nil() };
        for rows in [&[] as &[u8], &[2, 1], &[3, 2, 1]] {
            let page = Page::read(&parameters(&[("limit", "2")])).expect("a page");
            let listing = |id: &Uuid| vec![DbValue::Datetime((1970, 1, 1, 0, 0, 0, 0)), DbValue::Uuid(id.to_string())];
            let listed = Listed::new(&["created_at", "id"], ids(rows).iter().map(listing).collect());
            let shown =
                ids(rows).into_iter().map(|id| Shown { created_at: "1970-01-01T00:00:00.000000Z", id }).collect();
            let expected = serde_json::to_value(page.items(shown, |row| Cursor { id: row.id, ..at })).unwrap();
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&page.json(&listed)).unwrap(), expected);
        }
    }

    #[test]
    fn a_bad_parameter_is_named() {
        for (name, value) in
            [("limit", "0"), ("limit", "101"), ("limit", "x"), ("limit", ""), ("cursor", "x"), ("cursor", "")]
        {
            let problem = Page::read(&parameters(&[(name, value)])).err().expect("a problem");
            assert_eq!((problem.status, problem.errors[0].pointer.as_str()), (422, name), "{name}={value}");
        }
    }
}
