//! The Purported Responsible Address (RFC 4407 section 2).
//!
//! Caller ID has an algorithm of the same name, which takes the first where this one calls the
//! message ill-formed.

use quivive_evidence::{Header, HeaderField};
use quivive_mail::{AddressList, Charset, MailDomain, Mailbox};

/// The address that a message's header holds responsible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pra {
    /// Which field says so, as RFC 8601 names it: `header.resent-sender`.
    pub property: &'static str,
    /// The address. Its domain is a name.
    pub mailbox: Mailbox,
}

/// The Purported Responsible Address of a header. None where the algorithm calls the message
/// ill-formed, or its address has no domain name.
pub fn pra(header: &Header) -> Option<Pra> {
    let (property, field) = select(header)?;
    // Step 5. No other field is tried where this one is malformed: two readers must never come to
    // different addresses.
    let list = AddressList::parse(&field.value.0, Charset::Utf8).ok()?;
    let mailbox = list.sole_mailbox()?.mailbox.clone();
    matches!(mailbox.domain(), MailDomain::Name(_)).then_some(Pra { property, mailbox })
}

/// Steps 1 to 4: the field that counts.
fn select(header: &Header) -> Option<(&'static str, &HeaderField)> {
    let resent_sender = non_empty(header, "Resent-Sender").next();
    let resent_from = non_empty(header, "Resent-From").next();
    match (resent_sender, resent_from) {
        // Step 1: a Resent-From above it, with trace fields between them, is of a later block.
        (Some((sender, _)), Some((from, field)))
            if from < sender && has_trace(&header.fields[from..sender]) =>
        {
            return Some(("header.resent-from", field));
        }
        (Some((_, field)), _) => return Some(("header.resent-sender", field)),
        // Step 2.
        (None, Some((_, field))) => return Some(("header.resent-from", field)),
        (None, None) => {}
    }
    // Step 3.
    let mut senders = non_empty(header, "Sender");
    match (senders.next(), senders.next()) {
        (Some((_, field)), None) => return Some(("header.sender", field)),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    // Step 4.
    let mut authors = non_empty(header, "From");
    match (authors.next(), authors.next()) {
        (Some((_, field)), None) => Some(("header.from", field)),
        _ => None,
    }
}

/// The fields of this name that hold more than white space, with their places.
fn non_empty<'h>(
    header: &'h Header,
    name: &'h str,
) -> impl Iterator<Item = (usize, &'h HeaderField)> {
    header.fields.iter().enumerate().filter(move |(_, field)| {
        field.is(name) && field.value.0.iter().any(|octet| !octet.is_ascii_whitespace())
    })
}

fn has_trace(fields: &[HeaderField]) -> bool {
    fields.iter().any(|field| field.is("Received") || field.is("Return-Path"))
}

/// Whether two addresses are one: domains without regard to case and as A-labels, local parts
/// exactly.
pub fn same_address(one: &Mailbox, other: &Mailbox) -> bool {
    one.local_part() == other.local_part() && one.domain().to_ascii() == other.domain().to_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Option<String> {
        pra(&Header::read(header.as_bytes())).map(|pra| pra.mailbox.to_string())
    }

    /// The table of the sheet sender-id.md, section 10.
    #[test]
    fn section_10_headers() {
        for (header, expected) in [
            ("From: a@x\n", Some("a@x")),
            ("Sender: s@y\nFrom: a@x, b@x\n", Some("s@y")),
            ("From: a@x, b@x\n", None),
            ("Sender: s@y\nSender: t@z\nFrom: a@x\n", None),
            ("Sender:   \nFrom: a@x\n", Some("a@x")),
            ("Resent-From: r@f\nReceived: ..\nFrom: a@x\n", Some("r@f")),
            ("Resent-Sender: q@f\nResent-From: r@f\nReceived: ..\n", Some("q@f")),
            ("Resent-From: r@f\nResent-Sender: q@f\n", Some("q@f")),
            ("Resent-From: r@f\nReceived: ..\nResent-Sender: q@g\nResent-From: p@g\n", Some("r@f")),
            ("Resent-From: r@f, t@f\nFrom: a@x\n", None),
            ("From: a@x\nFrom: b@y\n", None),
        ] {
            assert_eq!(of(header).as_deref(), expected, "{header}");
        }
    }

    /// Sheet sender-id.md, section 4: edge cases.
    #[test]
    fn section_4_edges() {
        for (header, expected) in [
            ("", None),
            ("From: group: a@x.test;\n", None),
            ("From: a@[192.0.2.1]\n", None),
            ("From: \"x, y\" (c) <\"a b\"@x.test>\n", Some("\"a b\"@x.test")),
            ("From: <@r.test,@s.test:a@x.test>\n", Some("a@x.test")),
            ("From: =?utf-8?q?a=40b?=\r\n\t<a@x.test>\n", Some("a@x.test")),
            ("From: J\u{f6} <j\u{f6}@b\u{fc}cher.test>\n", Some("j\u{f6}@b\u{fc}cher.test")),
            ("Resent-Sender: q@f.test, r@f.test\nFrom: a@x.test\n", None),
            ("Resent-Sender: q@f.test\nResent-Sender: r@f.test\n", Some("q@f.test")),
            ("Resent-Sender: \t\nResent-From: r@f.test\n", Some("r@f.test")),
            ("Sender: <s@y.test\nFrom: a@x.test\n", None),
            ("Resent-From: \nReceived: x\nResent-Sender: q@g.test\n", Some("q@g.test")),
        ] {
            assert_eq!(of(header).as_deref(), expected, "{header}");
        }
        let ten = "From: a@x.test\n".repeat(10);
        assert_eq!(of(&ten), None);
        assert_eq!(of(&format!("Sender: s@y.test\n{ten}")).as_deref(), Some("s@y.test"));
        assert_eq!(pra(&Header::read(b"From: \xff <a@x.test>\n")), None);
    }

    #[test]
    fn addresses_are_compared() {
        let same = |one: &str, other: &str| {
            let read = |text: &str| Mailbox::parse(text.as_bytes(), Charset::Utf8).unwrap();
            same_address(&read(one), &read(other))
        };
        assert!(same("a@X.test", "a@x.TEST"));
        assert!(same("\"a\"@x.test", "a@x.test"));
        assert!(same("a@b\u{fc}cher.test", "a@xn--bcher-kva.test"));
        assert!(!same("A@x.test", "a@x.test"));
        assert!(!same("a@x.test", "a@y.test"));
    }
}
