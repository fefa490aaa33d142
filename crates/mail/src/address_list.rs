//! The addresses of a header field, read strictly (RFC 5322 section 3.4, RFC 6532 section 3.2).
//!
//! What the grammar does not have is refused, so that two readers cannot take different authors
//! from one field. The obsolete forms of section 4.4 are understood and marked
//! ([`NamedMailbox::plain`]): who must be sure of what others will read, refuses them.

use thiserror::Error;

use crate::header::READ_MAX;
use crate::scanner::{Malformed, Scanner};
use crate::{Charset, Mailbox, PathError};

#[cfg(test)]
mod tests;

/// Mailboxes and groups of one field that are read.
pub const ADDRESSES_MAX: usize = 1000;

/// The addresses of a From, Sender, Reply-To or Resent field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressList {
    /// The addresses, in the order of the field; at least one.
    pub addresses: Vec<Address>,
    /// The field's comments, without their outer parentheses, escapes and line ends.
    pub comments: Vec<String>,
}

/// A mailbox, or a group of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A mailbox, with its name if it has one.
    Mailbox(NamedMailbox),
    /// `name: mailboxes;` In From and Sender since RFC 6854 alone.
    Group {
        /// The group's name.
        name: String,
        /// Its mailboxes; there may be none.
        mailboxes: Vec<NamedMailbox>,
    },
}

/// A mailbox as it stands in a header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedMailbox {
    /// The display name without quotes and escapes; encoded-words (RFC 2047) as they are.
    pub display_name: Option<String>,
    /// The address. Its domain may hold underscores, as that of a reverse-path may.
    pub mailbox: Mailbox,
    /// The obsolete source route before the address, as written, without its colon.
    pub route: Option<String>,
    /// The address is written in one piece: without a route, and with no blank, comment or second
    /// quoted-string inside it or between it and its angle brackets.
    pub plain: bool,
    /// Where the address stands in the field's value, in octets: what is between the angle
    /// brackets, or all of it where there are none.
    pub span: (usize, usize),
}

/// Why a field's value is no list of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{fault}, at octet {at} of the field's value")]
pub struct AddressError {
    /// What is wrong.
    pub fault: AddressFault,
    /// Where, in octets from the start of the value.
    pub at: usize,
}

/// What is wrong with a list of addresses. All of it is the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressFault {
    /// Longer than [`READ_MAX`].
    #[error("the field is longer than {READ_MAX} octets")]
    TooLong,
    /// More than [`ADDRESSES_MAX`].
    #[error("there are more than {ADDRESSES_MAX} addresses")]
    TooMany,
    /// Octets that are no UTF-8.
    #[error("the field is not UTF-8")]
    NotUtf8,
    /// UTF-8 where the charset is ASCII.
    #[error("the field needs UTF-8")]
    Utf8NotAllowed,
    /// A control character that is no tab.
    #[error("there is a control character")]
    Control,
    /// A line end that folds nothing.
    #[error("there is a line end without a blank after it")]
    LineEnd,
    /// Nothing but blanks, comments and commas.
    #[error("there is no address")]
    Empty,
    /// A comment without its end.
    #[error("a comment is not closed")]
    Comment,
    /// A quoted-string without its end.
    #[error("a quoted-string is not closed")]
    QuotedString,
    /// `<` without `>`.
    #[error("an angle bracket is not closed")]
    Bracket,
    /// `<>`.
    #[error("the address is empty")]
    NullAddress,
    /// A group without its semicolon.
    #[error("a group is not closed")]
    Group,
    /// A group within a group.
    #[error("a group stands within a group")]
    NestedGroup,
    /// A name, and no address after it.
    #[error("a name has no address")]
    NoAddress,
    /// A local part without a domain.
    #[error("an address has no domain")]
    NoDomain,
    /// Neither words with dots between them nor a quoted-string, or longer than a local part may
    /// be ([`LOCAL_PART_MAX`](crate::LOCAL_PART_MAX)).
    #[error("the local part is not well-formed")]
    LocalPart,
    /// Neither a domain name nor an address literal, or longer than a domain may be
    /// ([`DOMAIN_MAX`](crate::DOMAIN_MAX)).
    #[error("the domain is not well-formed")]
    Domain,
    /// A source route that is none.
    #[error("the source route is not well-formed")]
    Route,
    /// Something else than a comma after an address: a second address, a stray bracket.
    #[error("something follows an address")]
    AfterAddress,
    /// A character that begins neither a name nor an address.
    #[error("there is a character that begins no address")]
    Unexpected,
}

