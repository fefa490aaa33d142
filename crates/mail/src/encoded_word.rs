//! Encoded-words (RFC 2047): what a reader shows of a display name.

use data_encoding::BASE64_NOPAD;

/// Octets of a text that is decoded; a longer one is shown as it is.
pub const DECODED_MAX: usize = 16 * 1024;

/// The text with its encoded-words decoded, as readers do it: those in UTF-8, ASCII and the Latin
/// alphabet of the West. Others, and what is malformed, stay as they are. Never to be written back
/// into a field: it may hold any character.
pub fn decoded(text: &str) -> String {
    if text.len() > DECODED_MAX || !text.contains("=?") {
        return text.to_owned();
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, from_word) = rest.split_at(start);
        // RFC 2047 section 6.2: blanks between two encoded-words are not shown.
        if !(after_word && before.chars().all(char::is_whitespace)) {
            decoded.push_str(before);
        }
        match word(from_word) {
            Some((shown, length)) => {
                decoded.push_str(&shown);
                rest = &from_word[length..];
                after_word = true;
            }
            None => {
                decoded.push_str("=?");
                rest = &from_word[2..];
                after_word = false;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// What an encoded-word at the start of a text shows, and how long it is.
fn word(text: &str) -> Option<(String, usize)> {
    let mut parts = text.get(2..)?.splitn(4, '?');
    let (charset, encoding, content) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next()?.strip_prefix('=')?;
    if content.contains(char::is_whitespace) {
        return None;
    }
    let octets = match encoding {
        "B" | "b" => BASE64_NOPAD.decode(content.trim_end_matches('=').as_bytes()).ok()?,
        "Q" | "q" => quoted_printable(content)?,
        _ => return None,
    };
    // A language may stand behind the charset (RFC 2231 section 5).
    let charset = charset.split('*').next()?.to_ascii_lowercase();
    let shown = match &*charset {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => String::from_utf8_lossy(&octets).into_owned(),
        "iso-8859-1" | "iso-8859-15" | "latin1" | "windows-1252" => {
            octets.iter().copied().map(char::from).collect()
        }
        _ => return None,
    };
    let length = "=?????=".len() - 1 + charset_length(text) + encoding.len() + content.len();
    Some((shown, length))
}

/// Octets of the charset as it is written.
fn charset_length(text: &str) -> usize {
    text[2..].find('?').unwrap_or(0)
}

fn quoted_printable(content: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(content.len());
    let mut input = content.bytes();
    while let Some(octet) = input.next() {
        octets.push(match octet {
            b'_' => b' ',
            b'=' => {
                let digits = [input.next()?, input.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            octet => octet,
        });
    }
    Some(octets)
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
            ("=?koi8-r?q?x?=", "=?koi8-r?q?x?="),
            ("=?utf-8?x?y?=", "=?utf-8?x?y?="),
            ("=?utf-8?q?a=4?=", "=?utf-8?q?a=4?="),
            ("=?utf-8?q?a b?=", "=?utf-8?q?a b?="),
            ("=?utf-8?q?a", "=?utf-8?q?a"),
            ("=?=?utf-8?q?a?=", "=?a"),
        ] {
            assert_eq!(decoded(text), shown, "{text}");
        }
    }

    #[test]
    fn long_texts_stay_as_they_are() {
        let text = format!("=?utf-8?q?a?={}", " ".repeat(DECODED_MAX));
        assert_eq!(decoded(&text), text);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(=\\?|\\?=|\\?|utf-8|q|b|[a-f=_ ö]){0,20}") {
            decoded(&text);
        }
    }
}
