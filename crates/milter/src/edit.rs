use std::borrow::Cow;

use crate::{Actions, packet};

/// How many octets of a body go into one packet.
pub const BODY_CHUNK_OCTETS_MAX: usize = 65_535;

/// A change of a message, at its end. Values of fields have no blank after the colon and no line
/// end at their end; lines in them are parted by LF or CRLF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit<'a> {
    /// A field at the bottom of the header.
    AddField {
        /// Its name.
        name: &'a str,
        /// Its value.
        value: &'a str,
    },
    /// A field at a place counted from the top: 0 is above everything, the MTA's own `Received`
    /// included.
    InsertField {
        /// The place.
        index: u32,
        /// Its name.
        name: &'a str,
        /// Its value.
        value: &'a str,
    },
    /// Another value for a field.
    ChangeField {
        /// The first of that name has 1.
        position: u32,
        /// Its name, as it came; case does not matter.
        name: &'a [u8],
        /// The new value; not empty, which would delete it.
        value: &'a str,
    },
    /// A field goes. Of several of a name the last must go first: MTAs differ in whether one that
    /// is gone still counts.
    DeleteField {
        /// The first of that name has 1.
        position: u32,
        /// Its name, as it came; case does not matter.
        name: &'a [u8],
    },
    /// Another envelope sender.
    ChangeSender {
        /// The reverse-path, without angle brackets.
        reverse_path: &'a str,
        /// ESMTP parameters, parted by blanks; empty: none.
        parameters: &'a str,
    },
    /// A further recipient.
    AddRecipient {
        /// The forward-path, without angle brackets.
        forward_path: &'a str,
        /// ESMTP parameters, parted by blanks; empty: none.
        parameters: &'a str,
    },
    /// A recipient goes.
    DeleteRecipient {
        /// As it came with RCPT, angle brackets included.
        path: &'a [u8],
    },
    /// Another body; the first of several edits replaces it, the others continue it. Lines end with
    /// CRLF.
    ReplaceBody(&'a [u8]),
    /// The message is taken, and kept back by the MTA.
    Quarantine {
        /// Why, for the operator.
        reason: &'a str,
    },
}

impl Edit<'_> {
    /// What must have been agreed for it.
    pub fn action(&self) -> Actions {
        match self {
            Self::AddField { .. } | Self::InsertField { .. } => Actions::ADD_HEADERS,
            Self::ChangeField { .. } | Self::DeleteField { .. } => Actions::CHANGE_HEADERS,
            Self::ChangeSender { .. } => Actions::CHANGE_SENDER,
            Self::AddRecipient { parameters: "", .. } => Actions::ADD_RECIPIENTS,
            Self::AddRecipient { .. } => Actions::ADD_RECIPIENTS_WITH_PARAMETERS,
            Self::DeleteRecipient { .. } => Actions::DELETE_RECIPIENTS,
            Self::ReplaceBody(_) => Actions::CHANGE_BODY,
            Self::Quarantine { .. } => Actions::QUARANTINE,
        }
    }

    /// Appends the change. `blank`: values of fields are to have the blank after their colon.
    pub(crate) fn write(&self, blank: bool, output: &mut Vec<u8>) {
        let blank: &[u8] = if blank { b" " } else { b"" };
        match *self {
            Self::AddField { name, value } => {
                strings(output, b'h', &[], &[&[name.as_bytes()], &[blank, &lines(value)]]);
            }
            Self::InsertField { index, name, value } => {
                let index = index.to_be_bytes();
                strings(output, b'i', &index, &[&[name.as_bytes()], &[blank, &lines(value)]]);
            }
            Self::ChangeField { position, name, value } => {
                let position = position.to_be_bytes();
                strings(output, b'm', &position, &[&[name], &[blank, &lines(value)]]);
            }
            Self::DeleteField { position, name } => {
                strings(output, b'm', &position.to_be_bytes(), &[&[name], &[]]);
            }
            Self::ChangeSender { reverse_path, parameters } => {
                path(output, b'e', reverse_path, parameters);
            }
            Self::AddRecipient { forward_path, parameters: "" } => {
                path(output, b'+', forward_path, "");
            }
            Self::AddRecipient { forward_path, parameters } => {
                path(output, b'2', forward_path, parameters);
            }
            Self::DeleteRecipient { path } => strings(output, b'-', &[], &[&[path]]),
            Self::ReplaceBody(body) => {
                for chunk in body.chunks(BODY_CHUNK_OCTETS_MAX) {
                    packet::write(output, b'b', &[chunk]);
                }
            }
            Self::Quarantine { reason } => {
                strings(output, b'q', &[], &[&[&lines(reason)]]);
            }
        }
    }
}

