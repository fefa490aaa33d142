//! Policy delegation, as Postfix's `check_policy_service` asks it (SMTPD_POLICY_README): lines
//! `name=value` and an empty one, answered by `action=...` and an empty line.
//!
//! Exim asks the same through `${readsocket}`, with an attribute of ours for the header
//! ([`Attribute::HeaderBase64`]).

mod action;
mod attribute;
mod request;
#[cfg(test)]
mod tests;

use std::ops::Range;

use memchr::{memchr, memchr3};

pub use action::{Action, FIELD_OCTETS_MAX, TEXT_OCTETS_MAX};
pub use attribute::Attribute;
pub use request::{HEADER_OCTETS_MAX, HeaderError, ProtocolState, Request};

use crate::input::Input;

/// How many octets a request may have: a header in Base64, and everything else with room to spare.
pub const REQUEST_OCTETS_MAX: usize = 128 * 1024;

/// How many attributes a request may have, known or not. Postfix sends about thirty.
pub const ATTRIBUTES_MAX: usize = 256;

/// What `request` must say.
const KIND: &[u8] = b"smtpd_access_policy";

/// Why octets are no request. Where the next begins is not known then. Lines count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It does not end.
    #[error("it is longer than {REQUEST_OCTETS_MAX} octets")]
    TooLong,
    /// It has too many lines.
    #[error("it has more than {ATTRIBUTES_MAX} attributes")]
    TooManyAttributes,
    /// A line without `=`.
    #[error("line {0} is not name=value")]
    NoEquals(usize),
    /// A line with NUL or CR.
    #[error("line {0} holds NUL or CR; lines are text and end with LF alone")]
    NotText(usize),
    /// Another kind of request, or none.
    #[error("it does not say request=smtpd_access_policy")]
    NotPolicy,
}

/// The requests of a client, in whatever pieces they arrive. Each octet is looked at once.
#[derive(Debug)]
pub struct Requests {
    input: Input,
    /// Where the line begins that is not whole yet, and how far it was searched for its end.
    line: usize,
    searched: usize,
    /// How many lines the request has so far.
    lines: usize,
    /// Where each attribute's value stands in the request.
    values: Values,
    failed: Option<RequestError>,
}

/// Empty at 0, where no value can stand: not sent.
pub(crate) type Values = [Range<usize>; Attribute::COUNT];

const NO_VALUES: Values = [const { 0..0 }; Attribute::COUNT];

impl Default for Requests {
    fn default() -> Self {
        Self {
            input: Input::new(REQUEST_OCTETS_MAX),
            line: 0,
            searched: 0,
            lines: 0,
            values: NO_VALUES,
            failed: None,
        }
    }
}

impl Requests {
    /// Where to read to.
    pub fn input(&mut self) -> &mut Input {
        &mut self.input
    }

    /// The next request. None: read more.
    ///
    /// # Errors
    /// What came is no request. There is no way to go on.
    pub fn request(&mut self) -> Result<Option<Request<'_>>, RequestError> {
        if self.lines == 0 && self.line == 0 && self.searched == 0 {
            self.values = NO_VALUES;
        }
        match self.take_lines() {
            Ok(None) => Ok(None),
            Ok(Some(octets)) => {
                (self.line, self.searched, self.lines) = (0, 0, 0);
                Ok(Some(Request::new(self.input.consume(octets), &self.values)))
            }
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    /// Takes whole lines, up to the empty one: then the request has so many octets.
    fn take_lines(&mut self) -> Result<Option<usize>, RequestError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let octets = self.input.unread();
        while let Some(found) = memchr3(b'\n', b'\r', 0, &octets[self.searched..]) {
            let (start, end) = (self.line, self.searched + found);
            let number = self.lines + 1;
            if octets[end] != b'\n' {
                return Err(RequestError::NotText(number));
            }
            (self.line, self.searched) = (end + 1, end + 1);
            if start == end {
                let kind = &octets[self.values[Attribute::Request as usize].clone()];
                return if kind == KIND { Ok(Some(end + 1)) } else { Err(RequestError::NotPolicy) };
            }
            if self.lines == ATTRIBUTES_MAX {
                return Err(RequestError::TooManyAttributes);
            }
            let equals = memchr(b'=', &octets[start..end]);
            let equals = start + equals.ok_or(RequestError::NoEquals(number))?;
            // Postfix sends its attributes in the order of our table.
            if let Some(attribute) = Attribute::find(&octets[start..equals], self.lines) {
                let value = &mut self.values[attribute as usize];
                // Of two, the first: a client's words come after its address.
                if value.end == 0 {
                    *value = equals + 1..end;
                }
            }
            self.lines += 1;
        }
        self.searched = octets.len();
        if self.input.is_full() { Err(RequestError::TooLong) } else { Ok(None) }
    }
}