impl AddressList {
    /// Reads the value of a field, folding and all.
    ///
    /// # Errors
    /// What the value breaks, and where.
    pub fn parse(value: &[u8], charset: Charset) -> Result<Self, AddressError> {
        check(value, charset)?;
        let mut reader = Reader { scanner: Scanner::new(value), list: Self::default(), count: 0 };
        reader.address_list()?;
        match reader.list.addresses.is_empty() {
            true => Err(reader.error(AddressFault::Empty)),
            false => Ok(reader.list),
        }
    }

    /// All mailboxes, those in groups too, in the order of the field.
    pub fn mailboxes(&self) -> impl Iterator<Item = &NamedMailbox> {
        self.addresses.iter().flat_map(|address| match address {
            Address::Mailbox(mailbox) => std::slice::from_ref(mailbox),
            Address::Group { mailboxes, .. } => mailboxes,
        })
    }

    /// The mailbox, if the field is that one mailbox and no group.
    pub fn sole_mailbox(&self) -> Option<&NamedMailbox> {
        match &*self.addresses {
            [Address::Mailbox(mailbox)] => Some(mailbox),
            _ => None,
        }
    }

    /// Whether any of it is a group.
    pub fn has_group(&self) -> bool {
        self.addresses.iter().any(|address| matches!(address, Address::Group { .. }))
    }
}

/// What holds for every octet of the value, wherever it stands.
fn check(value: &[u8], charset: Charset) -> Result<(), AddressError> {
    let error = |fault, at| Err(AddressError { fault, at });
    if value.len() > READ_MAX {
        return error(AddressFault::TooLong, READ_MAX);
    }
    let text = match std::str::from_utf8(value) {
        Ok(text) => text,
        Err(utf8) => return error(AddressFault::NotUtf8, utf8.valid_up_to()),
    };
    for (at, c) in text.char_indices() {
        match c {
            '\t' => {}
            // CRLF, or the LF alone that some interfaces hand on.
            '\r' if value.get(at + 1) == Some(&b'\n') => {}
            '\n' if matches!(value.get(at + 1), None | Some(b' ' | b'\t')) => {}
            '\r' | '\n' => return error(AddressFault::LineEnd, at),
            c if c.is_control() => return error(AddressFault::Control, at),
            c if !charset.holds(c) => return error(AddressFault::Utf8NotAllowed, at),
            _ => {}
        }
    }
    Ok(())
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    list: AddressList,
    count: usize,
}

/// Words and dots up to what tells whether they are a local part or a name.
#[derive(Default)]
struct Words {
    parts: Vec<Part>,
    start: usize,
    end: usize,
}

struct Part {
    /// None: a dot.
    word: Option<String>,
    quoted: bool,
    /// Blanks or comments stood before it.
    apart: bool,
}

