//! What a master file may have and the reader does not know: failure comments, APL as text, octets
//! above ASCII.

use std::ops::Range;

use quivive_evidence::Failure;

use super::read::record_type;
use super::{Failing, FailingTypes, ZoneError, apl};
use crate::name::{WireName, decimal_escape};

/// A master file that the reader takes, with as many lines as before.
pub(super) struct Prepared {
    pub(super) text: Vec<u8>,
    pub(super) failures: Vec<(WireName, Failing)>,
    /// Line and column of each entry's first word.
    entries: Vec<(usize, usize)>,
}

impl Prepared {
    /// The line and column of the entry that the reader was at when it stood here.
    pub(super) fn entry_before(&self, line: usize, column: usize) -> (usize, usize) {
        let behind = self.entries.partition_point(|entry| *entry < (line, column));
        self.entries[..behind].last().copied().unwrap_or((line, column))
    }
}

/// Brings a master file to what the reader knows.
///
/// Comments go, octets above ASCII become `\DDD`, APL data becomes RFC 3597 data.
pub(super) fn prepare(text: &[u8]) -> Result<Prepared, ZoneError> {
    let mut preparer = Preparer {
        text,
        at: 0,
        entry: Entry::default(),
        origin: String::new(),
        prepared: Prepared {
            text: Vec::with_capacity(text.len() + 1),
            failures: Vec::new(),
            entries: Vec::new(),
        },
        line: 1,
        line_start: 0,
    };
    while preparer.at < text.len() {
        preparer.step()?;
    }
    if let Some(open) = preparer.entry.open.last() {
        return Err(preparer.error(*open, "a parenthesis is not closed", "close it with )"));
    }
    preparer.end_entry()?;
    preparer.prepared.text.push(b'\n');
    Ok(preparer.prepared)
}

struct Preparer<'a> {
    text: &'a [u8],
    at: usize,
    entry: Entry,
    origin: String,
    prepared: Prepared,
    line: usize,
    line_start: usize,
}

/// The entry that is being read.
#[derive(Default)]
struct Entry {
    words: Vec<Word>,
    indented: bool,
    /// Where its open parentheses stand.
    open: Vec<usize>,
}

/// A word: where it stands in the text, and where in the prepared text.
struct Word {
    place: Range<usize>,
    prepared: Range<usize>,
}