fn path(output: &mut Vec<u8>, command: u8, path: &str, parameters: &str) {
    let path: &[&[u8]] = &[b"<", path.as_bytes(), b">"];
    match parameters {
        "" => strings(output, command, &[], &[path]),
        _ => strings(output, command, &[], &[path, &[parameters.as_bytes()]]),
    }
}

/// Appends a packet of a number, if there is one, and strings, each given in pieces. A NUL would
/// end a string too early: it goes.
fn strings(output: &mut Vec<u8>, command: u8, number: &[u8], strings: &[&[&[u8]]]) {
    let mut data = number.to_vec();
    for pieces in strings {
        data.extend(pieces.iter().copied().flatten().copied().filter(|octet| *octet != 0));
        data.push(0);
    }
    packet::write(output, command, &[&data]);
}

/// The lines of a value as they go over the wire: ended by LF alone.
fn lines(value: &str) -> Cow<'_, [u8]> {
    match value.contains('\r') {
        true => value.replace('\r', "").into_bytes().into(),
        false => value.as_bytes().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(edit: Edit<'_>, blank: bool) -> Vec<u8> {
        let mut output = Vec::new();
        edit.write(blank, &mut output);
        assert_eq!(output[..4], u32::try_from(output.len() - 4).unwrap().to_be_bytes());
        output[4..].to_vec()
    }

    #[test]
    fn fields() {
        let (name, value) = ("X", "a\r\n\tb");
        assert_eq!(written(Edit::AddField { name, value }, false), b"hX\0a\n\tb\0");
        assert_eq!(written(Edit::AddField { name, value }, true), b"hX\0 a\n\tb\0");
        let insert = Edit::InsertField { index: 258, name, value: "a" };
        assert_eq!(written(insert, true), b"i\0\0\x01\x02X\0 a\0");
        let change = Edit::ChangeField { position: 2, name: b"X", value: "a" };
        assert_eq!(written(change, true), b"m\0\0\0\x02X\0 a\0");
        let delete = Edit::DeleteField { position: 1, name: b"X" };
        assert_eq!(written(delete, true), b"m\0\0\0\x01X\0\0");
    }

    #[test]
    fn envelopes() {
        let sender = |parameters| Edit::ChangeSender { reverse_path: "a@b.example", parameters };
        assert_eq!(written(sender(""), true), b"e<a@b.example>\0");
        assert_eq!(written(sender("RET=HDRS"), true), b"e<a@b.example>\0RET=HDRS\0");
        let recipient = |parameters| Edit::AddRecipient { forward_path: "a@b.example", parameters };
        assert_eq!(written(recipient(""), true), b"+<a@b.example>\0");
        assert_eq!(written(recipient("NOTIFY=NEVER"), true), b"2<a@b.example>\0NOTIFY=NEVER\0");
        assert_eq!(recipient("NOTIFY=NEVER").action(), Actions::ADD_RECIPIENTS_WITH_PARAMETERS);
        assert_eq!(recipient("").action(), Actions::ADD_RECIPIENTS);
        assert_eq!(
            written(Edit::DeleteRecipient { path: b"<a@b.example>" }, true),
            b"-<a@b.example>\0"
        );
    }

    #[test]
    fn a_nul_ends_nothing() {
        let reason = "a\0b\r\nc";
        assert_eq!(written(Edit::Quarantine { reason }, true), b"qab\nc\0");
    }

    #[test]
    fn a_body_goes_in_chunks() {
        let body = vec![b'x'; BODY_CHUNK_OCTETS_MAX + 1];
        let mut output = Vec::new();
        Edit::ReplaceBody(&body).write(true, &mut output);
        assert_eq!(output.len(), body.len() + 10);
        assert_eq!(output[..5], [0, 1, 0, 0, b'b']);
        assert_eq!(output[output.len() - 6..], [0, 0, 0, 2, b'b', b'x']);
    }
}
