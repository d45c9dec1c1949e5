//! Keyset pagination: where the next page starts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use uuid::Uuid;

/// Bytes of an encoded cursor before base64: eight of time, sixteen of id.
const BYTES: usize = 24;
/// Year 1 begins, in microseconds: nothing is older, and PostgreSQL knows no time before 4713 BC.
const EARLIEST: i64 = -62_135_596_800_000_000;

/// The sort key of the last row of a page: the next page holds the rows beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The row's time; only whole microseconds survive [`Cursor::encode`], which is what PostgreSQL stores.
    pub at: Timestamp,
    /// The row's id, which orders rows of the same time.
    pub id: Uuid,
}

impl Cursor {
    /// The cursor as text for a URL: base64url of the time (microseconds since 1970, big-endian) and the id.
    pub fn encode(&self) -> String {
        let mut bytes = [0; BYTES];
        let (at, id) = bytes.split_at_mut(8);
        at.copy_from_slice(&self.at.as_microsecond().to_be_bytes());
        id.copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`Cursor::encode`] wrote; `None` for any other text, and for times before year 1.
    pub fn decode(text: &str) -> Option<Cursor> {
        let mut bytes = [0; BYTES + 2];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let (at, id) = bytes.get(..length)?.split_first_chunk::<8>()?;
        let at = Timestamp::from_microsecond(i64::from_be_bytes(*at)).ok()?;
        if at.as_microsecond() < EARLIEST {
            return None;
        }
        Some(Cursor { at, id: Uuid::from_slice(id).ok()? })
    }
}
