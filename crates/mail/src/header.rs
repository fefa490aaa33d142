//! A message header as fields, over the octets as they came (RFC 5322 section 2.2).
//!
//! A line ends with LF, with or without CR before it: where only CRLF is let in, the difference
//! does not arise. The header ends at the first empty line, or with the message. A line that
//! begins with a blank continues the field above it, also if nothing else is on it. A line without
//! a colon, or whose name is not printable ASCII, is kept as a field without a name; what follows
//! it is still header.

/// Octets of a field's name: it stands on one line (RFC 5322 section 2.1.1).
pub const NAME_MAX: usize = 998;
/// Octets of a field that are read to understand it. A longer field is passed on, but not read
/// beyond.
pub const READ_MAX: usize = 64 * 1024;

/// A header field: its lines, as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    raw: &'a [u8],
    colon: Option<usize>,
}

impl<'a> Field<'a> {
    /// A field from its lines; a line end at its end is part of it.
    pub fn new(raw: &'a [u8]) -> Self {
        Self { raw, colon: raw.iter().take(READ_MAX).position(|octet| *octet == b':') }
    }

    /// The name, as it was written. Blanks before the colon do not belong to it (RFC 5322 section
    /// 4.5.8). None if the field is malformed.
    pub fn name(&self) -> Option<&'a str> {
        let name = &self.raw[..self.colon?];
        let blanks = name.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        let name = &name[..name.len() - blanks];
        let well_formed =
            (1..=NAME_MAX).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic);
        std::str::from_utf8(name).ok().filter(|_| well_formed)
    }

    /// Whether the field has this name; case does not matter.
    pub fn is(&self, name: &str) -> bool {
        self.name().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether a careless reader might take the name for this one: it is the same but for blanks,
    /// control octets and octets above ASCII.
    pub fn resembles(&self, name: &str) -> bool {
        let Some(colon) = self.colon else { return false };
        let own = self.raw[..colon].iter().filter(|octet| octet.is_ascii_graphic());
        own.map(u8::to_ascii_lowercase).eq(name.bytes().map(|octet| octet.to_ascii_lowercase()))
    }

    /// What stands before the colon, whatever it is; none without a colon.
    pub fn written_name(&self) -> Option<&'a [u8]> {
        self.colon.map(|colon| &self.raw[..colon])
    }

    /// What follows the colon, folding and all, without the line end at the end.
    pub fn value(&self) -> &'a [u8] {
        let value = self.colon.map_or(&[][..], |colon| &self.raw[colon + 1..]);
        let value = value.strip_suffix(b"\n").unwrap_or(value);
        value.strip_suffix(b"\r").unwrap_or(value)
    }

    /// The field's lines.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }
}

/// The fields of a message, from the top. See the module for what ends them.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

/// The fields at the top of `message`.
pub fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

impl<'a> Fields<'a> {
    /// What has not been gone over: once the fields are through, the empty line and the body.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        if self.rest.is_empty() || is_empty_line(&self.rest[..line_length(self.rest)]) {
            return None;
        }
        let mut length = line_length(self.rest);
        while matches!(self.rest.get(length), Some(b' ' | b'\t')) {
            length += line_length(&self.rest[length..]);
        }
        let (field, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(Field::new(field))
    }
}

/// Whether the line, with its line end, is the one that ends a header.
pub fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

/// A field's value on one line: the line ends of its folding go, their blanks stay.
pub fn unfold(value: &str) -> String {
    value.replace("\r\n", "").replace('\n', "")
}

fn line_length(octets: &[u8]) -> usize {
    octets.iter().position(|octet| *octet == b'\n').map_or(octets.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(message: &[u8]) -> Vec<Option<&str>> {
        fields(message).map(|field| field.name()).collect()
    }

    #[test]
    fn fields_keep_their_folding() {
        let message = b"From: a\r\nTo: b,\r\n\tc\r\n \r\nSubject:\r\n\r\nbody: x\r\n";
        let mut fields = fields(message);
        assert_eq!(fields.next().unwrap().value(), b" a");
        let to = fields.next().unwrap();
        assert_eq!((to.name(), to.value()), (Some("To"), &b" b,\r\n\tc\r\n "[..]));
        assert_eq!(fields.next().unwrap().value(), b"");
        assert_eq!(fields.next(), None);
        assert_eq!(fields.rest(), b"\r\nbody: x\r\n");
    }

    #[test]
    fn malformed_lines_have_no_name_and_end_nothing() {
        let message =
            b" continued: x\r\nno colon\r\n more: y\r\n: empty\r\nA\0B: x\r\nTo: z\r\n\r\n";
        assert_eq!(names(message), [None, None, None, None, Some("To")]);
        let field = Field::new(b"Subject \t: x\r\n");
        assert_eq!((field.name(), field.is("SUBJECT")), (Some("Subject"), true));
    }

    #[test]
    fn a_header_may_end_with_the_message() {
        assert_eq!(names(b""), []);
        assert_eq!(names(b"\r\nTo: x\r\n"), []);
        assert_eq!(names(b"To: x"), [Some("To")]);
        assert_eq!(names(b"To: x\nCc: y\n\nBcc: z"), [Some("To"), Some("Cc")]);
    }

    #[test]
    fn names_are_bounded() {
        let name = "n".repeat(NAME_MAX);
        assert!(Field::new(format!("{name}: x").as_bytes()).name().is_some());
        assert!(Field::new(format!("{name}n: x").as_bytes()).name().is_none());
        let blanks = " ".repeat(READ_MAX);
        assert!(!Field::new(format!("To{blanks}: x").as_bytes()).resembles("To"));
    }

    #[test]
    fn careless_readers() {
        for raw in ["to:", "T\0o:", "To \r\n :", " T o :", "T\u{e9}o:"] {
            assert!(Field::new(raw.as_bytes()).resembles("To"), "{raw:?}");
        }
        assert!(!Field::new(b"X-To:").resembles("To"));
        assert!(!Field::new(b"To").resembles("To"));
    }

    proptest! {
        #[test]
        fn fields_and_rest_are_the_message(message in "([ A:\t]{0,3}(\r\n|\n|\r)?){0,12}") {
            let mut fields = fields(message.as_bytes());
            let mut whole = Vec::new();
            fields.by_ref().for_each(|field| whole.extend_from_slice(field.raw()));
            whole.extend_from_slice(fields.rest());
            prop_assert_eq!(whole, message.as_bytes());
        }

        #[test]
        fn no_octets_make_it_panic(message in proptest::collection::vec(any::<u8>(), 0..200)) {
            for field in fields(&message) {
                let _ = (field.name(), field.value(), field.resembles("To"));
            }
        }
    }
}
