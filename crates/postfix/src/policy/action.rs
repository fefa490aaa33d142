use std::io::Write;

use quivive_mail::EnhancedStatus;

/// How many octets the text of a refusal may have; what is longer is cut.
pub const TEXT_OCTETS_MAX: usize = 900;

/// How many octets a field may have, its name included. Postfix gives up on an answer beyond five
/// times its `line_length_limit`, 10240 octets.
pub const FIELD_OCTETS_MAX: usize = 8192;

/// What the mail server is to do (access(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// Nothing of ours stands against it: what is configured behind us decides.
    Dunno,
    /// A field on top of the message; else as [`Action::Dunno`]. Not at the end of the message. One
    /// that is too long is left out, for half of it would say something else.
    Prepend {
        /// What stands before the field's name.
        prefix: &'a str,
        /// The field's name.
        name: &'a str,
        /// Its value, which may be folded.
        value: &'a str,
    },
    /// Refused: for good with 5xx, for now with 4xx.
    Refuse {
        /// The reply code of RFC 5321: 4xx or 5xx.
        code: u16,
        /// The enhanced code of RFC 3463.
        enhanced: EnhancedStatus,
        /// One line for people.
        text: &'a str,
    },
    /// Refused for now, unless what is configured behind us refuses it for good. The reply code is
    /// the mail server's own.
    DeferIfPermit {
        /// The enhanced code of RFC 3463.
        enhanced: EnhancedStatus,
        /// One line for people.
        text: &'a str,
    },
}

impl Action<'_> {
    /// Appends the answer. Whatever its texts hold, it is one line and an empty one.
    pub fn write(&self, output: &mut Vec<u8>) {
        output.extend_from_slice(b"action=");
        match self {
            Self::Prepend { prefix, name, value }
                if prefix.len() + name.len() + 2 + value.len() <= FIELD_OCTETS_MAX =>
            {
                // A vector takes everything.
                let _ = write!(output, "PREPEND {prefix}{name}: ");
                write_line(value, output);
            }
            Self::Dunno | Self::Prepend { .. } => output.extend_from_slice(b"DUNNO"),
            Self::Refuse { code, enhanced, text } => {
                let _ = write!(output, "{code} {enhanced} ");
                write_line(cut(text), output);
            }
            Self::DeferIfPermit { enhanced, text } => {
                let _ = write!(output, "DEFER_IF_PERMIT {enhanced} ");
                write_line(cut(text), output);
            }
        }
        output.extend_from_slice(b"\n\n");
    }
}

/// Unfolds a text (RFC 5322 section 2.2.3); other control octets become blanks.
fn write_line(text: &str, output: &mut Vec<u8>) {
    let line = text.bytes().filter(|octet| !matches!(octet, b'\r' | b'\n'));
    output.extend(line.map(|octet| if octet.is_ascii_control() { b' ' } else { octet }));
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_OCTETS_MAX)]
}