impl Reader<'_> {
    fn address_list(&mut self) -> Result<(), AddressError> {
        loop {
            self.skip()?;
            match self.scanner.peek() {
                None => return Ok(()),
                // Nothing between commas: obs-addr-list (RFC 5322 section 4.4).
                Some(b',') => self.scanner.take(b','),
                Some(_) => {
                    let address = self.address()?;
                    self.list.addresses.push(address);
                    self.skip()?;
                    match self.scanner.take(b',') || self.scanner.at_end() {
                        true => continue,
                        false => return Err(self.error(AddressFault::AfterAddress)),
                    }
                }
            };
        }
    }

    fn address(&mut self) -> Result<Address, AddressError> {
        self.count += 1;
        if self.count > ADDRESSES_MAX {
            return Err(self.error(AddressFault::TooMany));
        }
        let words = self.words()?;
        match self.scanner.peek() {
            Some(b':') if !words.parts.is_empty() => {
                let name = words.phrase()?;
                self.scanner.take(b':');
                Ok(Address::Group { name, mailboxes: self.group()? })
            }
            _ => self.mailbox(words).map(Address::Mailbox),
        }
    }

    /// What stands between a group's colon and its semicolon.
    fn group(&mut self) -> Result<Vec<NamedMailbox>, AddressError> {
        let mut mailboxes = Vec::new();
        loop {
            self.skip()?;
            match self.scanner.peek() {
                None => return Err(self.error(AddressFault::Group)),
                Some(b',') => {
                    self.scanner.take(b',');
                    continue;
                }
                Some(b';') => {
                    self.scanner.take(b';');
                    return Ok(mailboxes);
                }
                Some(_) => {}
            }
            self.count += 1;
            if self.count > ADDRESSES_MAX {
                return Err(self.error(AddressFault::TooMany));
            }
            let words = self.words()?;
            if self.scanner.peek() == Some(b':') {
                return Err(self.error(AddressFault::NestedGroup));
            }
            mailboxes.push(self.mailbox(words)?);
            self.skip()?;
            match self.scanner.peek() {
                Some(b',' | b';') => {}
                None => return Err(self.error(AddressFault::Group)),
                Some(_) => return Err(self.error(AddressFault::AfterAddress)),
            }
        }
    }

    /// A mailbox, of which `words` have been read.
    fn mailbox(&mut self, words: Words) -> Result<NamedMailbox, AddressError> {
        match self.scanner.peek() {
            Some(b'@') => self.addr_spec(&words),
            Some(b'<') => self.angle_addr(&words),
            Some(b',' | b';') | None => Err(self.error(match words.is_local_part() {
                true => AddressFault::NoDomain,
                false => AddressFault::NoAddress,
            })),
            Some(_) => Err(self.error(AddressFault::Unexpected)),
        }
    }

    fn angle_addr(&mut self, name: &Words) -> Result<NamedMailbox, AddressError> {
        let open = self.scanner.position();
        let display_name = if name.parts.is_empty() { None } else { Some(name.phrase()?) };
        self.scanner.take(b'<');
        let start = self.scanner.position();
        let apart = self.skip()?;
        let route = match self.scanner.peek() {
            Some(b'>') => return Err(self.error(AddressFault::NullAddress)),
            Some(b'@' | b',') => Some(self.route()?),
            _ => None,
        };
        let words = self.words()?;
        if self.scanner.peek() != Some(b'@') {
            return Err(self.error(match words.is_local_part() {
                true if self.scanner.peek() == Some(b'>') => AddressFault::NoDomain,
                _ => AddressFault::LocalPart,
            }));
        }
        let mut mailbox = self.addr_spec(&words)?;
        let behind = self.skip()?;
        mailbox.span = (start, self.scanner.position());
        if !self.scanner.take(b'>') {
            return Err(match self.scanner.at_end() {
                true => AddressError { fault: AddressFault::Bracket, at: open },
                false => self.error(AddressFault::AfterAddress),
            });
        }
        mailbox.plain &= !apart && !behind && route.is_none();
        mailbox.route = route;
        mailbox.display_name = display_name;
        Ok(mailbox)
    }

    /// `obs-route` (RFC 5322 section 4.4): domains with `@` before each, up to the colon.
    fn route(&mut self) -> Result<String, AddressError> {
        let start = self.scanner.position();
        let mut hops = 0;
        loop {
            self.skip()?;
            match self.scanner.peek() {
                Some(b',') => self.scanner.take(b','),
                Some(b'@') => {
                    self.domain()?;
                    hops += 1;
                    self.skip()?;
                    continue;
                }
                Some(b':') if hops > 0 => break,
                _ => return Err(self.error(AddressFault::Route)),
            };
        }
        let route = String::from_utf8_lossy(self.scanner.since(start)).into_owned();
        self.scanner.take(b':');
        Ok(route)
    }

    /// The rest of an address, from its `@`; `words` are its local part.
    fn addr_spec(&mut self, words: &Words) -> Result<NamedMailbox, AddressError> {
        let local_part = words.local_part().ok_or_else(|| {
            let at = if words.parts.is_empty() { self.scanner.position() } else { words.start };
            AddressError { fault: AddressFault::LocalPart, at }
        })?;
        // Nothing between the local part and its `@`, and in the local part one quoted-string or
        // words and dots.
        let plain = words.end == self.scanner.position() && words.is_plain();
        let at = self.scanner.position();
        let (domain, domain_plain) = self.domain()?;
        let mailbox = Mailbox::of_parts(local_part, &domain).map_err(|error| match error {
            PathError::LocalPart | PathError::LocalPartTooLong => {
                AddressError { fault: AddressFault::LocalPart, at: words.start }
            }
            _ => AddressError { fault: AddressFault::Domain, at: at + 1 },
        })?;
        let span = (words.start, self.scanner.position());
        let plain = plain && domain_plain;
        Ok(NamedMailbox { display_name: None, mailbox, route: None, plain, span })
    }

    /// `@` and a domain; whether it is written in one piece. What follows it is not passed.
    fn domain(&mut self) -> Result<(String, bool), AddressError> {
        self.scanner.take(b'@');
        let mut plain = !self.skip()?;
        if self.scanner.peek() == Some(b'[') {
            let literal = self.scanner.run(|octet| octet != b']' && !octet.is_ascii_whitespace());
            let literal = literal.unwrap_or_default().to_owned();
            return match self.scanner.take(b']') {
                true => Ok((literal + "]", plain)),
                false => Err(self.error(AddressFault::Domain)),
            };
        }
        let mut name = String::new();
        loop {
            let atom = self.scanner.run(is_atext).map_err(|_| self.error(AddressFault::Domain))?;
            name.push_str(atom);
            let end = self.scanner.position();
            let comments = self.list.comments.len();
            let apart = self.skip()?;
            if !self.scanner.take(b'.') {
                // What was passed stands behind the domain, where it may.
                self.list.comments.truncate(comments);
                self.scanner.back_to(end);
                return Ok((name, plain));
            }
            name.push('.');
            plain &= !apart & !self.skip()?;
        }
    }

    /// Words and dots; the blanks and comments behind them are passed.
    fn words(&mut self) -> Result<Words, AddressError> {
        let mut words = Words { start: self.scanner.position(), ..Words::default() };
        let mut apart = false;
        loop {
            let start = self.scanner.position();
            let part = match self.scanner.peek() {
                Some(b'.') => {
                    self.scanner.take(b'.');
                    Part { word: None, quoted: false, apart }
                }
                Some(b'"') => {
                    let word = self.scanner.quoted_string().map_err(|_| AddressError {
                        fault: AddressFault::QuotedString,
                        at: start,
                    })?;
                    // A word of its own, also without a blank before it: obs-phrase.
                    Part { word: Some(word), quoted: true, apart }
                }
                Some(octet) if is_atext(octet) => {
                    let word = self.scanner.run(is_atext).unwrap_or_default().to_owned();
                    Part { word: Some(word), quoted: false, apart }
                }
                _ => return Ok(words),
            };
            words.parts.push(part);
            words.end = self.scanner.position();
            apart = self.skip()?;
        }
    }

    /// Passes blanks, folding and comments; whether there were any.
    fn skip(&mut self) -> Result<bool, AddressError> {
        let start = self.scanner.position();
        loop {
            self.scanner.skip_fws().map_err(|_| self.error(AddressFault::LineEnd))?;
            if self.scanner.peek() != Some(b'(') {
                return Ok(self.scanner.position() > start);
            }
            let at = self.scanner.position();
            let unclosed = |Malformed| AddressError { fault: AddressFault::Comment, at };
            let comment = self.scanner.comment().map_err(unclosed)?;
            self.list.comments.push(unescaped(comment));
        }
    }

    fn error(&self, fault: AddressFault) -> AddressError {
        AddressError { fault, at: self.scanner.position() }
    }
}

