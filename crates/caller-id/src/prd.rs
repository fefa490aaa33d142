//! The purported responsible address as the draft has it (draft-atkinson-callerid-00 section 5.1).
//!
//! RFC 4407 defines another algorithm of the same name: it calls repeated fields and several
//! mailboxes ill-formed, where this one takes the first.

use quivive_evidence::{Header, HeaderField};
use quivive_mail::{Address, AddressList, Charset, Mailbox};

/// Who is responsible for a message, by its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responsible {
    /// Which field says so, as RFC 8601 names it: `header.resent-sender`.
    pub property: &'static str,
    /// The address.
    pub mailbox: Mailbox,
}

/// The address that a header holds responsible. None if no field names one, or the one that counts
/// is no list of addresses that begins with a mailbox.
pub fn responsible(header: &Header) -> Option<Responsible> {
    let (property, field) = chosen(header)?;
    Some(Responsible { property, mailbox: first_mailbox(field)? })
}

/// The author: the first mailbox of the first From.
pub(crate) fn author(header: &Header) -> Option<Mailbox> {
    first_mailbox(first(header, "From")?.1)
}

fn chosen(header: &Header) -> Option<(&'static str, &HeaderField)> {
    let sender = first(header, "Resent-Sender");
    let from = first(header, "Resent-From");
    match (sender, from) {
        // A later block: somebody resent the message once more, above the trace of the first time.
        (Some((sender, _)), Some((from, field)))
            if from < sender && has_trace(&header.fields[from..sender]) =>
        {
            Some(("header.resent-from", field))
        }
        (Some((_, field)), _) => Some(("header.resent-sender", field)),
        (None, Some((_, field))) => Some(("header.resent-from", field)),
        (None, None) => first(header, "Sender")
            .map(|(_, field)| ("header.sender", field))
            .or_else(|| first(header, "From").map(|(_, field)| ("header.from", field))),
    }
}

/// The first field of this name that is not empty, and its place.
fn first<'h>(header: &'h Header, name: &str) -> Option<(usize, &'h HeaderField)> {
    let mut fields = header.fields.iter().enumerate();
    fields.find(|(_, field)| {
        field.is(name) && field.value.0.iter().any(|octet| !octet.is_ascii_whitespace())
    })
}

fn has_trace(fields: &[HeaderField]) -> bool {
    fields.iter().any(|field| field.is("Received") || field.is("Return-Path"))
}

fn first_mailbox(field: &HeaderField) -> Option<Mailbox> {
    let list = AddressList::parse(&field.value.0, Charset::Utf8).ok()?;
    match list.addresses.into_iter().next()? {
        Address::Mailbox(named) => Some(named.mailbox),
        Address::Group { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prd(header: &str) -> Option<(&'static str, String)> {
        let found = responsible(&Header::read(header.as_bytes()))?;
        Some((found.property, found.mailbox.to_string()))
    }

    #[track_caller]
    fn is(header: &str, property: &str, mailbox: &str) {
        let found = prd(header);
        let found = found.as_ref().map(|(property, mailbox)| (*property, &**mailbox));
        assert_eq!(found, Some((property, mailbox)), "{header}");
    }

    /// Sheet caller-id.md, section 7.
    #[test]
    fn section_7_prd() {
        is(
            "Resent-From: asrg@ietf.org\nSender: adam@consolidatedmessenger.com\n",
            "header.resent-from",
            "asrg@ietf.org",
        );
        is(
            "From: adam@example.com\nSender: adam@consolidatedmessenger.com\n",
            "header.sender",
            "adam@consolidatedmessenger.com",
        );
        is(
            "Resent-From: bob@forwarderexample.com\nReceived: x\nFrom: adam@example.com\n\
             Sender: adam@consolidatedmessenger.com\n",
            "header.resent-from",
            "bob@forwarderexample.com",
        );
    }

    /// Where it differs from RFC 4407.
    #[test]
    fn section_3_2_first_mailboxes() {
        is("From: a@x.test, b@x.test\n", "header.from", "a@x.test");
        is("From: a@x.test\nFrom: b@y.test\n", "header.from", "a@x.test");
        is("Resent-From: r@f.test, t@f.test\nFrom: a@x.test\n", "header.resent-from", "r@f.test");
        is("Sender: s@y.test\nSender: t@z.test\n", "header.sender", "s@y.test");
    }

    #[test]
    fn section_3_2_blocks() {
        is("Resent-Sender: q@f.test\nResent-From: r@f.test\n", "header.resent-sender", "q@f.test");
        is("Resent-From: r@f.test\nResent-Sender: q@f.test\n", "header.resent-sender", "q@f.test");
        is(
            "Resent-From: r@f.test\nReceived: x\nResent-Sender: q@g.test\nResent-From: p@g.test\n",
            "header.resent-from",
            "r@f.test",
        );
        is(
            "Resent-From: r@f.test\nReturn-Path: <x>\nResent-Sender: q@g.test\n",
            "header.resent-from",
            "r@f.test",
        );
        is(
            "Received: x\nResent-Sender: q@f.test\nReceived: y\nResent-From: r@f.test\n",
            "header.resent-sender",
            "q@f.test",
        );
        is("Sender:  \r\n\t\r\nFrom: a@x.test\n", "header.from", "a@x.test");
    }

    #[test]
    fn headers_without_one() {
        for header in [
            "",
            "Subject: x\n",
            "From:\n",
            "From: nobody\n",
            "From: group: a@x.test;\n",
            "Sender: <a@x.test\nFrom: a@x.test\n",
        ] {
            assert_eq!(prd(header), None, "{header}");
        }
    }
}
