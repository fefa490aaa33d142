//! Macro expansion (RFC 7208 section 7).

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;

use crate::Request;
use crate::macro_string::{Item, Letter, Macro, MacroString};

/// How long an expanded text may grow; a record of macros alone could otherwise make megabytes of
/// a long local part. Longer text is cut from the left, as a name would be.
pub(crate) const EXPANDED_OCTETS_MAX: usize = 64 * 1024;

/// Expands `macros` for `domain`. `validated_name` is the value of `%{p}`, looked up beforehand.
pub(crate) fn expand(
    macros: &MacroString,
    request: &Request<'_>,
    domain: &str,
    validated_name: &str,
) -> String {
    let mut text = String::new();
    for item in &macros.items {
        match item {
            Item::Literal(literal) => text.push_str(literal),
            Item::Macro(item) => {
                let value = match item.letter {
                    Letter::ValidatedName => validated_name.into(),
                    letter => value(letter, request, domain),
                };
                item.append(&value, &mut text);
            }
        }
        if text.len() > EXPANDED_OCTETS_MAX {
            let mut start = text.len() - EXPANDED_OCTETS_MAX;
            while !text.is_char_boundary(start) {
                start += 1;
            }
            text.drain(..start);
        }
    }
    text
}

/// The value of every letter but `p` (RFC 7208 section 7.2).
fn value<'v>(letter: Letter, request: &'v Request<'_>, domain: &'v str) -> Cow<'v, str> {
    match letter {
        Letter::Sender => format!("{}@{}", request.local_part, request.sender_domain).into(),
        Letter::LocalPart => request.local_part.into(),
        Letter::SenderDomain => (&*request.sender_domain).into(),
        Letter::Domain => domain.into(),
        Letter::Address => dotted_address(request.address).into(),
        Letter::ValidatedName => unreachable!("`p` needs look-ups, which are the caller's"),
        Letter::AddressFamily => match request.address {
            IpAddr::V4(_) => "in-addr".into(),
            IpAddr::V6(_) => "ip6".into(),
        },
        Letter::Helo => request.helo.into(),
        Letter::ReadableAddress => request.address.to_string().into(),
        Letter::Receiver if request.receiver.is_empty() => "unknown".into(),
        Letter::Receiver => request.receiver.into(),
        Letter::Timestamp => request.now.to_string().into(),
    }
}

/// `i`: dotted decimal, or 32 dotted nibbles.
fn dotted_address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let mut text = String::with_capacity(63);
            for (index, octet) in address.octets().iter().enumerate() {
                let dot = if index == 0 { "" } else { "." };
                let (high, low) = (octet >> 4, octet & 15);
                write!(text, "{dot}{high:X}.{low:X}").expect("a String takes all text");
            }
            text
        }
    }
}

impl Macro {
    /// Applies the transformers (RFC 7208 section 7.3) and appends the result.
    fn append(&self, value: &str, text: &mut String) {
        let plain = self.keep.is_none() && !self.reverse && !self.splits_otherwise();
        if plain {
            return self.append_part(value, text);
        }
        let mut parts: Vec<&str> =
            value.split(|character| self.delimiters.contains(character)).collect();
        if self.reverse {
            parts.reverse();
        }
        let skip = parts.len() - self.keep.unwrap_or(parts.len()).min(parts.len());
        for (index, part) in parts[skip..].iter().enumerate() {
            if index > 0 {
                text.push('.');
            }
            self.append_part(part, text);
        }
    }

    /// Whether the delimiters differ from the dot that parts are joined with again.
    fn splits_otherwise(&self) -> bool {
        "-+,/_=".chars().any(|character| self.delimiters.contains(character))
    }

    fn append_part(&self, part: &str, text: &mut String) {
        if !self.escape {
            return text.push_str(part);
        }
        // RFC 7208 section 7.3: all but the unreserved characters of RFC 3986.
        for octet in part.bytes() {
            if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
                text.push(octet.into());
            } else {
                write!(text, "%{octet:02X}").expect("a String takes all text");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;

    fn request(address: &str) -> Request<'static> {
        Request {
            address: address.parse().unwrap(),
            domain: "email.example.com".to_owned(),
            local_part: "strong-bad",
            sender_domain: "email.example.com".into(),
            helo: "mx.example.org",
            receiver: "",
            now: 1_700_000_000,
            scope: Scope::Spf,
        }
    }

    fn expanded(text: &str, address: &str) -> String {
        let macros = MacroString::parse_explanation(text).unwrap();
        expand(&macros, &request(address), "email.example.com", "unknown")
    }

    /// The examples of RFC 7208 section 7.4.
    #[test]
    fn the_rfcs_examples() {
        let vectors = [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d3}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"),
            ("%{lr}", "strong-bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
            ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
            ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ];
        for (text, value) in vectors {
            assert_eq!(expanded(text, "192.0.2.3"), value, "{text}");
        }
        assert_eq!(
            expanded("%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01"),
            "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com"
        );
    }

    #[test]
    fn explanations_have_more_letters() {
        assert_eq!(
            expanded("%{c} %{r} %{t} %{S}", "2001:db8::cb01"),
            "2001:db8::cb01 unknown 1700000000 strong-bad%40email.example.com"
        );
    }

    #[test]
    fn text_does_not_grow_without_bound() {
        let long = "l".repeat(1000);
        let mut request = request("192.0.2.3");
        request.local_part = &long;
        let macros = MacroString::parse(&"%{L}".repeat(10_000)).unwrap();
        assert_eq!(expand(&macros, &request, "d", "p").len(), EXPANDED_OCTETS_MAX);
    }
}