impl Words {
    /// `word *("." word)` (RFC 5322 sections 3.4.1 and 4.4).
    fn is_local_part(&self) -> bool {
        self.parts.len() % 2 == 1
            && self.parts.iter().enumerate().all(|(at, part)| part.word.is_some() == (at % 2 == 0))
    }

    /// The local part without quotes, if the words are one.
    fn local_part(&self) -> Option<String> {
        let parts = || self.parts.iter().map(|part| part.word.as_deref().unwrap_or("."));
        self.is_local_part().then(|| parts().collect())
    }

    fn is_plain(&self) -> bool {
        let (first, others) = self.parts.split_first().expect("a local part has words");
        others.iter().all(|part| !part.apart && !part.quoted)
            && (others.is_empty() || !first.quoted)
    }

    /// The words as a name, which begins with a word (`obs-phrase`): a blank where blanks or
    /// comments were.
    fn phrase(&self) -> Result<String, AddressError> {
        if self.parts.first().is_none_or(|part| part.word.is_none()) {
            return Err(AddressError { fault: AddressFault::Unexpected, at: self.start });
        }
        let mut phrase = String::new();
        for part in &self.parts {
            let beside_quotes = part.quoted && !phrase.is_empty();
            if part.apart || beside_quotes {
                phrase.push(' ');
            }
            phrase.push_str(part.word.as_deref().unwrap_or("."));
        }
        Ok(phrase)
    }
}

/// RFC 5322 section 3.2.3, and UTF8-non-ascii by RFC 6532 section 3.2.
fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet) || !octet.is_ascii()
}

/// A comment's text without its escapes and line ends.
fn unescaped(comment: &[u8]) -> String {
    let mut text = Vec::with_capacity(comment.len());
    let mut octets = comment.iter();
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' => text.extend(octets.next()),
            b'\r' | b'\n' => {}
            octet => text.push(*octet),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
