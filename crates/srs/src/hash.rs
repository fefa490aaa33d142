//! The hashes of all dialects, and their comparison.

use data_encoding::{BASE64_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use crate::rules::{Alphabet, HASH_LENGTH_MAX};
use crate::secret::Secret;

/// Characters of a hash that Exim and OpenSMTPD write.
pub(crate) const SHORT_LENGTH: usize = 4;

/// Octets that are folded to lower case at a time.
const CHUNK: usize = 64;

/// A secret, ready to sign in every dialect.
#[derive(Clone)]
pub(crate) struct Key {
    hmac_sha1: Hmac<Sha1>,
    hmac_md5: Hmac<Md5>,
    sha1: Sha1,
}

impl Key {
    pub(crate) fn new(secret: &Secret) -> Self {
        let key = secret.key();
        Self {
            hmac_sha1: Hmac::new_from_slice(key).expect("HMAC takes keys of any length"),
            hmac_md5: Hmac::new_from_slice(key).expect("HMAC takes keys of any length"),
            sha1: Sha1::new_with_prefix(key),
        }
    }

    /// HMAC-SHA1 over the pieces in ASCII lower case, in base64 without padding.
    pub(crate) fn mail_srs(&self, pieces: &[&str]) -> [u8; HASH_LENGTH_MAX] {
        let mut mac = self.hmac_sha1.clone();
        fold(pieces, |octets| mac.update(octets));
        base64(&mac.finalize().into_bytes())
    }

    /// HMAC-MD5 over the pieces in ASCII lower case, in hexadecimal.
    pub(crate) fn exim(&self, pieces: &[&str]) -> [u8; SHORT_LENGTH] {
        let mut mac = self.hmac_md5.clone();
        fold(pieces, |octets| mac.update(octets));
        let mut digits = [0; SHORT_LENGTH];
        HEXLOWER.encode_mut(&mac.finalize().into_bytes()[..SHORT_LENGTH / 2], &mut digits);
        digits
    }

    /// SHA1 over the secret and the pieces, in base64.
    pub(crate) fn opensmtpd(&self, pieces: &[&str]) -> [u8; SHORT_LENGTH] {
        let mut hash = self.sha1.clone();
        pieces.iter().for_each(|piece| hash.update(piece));
        let digits = base64(&hash.finalize());
        digits[..SHORT_LENGTH].try_into().expect("there are more")
    }
}

fn base64(digest: &[u8]) -> [u8; HASH_LENGTH_MAX] {
    let mut digits = [0; HASH_LENGTH_MAX];
    BASE64_NOPAD.encode_mut(digest, &mut digits);
    digits
}

/// The pieces in ASCII lower case, chunk by chunk.
fn fold(pieces: &[&str], mut update: impl FnMut(&[u8])) {
    let mut chunk = [0; CHUNK];
    let mut filled = 0;
    for piece in pieces {
        let mut rest = piece.as_bytes();
        while !rest.is_empty() {
            let taken = rest.len().min(CHUNK - filled);
            let (now, later) = rest.split_at(taken);
            chunk[filled..filled + taken].copy_from_slice(now);
            chunk[filled..filled + taken].make_ascii_lowercase();
            (filled, rest) = (filled + taken, later);
            if filled == CHUNK {
                update(&chunk);
                filled = 0;
            }
        }
    }
    update(&chunk[..filled]);
}

/// Whether the digits given are the first of the hash, in time that tells nothing of them. Mail
/// systems smash case, and some alphabets have other last digits; how many were given is no secret.
pub(crate) fn begins_with(hash: &[u8], given: &str) -> bool {
    let Some(expected) = hash.get(..given.len()) else { return false };
    let differs = expected
        .iter()
        .zip(given.bytes())
        .fold(0, |differs, (expected, given)| differs | (folded(*expected) ^ folded(given)));
    bool::from(differs.ct_eq(&0))
}

/// A digit as all ways of writing it have it in common, without a branch.
fn folded(digit: u8) -> u8 {
    let is = |other: u8| digit.ct_eq(&other).unwrap_u8().wrapping_neg();
    let minus = is(b'-') & (b'-' ^ b'+');
    let underscore = is(b'_') & (b'_' ^ b'/');
    (digit ^ minus ^ underscore) | u8::from(digit.is_ascii_uppercase()) << 5
}

/// Writes a hash in another alphabet.
pub(crate) fn in_alphabet(
    mut hash: [u8; HASH_LENGTH_MAX],
    alphabet: Alphabet,
) -> [u8; HASH_LENGTH_MAX] {
    if alphabet == Alphabet::Url {
        for digit in &mut hash {
            match digit {
                b'+' => *digit = b'-',
                b'/' => *digit = b'_',
                _ => {}
            }
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new(&Secret::new(b"tops3cr3t").unwrap())
    }

    fn text(digits: &[u8]) -> &str {
        std::str::from_utf8(digits).unwrap()
    }

    #[test]
    fn hashes_of_the_dialects() {
        let hash = key().mail_srs(&["2W", "otherdomain.com", "test"]);
        assert_eq!(text(&hash), "vmyz7BwaV7BFsJiaZTJeJaQF2Ys");
        let exim = Key::new(&Secret::new(b"mysecret").unwrap());
        assert_eq!(text(&exim.exim(&["A_test_user@the.local.host.name"])), "605e");
    }

    #[test]
    fn pieces_are_one_text_in_lower_case() {
        let long = "Ab".repeat(CHUNK) + "C";
        let whole = key().mail_srs(&[&long]);
        assert_eq!(whole, key().mail_srs(&[&long.to_lowercase()]));
        for cut in 0..=long.len() {
            assert_eq!(key().mail_srs(&[&long[..cut], "", &long[cut..]]), whole);
        }
        assert_ne!(key().opensmtpd(&["ab"]), key().opensmtpd(&["aB"]));
    }

    #[test]
    fn every_way_to_write_a_hash() {
        let hash = *b"a+b/C3d4aaaaaaaaaaaaaaaaaaa";
        for given in ["a+b/C3", "A+B/c3", "a-b_C3", "a+b_c3", ""] {
            assert!(begins_with(&hash, given), "{given}");
        }
        for given in ["a+b/C4", "a=b/C3", "a\u{b}b/C3", "a+b?C3", "+ab/C3"] {
            assert!(!begins_with(&hash, given), "{given}");
        }
        assert!(begins_with(&hash, text(&hash)));
        assert!(!begins_with(&hash, &format!("{}a", text(&hash))));
        assert_eq!(text(&in_alphabet(hash, Alphabet::Url)), "a-b_C3d4aaaaaaaaaaaaaaaaaaa");
        assert_eq!(in_alphabet(hash, Alphabet::Classic), hash);
    }

    /// No two digits fold to the same but a letter's cases and the two alphabets' last digits.
    #[test]
    fn folding_joins_nothing_else() {
        for one in 0..=u8::MAX {
            for other in 0..one {
                let same = one.eq_ignore_ascii_case(&other)
                    || matches!((one, other), (b'-', b'+') | (b'_', b'/'));
                assert_eq!(folded(one) == folded(other), same, "{one} {other}");
            }
        }
    }
}
