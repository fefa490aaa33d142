//! Our fields on top of a message, forged ones taken out of it, all else octet for octet as it
//! came.
//!
//! The message goes through in chunks; see [`HeaderEditor`] for what is held of it.

use quivive_evidence::Header;
use quivive_mail::header::Field;
pub use quivive_mail::header_edit::HeaderCounts;
use quivive_mail::header_edit::HeaderEditor;

use crate::spool::{Chunks, Spool, SpoolError};

/// A message as it goes on, in chunks.
#[derive(Debug)]
pub struct EditedMessage<'a> {
    chunks: Chunks<'a>,
    editor: HeaderEditor<&'a [String]>,
    output: Vec<u8>,
    ended: bool,
}

impl<'a> EditedMessage<'a> {
    /// The message with `new_fields` (name and value, folded or not) on top, in this order, and
    /// without the fields that claim to be from one of `own_names` (see [`quivive_mail::forged`]).
    pub fn new(spool: &'a Spool, new_fields: &[(String, String)], own_names: &'a [String]) -> Self {
        let mut output = Vec::with_capacity(1024);
        for (name, value) in new_fields {
            for part in [name, ": ", value, "\r\n"] {
                output.extend_from_slice(part.as_bytes());
            }
        }
        let editor = HeaderEditor::new(own_names);
        Self { chunks: spool.chunks(), editor, output, ended: false }
    }

    /// The message, also without the fields of these names (see [`HeaderEditor::without`]).
    #[must_use]
    pub fn without(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { editor: self.editor.without(names), ..self }
    }

    /// The next octets, never none of them; nothing after the end. Only to be asked again after
    /// success.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, SpoolError> {
        // The first time, the new fields are there already.
        if self.ended || self.editor.has_started() {
            self.output.clear();
        }
        while !self.ended && (self.output.is_empty() || !self.editor.has_started()) {
            match self.chunks.next().await? {
                Some(chunk) => self.editor.push(chunk, &mut self.output),
                None => {
                    self.ended = true;
                    self.editor.finish(&mut self.output);
                }
            }
        }
        Ok(Some(&self.output[..]).filter(|output| !output.is_empty()))
    }

    /// What has been seen so far: all of the header, once the end has been reached.
    pub fn counts(&self) -> HeaderCounts {
        self.editor.counts()
    }
}

/// What is in the header of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// How many fields of some kinds there are.
    pub counts: HeaderCounts,
    /// The fields that methods read.
    pub header: Header,
}

/// Looks over the header of a message. Reads no further than the header goes.
///
/// # Errors
/// The spool cannot be read.
pub async fn survey(spool: &Spool, own_names: &[String]) -> Result<Survey, SpoolError> {
    let mut editor = HeaderEditor::new(own_names);
    let mut header = Header::default();
    let mut see = |field: Field<'_>| header.push(field);
    let mut chunks = spool.chunks();
    let mut output = Vec::new();
    while let Some(chunk) = chunks.next().await? {
        editor.push_seeing(chunk, &mut output, &mut see);
        output.clear();
        if editor.in_body() {
            break;
        }
    }
    editor.finish_seeing(&mut output, &mut see);
    Ok(Survey { counts: editor.counts(), header })
}

#[cfg(test)]
mod tests;
