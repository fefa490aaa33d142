//! Forged fields taken out of a message, all else octet for octet as it came.
//!
//! The message goes through in pieces. Of its header, one field at a time is held, and of a field
//! no more than [`READ_MAX`] octets and one: a longer one is decided by its beginning.

use crate::forged;
use crate::header::{Field, READ_MAX, is_empty_line};

/// What a message is given whose first line is a continuation, so that it does not continue a field
/// that is put above it. Its line end is added as the message has it.
pub const UNNAMED: &str = "X-Quivive-Unnamed:";

/// What was seen in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeaderCounts {
    /// `Received` fields (RFC 5321 section 6.3: their number tells a loop).
    pub received: usize,
    /// Fields that were taken out because they were forged.
    pub forged: usize,
}

/// Goes over a message in pieces of any size and writes what of it goes on. `N` holds the names
/// from one of which forged fields claim to be (see [`forged`]).
#[derive(Debug)]
pub struct HeaderEditor<N> {
    own_names: N,
    /// Names of further fields that go; one that ends with `*` stands for all that begin so.
    unwanted: Vec<String>,
    line_end: &'static str,
    counts: HeaderCounts,
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

impl<N: AsRef<[String]>> HeaderEditor<N> {
    /// An editor for one message, whose lines end with CRLF.
    pub fn new(own_names: N) -> Self {
        Self::with_line_end(own_names, "\r\n")
    }

    /// An editor for one message, whose lines end so.
    pub fn with_line_end(own_names: N, line_end: &'static str) -> Self {
        Self {
            own_names,
            unwanted: Vec::new(),
            line_end,
            counts: HeaderCounts::default(),
            field: Vec::new(),
            state: State::Holding,
            at_line_start: true,
            started: false,
        }
    }

    /// The editor, taking out all fields of these names as well; a name that ends with `*` stands
    /// for all that begin so. Also those go that a careless reader might take for them.
    #[must_use]
    pub fn without(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { unwanted: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// Takes the next piece and appends to `output` what is decided.
    pub fn push(&mut self, piece: &[u8], output: &mut Vec<u8>) {
        self.push_seeing(piece, output, &mut |_| ());
    }

    /// As [`HeaderEditor::push`], and shows each field whose end was reached, or which is longer
    /// than what is held, as far as it is held.
    pub fn push_seeing(
        &mut self,
        mut piece: &[u8],
        output: &mut Vec<u8>,
        see: &mut dyn FnMut(Field<'_>),
    ) {
        while let Some(first) = piece.first() {
            if self.state == State::Body {
                return output.extend_from_slice(piece);
            }
            if self.at_line_start {
                self.start_line(matches!(first, b' ' | b'\t'), output, see);
            }
            let line_end = piece.iter().position(|octet| *octet == b'\n');
            let (line, rest) = piece.split_at(line_end.map_or(piece.len(), |at| at + 1));
            self.at_line_start = line_end.is_some();
            self.take(line, output, see);
            piece = rest;
        }
    }

    /// The message has ended.
    pub fn finish(&mut self, output: &mut Vec<u8>) {
        self.finish_seeing(output, &mut |_| ());
    }

    /// As [`HeaderEditor::finish`], and shows the last field.
    pub fn finish_seeing(&mut self, output: &mut Vec<u8>, see: &mut dyn FnMut(Field<'_>)) {
        self.settle(output, see);
    }

    /// Whether anything has come yet.
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// Whether the header is through.
    pub fn in_body(&self) -> bool {
        self.state == State::Body
    }

    /// What has been seen so far.
    pub fn counts(&self) -> HeaderCounts {
        self.counts
    }

    fn start_line(
        &mut self,
        continues: bool,
        output: &mut Vec<u8>,
        see: &mut dyn FnMut(Field<'_>),
    ) {
        if continues && !self.started {
            output.extend_from_slice(UNNAMED.as_bytes());
            output.extend_from_slice(self.line_end.as_bytes());
            self.state = State::Passing;
        } else if !continues {
            self.settle(output, see);
            self.state = State::Holding;
        }
        self.started = true;
    }

    fn take(&mut self, part: &[u8], output: &mut Vec<u8>, see: &mut dyn FnMut(Field<'_>)) {
        match self.state {
            State::Body | State::Passing => output.extend_from_slice(part),
            State::Dropping => {}
            State::Holding => {
                let room = READ_MAX + 1 - self.field.len();
                let (held, rest) = part.split_at(part.len().min(room));
                self.field.extend_from_slice(held);
                if self.field.len() > READ_MAX {
                    self.state = self.settle(output, see);
                    self.take(rest, output, see);
                } else if self.at_line_start && is_empty_line(&self.field) {
                    output.append(&mut self.field);
                    self.state = State::Body;
                }
            }
        }
    }

    /// Decides about the field that is held, and says what its rest has to share.
    fn settle(&mut self, output: &mut Vec<u8>, see: &mut dyn FnMut(Field<'_>)) -> State {
        if self.field.is_empty() {
            return self.state;
        }
        let is_forged = forged(&self.field, self.own_names.as_ref());
        let field = Field::new(&self.field);
        self.counts.received += usize::from(field.is("Received"));
        see(field);
        self.counts.forged += usize::from(is_forged);
        let goes = is_forged || self.unwanted.iter().any(|name| is_named(field, name));
        if !goes {
            output.extend_from_slice(&self.field);
        }
        self.field.clear();
        if goes { State::Dropping } else { State::Passing }
    }
}

fn is_named(field: Field<'_>, name: &str) -> bool {
    let Some(start) = name.strip_suffix('*') else { return field.resembles(name) };
    let written = field.written_name().unwrap_or_default().iter();
    let mut written = written.filter(|octet| octet.is_ascii_graphic());
    start.bytes().all(|octet| written.next().is_some_and(|own| own.eq_ignore_ascii_case(&octet)))
}

#[cfg(test)]
mod tests;
