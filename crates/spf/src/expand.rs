//! Macro expansion (RFC 7208 section 7).

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::IpAddr;

use arrayvec::ArrayString;

use crate::Request;
use crate::macro_string::{Delimiters, Item, Letter, Macro, MacroString};

/// How long an expanded text may grow; a record of macros alone could otherwise make megabytes of
/// a long local part. Longer text is cut from the left, as a name would be.
pub(crate) const EXPANDED_OCTETS_MAX: usize = 64 * 1024;

/// Room for the value of a macro: a local part and a domain (RFC 5321 section 4.5.3.1), or the
/// nibbles of an address. A longer value takes memory of its own.
const VALUE_OCTETS: usize = 320;

/// Expands `macros` for `domain` into `text`. `validated_name` is the value of `%{p}`, looked up
/// beforehand.
///
/// # Errors
/// There is no room for all of it.
pub(crate) fn expand(
    macros: MacroString<'_>,
    request: &Request<'_>,
    domain: &str,
    validated_name: &str,
    text: &mut impl Write,
) -> fmt::Result {
    for item in macros.items() {
        match item {
            Item::Literal(literal) => text.write_str(literal)?,
            Item::Escape('%') => text.write_char('%')?,
            Item::Escape('_') => text.write_char(' ')?,
            Item::Escape(_) => text.write_str("%20")?,
            Item::Macro(item) => {
                let mut buffer = ArrayString::new();
                let value = match item.letter {
                    Letter::ValidatedName => validated_name.into(),
                    letter => value(letter, request, domain, &mut buffer),
                };
                item.write(&value, text)?;
            }
        }
    }
    Ok(())
}

/// As [`expand`], with room for [`EXPANDED_OCTETS_MAX`].
pub(crate) fn expanded(
    macros: MacroString<'_>,
    request: &Request<'_>,
    domain: &str,
    validated_name: &str,
) -> String {
    let mut tail = Tail(String::new());
    expand(macros, request, domain, validated_name, &mut tail).expect("a tail takes all text");
    tail.cut();
    tail.0
}

/// The end of a text: what is too much is cut from the left.
struct Tail(String);

impl Write for Tail {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        // Not at every octet: cutting moves all the rest.
        if self.0.len() > 2 * EXPANDED_OCTETS_MAX {
            self.cut();
        }
        Ok(())
    }
}

impl Tail {
    fn cut(&mut self) {
        let mut start = self.0.len().saturating_sub(EXPANDED_OCTETS_MAX);
        while !self.0.is_char_boundary(start) {
            start += 1;
        }
        self.0.drain(..start);
    }
}

/// The value of every letter but `p` (RFC 7208 section 7.2).
fn value<'v>(
    letter: Letter,
    request: &'v Request<'_>,
    domain: &'v str,
    buffer: &'v mut ArrayString<VALUE_OCTETS>,
) -> Cow<'v, str> {
    let made = match letter {
        Letter::LocalPart => return request.local_part.into(),
        Letter::SenderDomain => return (&*request.sender_domain).into(),
        Letter::Domain => return domain.into(),
        Letter::ValidatedName => unreachable!("`p` needs look-ups, which are the caller's"),
        Letter::AddressFamily => {
            return match request.address {
                IpAddr::V4(_) => "in-addr".into(),
                IpAddr::V6(_) => "ip6".into(),
            };
        }
        Letter::Helo => return request.helo.into(),
        Letter::Receiver if request.receiver.is_empty() => return "unknown".into(),
        Letter::Receiver => return request.receiver.into(),
        Letter::Sender => write!(buffer, "{}@{}", request.local_part, request.sender_domain),
        Letter::Address => write_dotted(request.address, buffer),
        Letter::ReadableAddress => write!(buffer, "{}", request.address),
        Letter::Timestamp => write!(buffer, "{}", request.now),
    };
    match made {
        Ok(()) => buffer.as_str().into(),
        // Only a sender can be longer than the buffer.
        Err(fmt::Error) => format!("{}@{}", request.local_part, request.sender_domain).into(),
    }
}

/// `i`: dotted decimal, or 32 dotted nibbles.
fn write_dotted(address: IpAddr, text: &mut impl Write) -> fmt::Result {
    match address {
        IpAddr::V4(address) => {
            for (index, octet) in address.octets().into_iter().enumerate() {
                let dot = if index == 0 { "" } else { "." };
                text.write_str(dot)?;
                write_decimal(octet, text)?;
            }
            Ok(())
        }
        IpAddr::V6(address) => {
            for (index, octet) in address.octets().iter().enumerate() {
                let dot = if index == 0 { "" } else { "." };
                text.write_str(dot)?;
                text.write_char(nibble(octet >> 4))?;
                text.write_char('.')?;
                text.write_char(nibble(octet & 15))?;
            }
            Ok(())
        }
    }
}

/// As a number is formatted, which takes as long as all the rest of an expansion.
fn write_decimal(octet: u8, text: &mut impl Write) -> fmt::Result {
    let digit = |value: u8| char::from(b'0' + value % 10);
    if octet >= 100 {
        text.write_char(digit(octet / 100))?;
    }
    if octet >= 10 {
        text.write_char(digit(octet / 10))?;
    }
    text.write_char(digit(octet))
}

fn nibble(value: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(value)])
}

impl Macro {
    /// Applies the transformers (RFC 7208 section 7.3) and writes the result.
    fn write(&self, value: &str, text: &mut impl Write) -> fmt::Result {
        if self.keep.is_none() && !self.reverse && self.delimiters == Delimiters::DOT {
            return self.write_part(value, text);
        }
        let splits = |character| self.delimiters.contains(character);
        let count = value.split(splits).count();
        let skip = count - self.keep.unwrap_or(count).min(count);
        if self.reverse {
            self.write_parts(value.rsplit(splits).skip(skip), text)
        } else {
            self.write_parts(value.split(splits).skip(skip), text)
        }
    }

    fn write_parts<'p>(
        &self,
        parts: impl Iterator<Item = &'p str>,
        text: &mut impl Write,
    ) -> fmt::Result {
        for (index, part) in parts.enumerate() {
            if index > 0 {
                text.write_char('.')?;
            }
            self.write_part(part, text)?;
        }
        Ok(())
    }

    fn write_part(&self, part: &str, text: &mut impl Write) -> fmt::Result {
        if !self.escape {
            return text.write_str(part);
        }
        // RFC 7208 section 7.3: all but the unreserved characters of RFC 3986.
        for octet in part.bytes() {
            if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
                text.write_char(octet.into())?;
            } else {
                write!(text, "%{octet:02X}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(address: &str) -> Request<'static> {
        let sender = ("strong-bad", "email.example.com");
        let mut request = Request::of_sender(address.parse().unwrap(), sender, "mx.example.org");
        request.now = 1_700_000_000;
        request
    }

    fn expanded(text: &str, address: &str) -> String {
        let macros = MacroString::parse_explanation(text).unwrap();
        super::expanded(macros, &request(address), "email.example.com", "unknown")
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
    fn numbers_of_addresses_are_decimal() {
        for octet in 0..=255_u8 {
            let address = format!("{octet}.0.{octet}.{}", 255 - octet);
            assert_eq!(expanded("%{i}", &address), address);
        }
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
        let text = "%{L}".repeat(10_000);
        let macros = MacroString::parse(&text).unwrap();
        assert_eq!(super::expanded(macros, &request, "d", "p").len(), EXPANDED_OCTETS_MAX);
    }
}
