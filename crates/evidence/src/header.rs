use std::borrow::Cow;

use borsh::{BorshDeserialize, BorshSerialize};
use quivive_mail::RECEIVED_READ_MAX;
use quivive_mail::header::{self, Field};
use serde::{Deserialize, Serialize};

use crate::Octets;

/// How many octets of names and values of fields are kept of a header; what comes after them is
/// not, and [`Header::cut`] says so.
pub const HEADER_OCTETS_MAX: usize = 64 * 1024;

/// Of how many `Received` fields it is kept what they say: as many gateways may stand before us.
pub const RECEIVED_MAX: usize = 10;

/// The fields whose values methods read. Nothing else that a message says is kept of it.
const VALUES: &[&str] = &[
    "From",
    "Sender",
    "Reply-To",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Date",
    "Resent-Message-ID",
    "Resent-Reply-To",
];

/// Trace fields: where they stand tells one block of Resent fields from the next (RFC 5322 section
/// 3.6.6, RFC 4407 section 2). What they say is not kept.
const PLACES: &[&str] = &["Received", "Return-Path", "Delivered-To"];

/// The header of a message, as far as methods read it: its fields from the top.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize,
)]
pub struct Header {
    /// In the order in which they stand in the message.
    pub fields: Vec<HeaderField>,
    /// There were more of them than are kept: what is decided by the header is not certain.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// A line stands in it that is no field, without a colon or a name: mail servers end the header
    /// there, and others read on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub broken: bool,
    /// What the first [`RECEIVED_MAX`] `Received` fields say, from the top: where our own gateways
    /// are before us, they tell the client. Never written with the others.
    #[serde(skip)]
    #[borsh(skip)]
    pub received: Vec<Octets>,
}

/// A field that methods read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct HeaderField {
    /// As it was written; a malformed one that some readers may take for one of these names, too.
    pub name: String,
    /// What follows the colon, folding and all, without the line end at the end; empty for trace
    /// fields.
    pub value: Octets,
}

impl Header {
    /// Reads the header at the top of a message.
    pub fn read(message: &[u8]) -> Self {
        let mut read = Self::default();
        header::fields(message).for_each(|field| read.push(field));
        read
    }

    /// Adds the next field, if methods read such fields, and while there is room.
    pub fn push(&mut self, field: Field<'_>) {
        self.broken |= field.name().is_none();
        // A name with octets that some readers overlook is kept as it was written.
        let written = || {
            let hidden = VALUES.iter().any(|known| field.resembles(known));
            field.written_name().filter(|_| hidden).map(String::from_utf8_lossy)
        };
        let Some(name) = field.name().map(Cow::from).or_else(written) else { return };
        let is_one_of =
            |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(&name));
        let value = match (field.name().is_none() || is_one_of(VALUES), is_one_of(PLACES)) {
            (true, _) => field.value(),
            (false, true) => &[],
            (false, false) => return,
        };
        if self.cut || self.octets() + name.len() + value.len() > HEADER_OCTETS_MAX {
            self.cut = true;
            return;
        }
        if self.received.len() < RECEIVED_MAX && field.is("Received") {
            let said = field.value();
            self.received.push(said[..said.len().min(RECEIVED_READ_MAX)].into());
        }
        self.fields.push(HeaderField { name: name.into_owned(), value: value.into() });
    }

    /// The fields of this name, from the top; case does not matter.
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h HeaderField> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    fn octets(&self) -> usize {
        self.fields.iter().map(|field| field.name.len() + field.value.0.len()).sum()
    }
}

impl HeaderField {
    /// Whether the field has this name; case does not matter.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether a careless reader might take the name for this one: it is the same but for blanks,
    /// control characters and characters above ASCII.
    pub fn resembles(&self, name: &str) -> bool {
        let own = self.name.chars().filter(char::is_ascii_graphic);
        own.map(|c| c.to_ascii_lowercase()).eq(name.chars().map(|c| c.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_methods_read_is_kept() {
        let header = Header::read(
            b"Received: from a by b\r\nSubject: secret\r\nFROM: a@b.example,\r\n c@d.example\r\n\
              no colon\r\nResent-From : x@y.example\r\n\r\nSender: body@b.example\r\n",
        );
        let seen: Vec<_> = header.fields.iter().map(|field| (&*field.name, &field.value)).collect();
        assert_eq!(
            seen,
            [
                ("Received", &Octets::from("")),
                ("FROM", &Octets::from(" a@b.example,\r\n c@d.example")),
                ("Resent-From", &Octets::from(" x@y.example")),
            ]
        );
        assert_eq!((header.all("from").count(), header.all("Sender").count()), (1, 0));
        assert!(!header.cut);
    }

    #[test]
    fn hidden_names_are_kept() {
        let header = Header::read(
            b"F\0rom: a@b.example\r\nFr\xa0om: x\r\nFrom\r\n : c@d.example\r\nTo\0: x\r\n",
        );
        let names: Vec<_> = header.fields.iter().map(|field| &*field.name).collect();
        assert_eq!(names, ["F\0rom", "Fr\u{fffd}om", "From\r\n "]);
        assert!(header.fields.iter().all(|field| field.resembles("From") && !field.is("From")));
        assert_eq!(header.all("From").count(), 0);
    }

    #[test]
    fn what_gateways_before_us_say_is_not_written() {
        let header = Header::read("Received: from a by b\r\n".repeat(RECEIVED_MAX + 1).as_bytes());
        assert_eq!(header.received.len(), RECEIVED_MAX);
        assert_eq!(header.received[0], Octets::from(" from a by b"));
        let json = serde_json::to_string(&header).unwrap();
        assert!(!json.contains("from a"), "{json}");
        let long = format!("Received: {}\r\n", "x".repeat(2 * RECEIVED_READ_MAX));
        assert_eq!(Header::read(long.as_bytes()).received[0].0.len(), RECEIVED_READ_MAX);
    }

    #[test]
    fn a_header_is_bounded_and_says_what_is_missing() {
        let field = format!("From: {}@b.example\r\n", "a".repeat(1000));
        let header = Header::read(field.repeat(1000).as_bytes());
        assert!(header.octets() <= HEADER_OCTETS_MAX && header.octets() > HEADER_OCTETS_MAX - 2000);
        assert!(header.cut);
        let many_places = "Received: x\r\n".repeat(100_000);
        let header = Header::read(many_places.as_bytes());
        assert!(header.octets() <= HEADER_OCTETS_MAX && header.cut);
    }

    #[test]
    fn every_octet_comes_back_from_json() {
        let octets: Vec<u8> = (0..=255).filter(|octet| *octet != b'\n').collect();
        let mut header = Header::default();
        header.push(Field::new(&[b"From:", &octets[..], b"\r\n"].concat()));
        let json = serde_json::to_string(&header).unwrap();
        assert_eq!(serde_json::from_str::<Header>(&json).unwrap(), header, "{json}");
        assert_eq!(header.fields[0].value.0.len(), 255);
    }
}
