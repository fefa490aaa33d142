//! Our fields on top of a message, forged ones taken out of it, all else octet for octet as it
//! came.
//!
//! The message goes through in chunks. Of its header, one field at a time is held, and of a field
//! no more than [`READ_MAX`] octets and one: a longer one is decided by its beginning.

use quivive_evidence::Header;
use quivive_mail::forged;
use quivive_mail::header::{Field, READ_MAX, is_empty_line};

use crate::spool::{Chunks, Spool, SpoolError};

/// What a message is given whose first line is a continuation, so that it does not continue our own
/// field above it.
pub const UNNAMED: &str = "X-Quivive-Unnamed:\r\n";

/// What was seen in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeaderCounts {
    /// `Received` fields (RFC 5321 section 6.3: their number tells a loop).
    pub received: usize,
    /// Fields that were taken out because they were forged.
    pub forged: usize,
}

/// A message as it goes on, in chunks.
#[derive(Debug)]
pub struct EditedMessage<'a> {
    chunks: Chunks<'a>,
    editor: HeaderEditor<'a>,
    output: Vec<u8>,
    ended: bool,
}

impl<'a> EditedMessage<'a> {
    /// The message with `new_fields` (name and value, folded or not) on top, in this order, and
    /// without the fields that claim to be from one of `own_names` (see [`forged`]).
    pub fn new(spool: &'a Spool, new_fields: &[(String, String)], own_names: &'a [String]) -> Self {
        let mut output = Vec::with_capacity(1024);
        for (name, value) in new_fields {
            for part in [name, ": ", value, "\r\n"] {
                output.extend_from_slice(part.as_bytes());
            }
        }
        Self { chunks: spool.chunks(), editor: HeaderEditor::new(own_names), output, ended: false }
    }

    /// The next octets, never none of them; nothing after the end. Only to be asked again after
    /// success.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, SpoolError> {
        // The first time, the new fields are there already.
        if self.ended || self.editor.started {
            self.output.clear();
        }
        while !self.ended && (self.output.is_empty() || !self.editor.started) {
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
        self.editor.counts
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
    editor.header = Some(Header::default());
    let mut chunks = spool.chunks();
    let mut output = Vec::new();
    while let Some(chunk) = chunks.next().await? {
        editor.push(chunk, &mut output);
        output.clear();
        if editor.in_body() {
            break;
        }
    }
    editor.finish(&mut output);
    Ok(Survey { counts: editor.counts, header: editor.header.unwrap_or_default() })
}

/// Goes over a message in pieces of any size and writes what of it goes on.
#[derive(Debug)]
pub struct HeaderEditor<'a> {
    own_names: &'a [String],
    counts: HeaderCounts,
    /// What methods read, where somebody wants to know.
    header: Option<Header>,
    /// The beginning of the field that is being read, while its fate is open.
    field: Vec<u8>,
    state: State,
    at_line_start: bool,
    started: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The field is held until its end, or until it is too long.
    Holding,
    /// The rest of the field goes on.
    Passing,
    /// The rest of the field goes.
    Dropping,
    Body,
}

impl<'a> HeaderEditor<'a> {
    /// An editor for one message.
    pub fn new(own_names: &'a [String]) -> Self {
        Self {
            own_names,
            counts: HeaderCounts::default(),
            header: None,
            field: Vec::new(),
            state: State::Holding,
            at_line_start: true,
            started: false,
        }
    }

    /// Takes the next piece and appends to `output` what is decided.
    pub fn push(&mut self, mut piece: &[u8], output: &mut Vec<u8>) {
        while let Some(first) = piece.first() {
            if self.state == State::Body {
                return output.extend_from_slice(piece);
            }
            if self.at_line_start {
                self.start_line(matches!(first, b' ' | b'\t'), output);
            }
            let line_end = piece.iter().position(|octet| *octet == b'\n');
            let (line, rest) = piece.split_at(line_end.map_or(piece.len(), |at| at + 1));
            self.at_line_start = line_end.is_some();
            self.take(line, output);
            piece = rest;
        }
    }

    /// The message has ended.
    pub fn finish(&mut self, output: &mut Vec<u8>) {
        self.settle(output);
    }

    /// Whether the header is through.
    pub fn in_body(&self) -> bool {
        self.state == State::Body
    }

    /// What has been seen so far.
    pub fn counts(&self) -> HeaderCounts {
        self.counts
    }

    fn start_line(&mut self, continues: bool, output: &mut Vec<u8>) {
        if continues && !self.started {
            output.extend_from_slice(UNNAMED.as_bytes());
            self.state = State::Passing;
        } else if !continues {
            self.settle(output);
            self.state = State::Holding;
        }
        self.started = true;
    }

    fn take(&mut self, part: &[u8], output: &mut Vec<u8>) {
        match self.state {
            State::Body | State::Passing => output.extend_from_slice(part),
            State::Dropping => {}
            State::Holding => {
                let room = READ_MAX + 1 - self.field.len();
                let (held, rest) = part.split_at(part.len().min(room));
                self.field.extend_from_slice(held);
                if self.field.len() > READ_MAX {
                    self.state = self.settle(output);
                    self.take(rest, output);
                } else if self.at_line_start && is_empty_line(&self.field) {
                    output.append(&mut self.field);
                    self.state = State::Body;
                }
            }
        }
    }

    /// Decides about the field that is held, and says what its rest has to share.
    fn settle(&mut self, output: &mut Vec<u8>) -> State {
        if self.field.is_empty() {
            return self.state;
        }
        let is_forged = forged(&self.field, self.own_names);
        let field = Field::new(&self.field);
        self.counts.received += usize::from(field.is("Received"));
        if let Some(header) = &mut self.header {
            header.push(field);
        }
        self.counts.forged += usize::from(is_forged);
        if !is_forged {
            output.extend_from_slice(&self.field);
        }
        self.field.clear();
        if is_forged { State::Dropping } else { State::Passing }
    }
}

#[cfg(test)]
mod tests;