impl Preparer<'_> {
    /// Takes a word, a comment, or one octet between words.
    fn step(&mut self) -> Result<(), ZoneError> {
        match self.text[self.at] {
            b';' => self.comment(),
            b'\n' => {
                if self.entry.open.is_empty() {
                    self.end_entry()?;
                }
                self.copy_octet();
                Ok(())
            }
            octet @ (b' ' | b'\t' | b'\r' | b'(' | b')') => {
                match octet {
                    b'(' => self.entry.open.push(self.at),
                    b')' if self.entry.open.pop().is_none() => {
                        let problem = "a parenthesis is closed that was not opened";
                        return Err(self.error(self.at, problem, "take it away"));
                    }
                    b')' => {}
                    _ => self.entry.indented |= self.entry.words.is_empty(),
                }
                self.copy_octet();
                Ok(())
            }
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<(), ZoneError> {
        let (start, prepared_start) = (self.at, self.prepared.text.len());
        let quoted = self.text[start] == b'"';
        let mut open = quoted;
        if self.entry.words.is_empty() {
            self.prepared.entries.push((self.line, start - self.line_start + 1));
        }
        self.copy_octet();
        while let Some(&octet) = self.text.get(self.at) {
            match octet {
                b'"' if quoted => {
                    self.copy_octet();
                    open = false;
                    break;
                }
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"' if !quoted => break,
                b'\\' if self.at + 1 < self.text.len() => {
                    self.copy_octet();
                    self.copy_octet();
                }
                _ => self.copy_octet(),
            }
        }
        if open {
            return Err(self.error(start, "a quotation mark is not closed", "close it with \""));
        }
        let prepared = prepared_start..self.prepared.text.len();
        self.entry.words.push(Word { place: start..self.at, prepared });
        Ok(())
    }

    fn comment(&mut self) -> Result<(), ZoneError> {
        let start = self.at;
        let length = self.text[start..].iter().position(|octet| *octet == b'\n');
        self.at = length.map_or(self.text.len(), |length| start + length);
        match self.text[start..self.at].strip_prefix(b";!") {
            Some(directive) if directive.first().is_some_and(u8::is_ascii_alphabetic) => {
                let directive = String::from_utf8_lossy(directive);
                let failure = self.failure(&directive).map_err(|problem| {
                    let cure = "write `;!servfail NAME [TYPE]` or `;!timeout NAME [TYPE]`";
                    self.error(start, &problem, cure)
                })?;
                self.prepared.failures.push(failure);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn failure(&self, directive: &str) -> Result<(WireName, Failing), String> {
        let mut words = directive.split_ascii_whitespace();
        let failure = match words.next() {
            Some("servfail") => Failure::ServerFailure,
            Some("timeout") => Failure::Timeout,
            word => return Err(format!("`;!{}` is no failure", word.unwrap_or_default())),
        };
        let name = words.next().ok_or("the name is missing")?;
        let name = self.absolute(name).ok_or_else(|| format!("`{name}` is no domain name"))?;
        let types = match words.next() {
            Some(word) => {
                let only = record_type(&word.to_ascii_uppercase());
                FailingTypes::Only(only.ok_or_else(|| format!("`{word}` is no record type"))?)
            }
            None => FailingTypes::AllBut(Vec::new()),
        };
        match words.next() {
            Some(word) => Err(format!("`{word}` is one word too many")),
            None => Ok((name, Failing { failure, types })),
        }
    }

    /// The name under the origin in force, unless it ends in a dot or in that origin already.
    fn absolute(&self, name: &str) -> Option<WireName> {
        if name == "@" {
            return master_name(&self.origin);
        }
        let origin = self.origin.to_ascii_lowercase();
        let lower = name.to_ascii_lowercase();
        let within = lower.strip_suffix(origin.strip_suffix('.').unwrap_or(&origin));
        let full = within.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if name.ends_with('.') || full || origin.is_empty() || origin == "." {
            master_name(name)
        } else {
            master_name(&format!("{name}.{}", self.origin))
        }
    }

    fn end_entry(&mut self) -> Result<(), ZoneError> {
        let entry = std::mem::take(&mut self.entry);
        let word = |index: usize| entry.words.get(index).map(|word| &self.text[word.place.clone()]);
        if word(0).is_some_and(|word| word.eq_ignore_ascii_case(b"$ORIGIN")) {
            let origin = String::from_utf8_lossy(word(1).unwrap_or_default()).into_owned();
            self.origin = match origin.ends_with('.') || self.origin.is_empty() {
                true => origin,
                false => format!("{origin}.{}", self.origin),
            };
            return Ok(());
        }
        let mut index = usize::from(!entry.indented);
        while word(index).is_some_and(is_ttl_or_class) {
            index += 1;
        }
        let record_type = word(index).map(<[u8]>::to_ascii_uppercase);
        let data = entry.words.get(index + 1..).unwrap_or_default();
        let rdata = match record_type.as_deref() {
            _ if word(index + 1) == Some(br"\#") => return Ok(()),
            Some(b"APL") => self.apl(data)?,
            Some(b"SPF") => self.character_strings(data)?,
            _ => return Ok(()),
        };
        self.replace_data(&entry.words[index..], &rdata);
        Ok(())
    }

    /// Writes RDATA as RFC 3597 has it; `words` begin with the type.
    fn replace_data(&mut self, words: &[Word], rdata: &[u8]) {
        for word in &words[1..] {
            self.prepared.text[word.prepared.clone()].fill(b' ');
        }
        let hex: String = rdata.iter().map(|octet| format!("{octet:02x}")).collect();
        let data = format!(r" \# {} {hex}", rdata.len());
        let behind_type = words[0].prepared.end;
        self.prepared.text.splice(behind_type..behind_type, data.into_bytes());
    }

    fn apl(&self, words: &[Word]) -> Result<Vec<u8>, ZoneError> {
        let mut rdata = Vec::new();
        for word in words {
            let item = String::from_utf8_lossy(&self.text[word.place.clone()]);
            let octets = apl::item(&item).map_err(|problem| {
                let cure = "write items such as 1:192.0.2.0/24 or !2:2001:db8::/32 (RFC 3123)";
                let problem = format!("`{item}` is no APL item: {problem}");
                self.error(word.place.start, &problem, cure)
            })?;
            rdata.extend_from_slice(&octets);
        }
        Ok(rdata)
    }

    /// The data of the SPF type (RFC 4408 section 3.1.1), which is that of TXT.
    fn character_strings(&self, words: &[Word]) -> Result<Vec<u8>, ZoneError> {
        let mut rdata = Vec::new();
        for word in words {
            let text = &self.text[word.place.clone()];
            let text =
                text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(text);
            let length = unescaped(text).count();
            let string: Option<Vec<u8>> =
                unescaped(text).map(|octet| octet.map(|(octet, _)| octet)).collect();
            let string = string.filter(|_| length <= 255).ok_or_else(|| {
                let cure =
                    r"write several strings of at most 255 octets, octets as \DDD up to \255";
                self.error(word.place.start, "this is no character-string", cure)
            })?;
            rdata.push(length as u8);
            rdata.extend_from_slice(&string);
        }
        Ok(rdata)
    }

    fn copy_octet(&mut self) {
        match self.text[self.at] {
            octet @ 0x80.. => self.prepared.text.extend(decimal_escape(octet).into_bytes()),
            octet => self.prepared.text.push(octet),
        }
        self.at += 1;
        if self.text[self.at - 1] == b'\n' {
            self.line += 1;
            self.line_start = self.at;
        }
    }

    fn error(&self, at: usize, problem: &str, cure: &'static str) -> ZoneError {
        let before = &self.text[..at];
        let line_start = before.iter().rposition(|octet| *octet == b'\n').map_or(0, |end| end + 1);
        ZoneError::Syntax {
            line: before.iter().filter(|octet| **octet == b'\n').count() + 1,
            column: at - line_start + 1,
            problem: problem.to_owned(),
            cure,
        }
    }
}

fn is_ttl_or_class(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_digit)
        || [&b"IN"[..], b"CH", b"HS"].iter().any(|class| word.eq_ignore_ascii_case(class))
        || word.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"CLASS"))
}

/// A name as a master file writes it.
fn master_name(text: &str) -> Option<WireName> {
    let mut labels = vec![Vec::new()];
    for octet in unescaped(text.strip_suffix('.').unwrap_or(text).as_bytes()) {
        match octet? {
            (b'.', false) => labels.push(Vec::new()),
            (octet, _) => labels.last_mut()?.push(octet),
        }
    }
    if labels.len() == 1 && labels[0].is_empty() {
        labels.clear();
    }
    WireName::from_labels(labels.iter().map(Vec::as_slice))
}

/// The octets of a word, and whether each was written `\X` or `\DDD` (RFC 1035 section 5.1); none
/// where a backslash begins nothing.
fn unescaped(word: &[u8]) -> impl Iterator<Item = Option<(u8, bool)>> {
    let mut octets = word.iter().copied();
    std::iter::from_fn(move || {
        let octet = octets.next()?;
        if octet != b'\\' {
            return Some(Some((octet, false)));
        }
        let escaped = match octets.next() {
            Some(first @ b'0'..=b'9') => {
                octets.next().zip(octets.next()).and_then(|(second, third)| {
                    std::str::from_utf8(&[first, second, third]).ok()?.parse().ok()
                })
            }
            other => other,
        };
        Some(escaped.map(|octet| (octet, true)))
    })
}
