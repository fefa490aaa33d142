//! Encoded-words (RFC 2047): what a reader shows of a display name.

use data_encoding::BASE64_NOPAD;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// Octets of a text that is decoded; a longer one is shown as it is.
pub const DECODED_MAX: usize = 16 * 1024;

/// The text with its encoded-words decoded, as lenient readers do it: blanks in them and octets
/// that are none of the encoding are no hindrance. Words in a charset that is not known stay as
/// they are. Never to be written back into a field: it may hold any character.
pub fn decoded(text: &str) -> String {
    read(text).0
}

/// Whether [`decoded`] shows what readers show. A charset that is not known, and those that no
/// header may be in (UTF-7, UTF-16 and their like), may show anything.
pub fn is_readable(text: &str) -> bool {
    read(text).1
}

/// What is shown, and whether all of it could be read.
fn read(text: &str) -> (String, bool) {
    if text.len() > DECODED_MAX || !text.contains("=?") {
        return (text.to_owned(), text.len() <= DECODED_MAX);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut is_whole = true;
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, from_word) = rest.split_at(start);
        // RFC 2047 section 6.2: blanks between two encoded-words are not shown.
        if !(after_word && before.chars().all(char::is_whitespace)) {
            decoded.push_str(before);
        }
        let word = Word::at(from_word);
        is_whole &= word.as_ref().is_none_or(|word| word.shown.is_some());
        match word {
            Some(Word { shown: Some(shown), length }) => {
                decoded.push_str(&shown);
                rest = &from_word[length..];
                after_word = true;
            }
            _ => {
                decoded.push_str("=?");
                rest = &from_word[2..];
                after_word = false;
            }
        }
    }
    decoded.push_str(rest);
    (decoded, is_whole)
}

/// An encoded-word.
struct Word {
    /// None where its charset is not known.
    shown: Option<String>,
    /// How long it is, in octets.
    length: usize,
}

impl Word {
    /// The one at the start of a text.
    fn at(text: &str) -> Option<Self> {
        let mut parts = text.get(2..)?.splitn(4, '?');
        let (charset, encoding, content) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next()?.strip_prefix('=')?;
        let octets = match encoding {
            "B" | "b" => base64(content),
            "Q" | "q" => quoted_printable(content),
            _ => return None,
        };
        let length = "=?????=".len() - 1 + charset_length(text) + encoding.len() + content.len();
        // A language may stand behind the charset (RFC 2231 section 5).
        let shown = in_charset(charset.split('*').next()?, &octets);
        Some(Self { shown, length })
    }
}

fn in_charset(charset: &str, octets: &[u8]) -> Option<String> {
    let encoding = Encoding::for_label_no_replacement(charset.as_bytes())?;
    // Which octet comes first is each reader's guess.
    if encoding == UTF_16LE || encoding == UTF_16BE {
        return None;
    }
    let (shown, _) = encoding.decode_without_bom_handling(octets);
    Some(shown.into_owned())
}

/// Octets of the charset as it is written.
fn charset_length(text: &str) -> usize {
    text[2..].find('?').unwrap_or(0)
}

/// What is no letter of the alphabet is passed over; so are bits that make up no octet.
fn base64(content: &str) -> Vec<u8> {
    let is_letter = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    let mut letters: Vec<u8> = content.bytes().filter(is_letter).collect();
    let octets = letters.len() * 3 / 4;
    letters.resize(letters.len().next_multiple_of(4), b'A');
    let mut decoded = BASE64_NOPAD.decode(&letters).unwrap_or_default();
    decoded.truncate(octets);
    decoded
}

/// An equals sign without two digits stands for itself.
fn quoted_printable(content: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(content.len());
    let mut rest = content.as_bytes();
    while let [octet, after @ ..] = rest {
        rest = after;
        let digits = after.get(..2).filter(|_| *octet == b'=');
        let digits = digits.and_then(|digits| str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                octets.push(decoded);
                rest = &after[2..];
            }
            None => octets.push(if *octet == b'_' { b' ' } else { *octet }),
        }
    }
    octets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_readers_show() {
        for (text, shown) in [
            ("plain", "plain"),
            ("=?utf-8?q?J=C3=B6rg?=", "J\u{f6}rg"),
            ("=?UTF-8*de?B?SsO2cmc=?= x", "J\u{f6}rg x"),
            ("=?iso-8859-1?Q?J=F6rg_M?=", "J\u{f6}rg M"),
            ("=?utf-8?q?bob=40e?= =?utf-8?q?.test?=", "bob@e.test"),
            ("a =?utf-8?q?b?= c =?utf-8?q?d?=", "a b c d"),
            ("=?utf-8?b?YQ?=", "a"),
            ("=?koi8-r?q?=C2=CF=D3=D3?=", "\u{431}\u{43e}\u{441}\u{441}"),
            ("=?iso-2022-jp?b?GyRCJCIbKEI=?=", "\u{3042}"),
            ("=?utf-7?q?b+AEA-e?=", "=?utf-7?q?b+AEA-e?="),
            ("=?utf-16?b?AEA=?=", "=?utf-16?b?AEA=?="),
            ("=?utf-8?x?y?=", "=?utf-8?x?y?="),
            ("=?utf-8?q?a=4?=", "a=4"),
            ("=?utf-8?q?a b?=", "a b"),
            ("=?utf-8?b?Ym9i QGUu*dGVzdB==?=", "bob@e.test"),
            ("=?utf-8?q?a", "=?utf-8?q?a"),
            ("=?=?utf-8?q?a?=", "=?a"),
        ] {
            assert_eq!(decoded(text), shown, "{text}");
        }
    }

    #[test]
    fn what_nobody_can_vouch_for() {
        for text in
            ["plain", "=?utf-8?q?a?=", "=?gb2312?b?sKE=?=", "=?what? really?=", "=?utf-8?x?y?="]
        {
            assert!(is_readable(text), "{text}");
        }
        for text in [
            "=?utf-7?q?b+AEA-e?=",
            "=?UTF-16LE?b?QAA=?=",
            "=?utf-32?b?AAAAQA==?=",
            "=?unknown?q?a?=",
            "=?iso-2022-kr?q?a?=",
            "a =?utf-8?q?b?= =?x-mine?B?YQ?=",
        ] {
            assert!(!is_readable(text), "{text}");
        }
    }

    #[test]
    fn long_texts_stay_as_they_are() {
        let text = format!("=?utf-8?q?a?={}", " ".repeat(DECODED_MAX));
        assert_eq!(decoded(&text), text);
        assert!(!is_readable(&text));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(=\\?|\\?=|\\?|utf-8|q|b|[a-f=_ ö]){0,20}") {
            is_readable(&decoded(&text));
        }
    }
}
