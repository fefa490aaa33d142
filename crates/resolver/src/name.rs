use std::sync::Arc;

/// The longest name on the wire, with the octet of the root label (RFC 1035 section 2.3.4).
pub(crate) const NAME_OCTETS_MAX: usize = 255;

/// The longest label (RFC 1035 section 2.3.4).
pub(crate) const LABEL_OCTETS_MAX: usize = 63;

/// A domain name as on the wire, uncompressed and in ASCII lower case.
#[derive(Clone, Copy)]
pub(crate) struct WireName {
    octets: [u8; NAME_OCTETS_MAX],
    len: u8,
}

impl WireName {
    /// The name in the form of `DnsQuestion::name`: raw labels joined by dots.
    ///
    /// None where that is no name: an empty label, or a label or a name that is too long.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() { Self::from_labels([]) } else { Self::from_labels(raw_labels(text)) }
    }

    /// The name of these labels, the root label left out.
    pub(crate) fn from_labels<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut octets = [0; NAME_OCTETS_MAX];
        let mut len = 0;
        for label in labels {
            if label.is_empty() || label.len() > LABEL_OCTETS_MAX {
                return None;
            }
            let end = len + 1 + label.len();
            if end >= NAME_OCTETS_MAX {
                return None;
            }
            octets[len] = label.len() as u8;
            octets[len + 1..end].copy_from_slice(label);
            octets[len + 1..end].make_ascii_lowercase();
            len = end;
        }
        Some(Self { octets, len: len as u8 + 1 })
    }

    /// The uncompressed name at the start of these octets, and what follows it.
    pub(crate) fn read(octets: &[u8]) -> Option<(Self, &[u8])> {
        let mut end = 0;
        while *octets.get(end)? != 0 {
            end += 1 + usize::from(octets[end]);
        }
        let name = Self::from_labels(Labels(&octets[..=end]))?;
        Some((name, &octets[end + 1..]))
    }

    /// The octets, with those of lengths and of the root label.
    pub(crate) fn as_octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }

    /// The labels, without the root label.
    pub(crate) fn labels(&self) -> Labels<'_> {
        Labels(self.as_octets())
    }

    /// The name, its parent, and so on up to the root.
    pub(crate) fn lineage(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Some(self.as_octets());
        std::iter::from_fn(move || {
            let name = rest?;
            rest = match name[0] {
                0 => None,
                length => Some(&name[1 + usize::from(length)..]),
            };
            Some(name)
        })
    }
}

/// The labels of an uncompressed name, without the root label.
pub(crate) struct Labels<'a>(&'a [u8]);

impl<'a> Labels<'a> {
    /// The labels of these octets, up to the root label.
    pub(crate) fn of(octets: &'a [u8]) -> Self {
        Self(octets)
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.0.split_first()?;
        if length == 0 {
            return None;
        }
        let (label, rest) = rest.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(label)
    }
}

/// The form of `DomainName` for the labels of a name.
///
/// A backslash is written `\092`, so that every backslash in the text begins an octet's number.
pub(crate) fn domain_name<'a>(labels: impl Iterator<Item = &'a [u8]>) -> Arc<str> {
    let mut text = String::with_capacity(64);
    for label in labels {
        if !text.is_empty() {
            text.push('.');
        }
        for octet in label {
            match octet {
                b'.' | b'\\' | 0..=b' ' | 0x7f.. => text.push_str(&decimal_escape(*octet)),
                octet => text.push(octet.to_ascii_lowercase().into()),
            }
        }
    }
    text.into()
}

/// An octet as `\DDD` (RFC 1035 section 5.1).
pub(crate) fn decimal_escape(octet: u8) -> String {
    format!("\\{octet:03}")
}

fn raw_labels(text: &str) -> impl Iterator<Item = &[u8]> {
    text.split('.').map(str::as_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(name: &WireName) -> Arc<str> {
        domain_name(name.labels())
    }

    #[test]
    fn names_take_their_wire_form() {
        let name = WireName::from_text("Mail.Example").unwrap();
        assert_eq!(name.as_octets(), b"\x04mail\x07example\0");
        assert_eq!(WireName::from_text("").unwrap().as_octets(), b"\0");
    }

    #[test]
    fn labels_and_names_have_their_lengths() {
        let longest_label = "a".repeat(LABEL_OCTETS_MAX);
        assert!(WireName::from_text(&longest_label).is_some());
        assert!(WireName::from_text(&format!("{longest_label}a")).is_none());
        let longest = [&longest_label[..], &longest_label, &longest_label, &longest_label[..61]];
        let longest = longest.join(".");
        assert_eq!(WireName::from_text(&longest).unwrap().as_octets().len(), NAME_OCTETS_MAX);
        assert!(WireName::from_text(&format!("{longest}a")).is_none());
        for empty_label in [".", "a..b", ".a", "a."] {
            assert!(WireName::from_text(empty_label).is_none(), "{empty_label}");
        }
    }

    #[test]
    fn text_escapes_what_it_cannot_hold() {
        let name = WireName::from_labels([&b"a.B\\"[..], b"\x00 \xff", b"c"]).unwrap();
        assert_eq!(&*text(&name), r"a\046b\092.\000\032\255.c");
    }

    #[test]
    fn lineage_ends_at_the_root() {
        let name = WireName::from_text("a.b").unwrap();
        let lineage: Vec<_> = name.lineage().collect();
        assert_eq!(lineage, [&b"\x01a\x01b\0"[..], b"\x01b\0", b"\0"]);
    }

    proptest! {
        #[test]
        fn plain_names_survive_the_wire(name in "[!-,/-@\\[\\]-~]{1,63}(\\.[!-,/-@\\[\\]-~]{1,63}){0,2}") {
            let wire = WireName::from_text(&name).unwrap();
            prop_assert_eq!(&*text(&wire), &name[..]);
            let (again, rest) = WireName::read(wire.as_octets()).unwrap();
            prop_assert_eq!(again.as_octets(), wire.as_octets());
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_octets_are_a_name_or_none(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Some((name, rest)) = WireName::read(&octets) {
                let read = &octets[..octets.len() - rest.len()];
                prop_assert!(read.eq_ignore_ascii_case(name.as_octets()));
            }
        }
    }
}
