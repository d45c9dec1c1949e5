//! Comparing secrets.

use sha2::{Digest, Sha256};

/// Whether two secrets are the same, in a time that says nothing about where they differ.
///
/// Both sides are hashed first, so neither the position of a difference nor a secret's bytes steer the comparison.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (Sha256::digest(a), Sha256::digest(b));
    let differing = a.iter().zip(&b).fold(0u8, |bits, (x, y)| bits | (x ^ y));
    std::hint::black_box(differing) == 0
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn equal_only_when_every_byte_is() {
        let secret = *b"0123456789abcdef0123456789abcdef";
        assert!(equal(&secret, &secret));
        assert!(equal(b"", b""));
        assert!(!equal(&secret, &secret[..31]));
        assert!(!equal(b"", b"\0"));
        for at in 0..secret.len() * 8 {
            let mut other = secret;
            other[at / 8] ^= 1 << (at % 8);
            assert!(!equal(&secret, &other), "bit {at}");
        }
    }
}
