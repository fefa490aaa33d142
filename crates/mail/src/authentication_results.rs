//! The Authentication-Results header field (RFC 8601 section 2.2): written and read.

use thiserror::Error;

use crate::header::READ_MAX;
use crate::scanner::{Malformed, Scanner};
use crate::{Charset, FieldBody, domain};

/// What one host found out about a message: the value of an Authentication-Results field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthenticationResults {
    /// Who says so.
    pub authserv_id: String,
    /// The version of the field's syntax; 1 if it is left out.
    pub version: Option<u32>,
    /// The results. Empty is written as `none`: nothing was evaluated.
    pub results: Vec<MethodResult>,
}

/// `method=result`, and on what it rests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MethodResult {
    /// The method, such as `spf`.
    pub method: String,
    /// The method's version; 1 if it is left out.
    pub method_version: Option<u32>,
    /// The result, such as `pass`.
    pub result: String,
    /// For people, after the result. Reading drops comments.
    pub comment: Option<String>,
    /// Why, in the words of the method.
    pub reason: Option<String>,
    /// What was judged.
    pub properties: Vec<Property>,
}

/// `ptype.property=value`, such as `smtp.mailfrom=example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Property {
    /// Where the value comes from: `smtp`, `header`, `body` or `policy`.
    pub ptype: String,
    /// Which part of it.
    pub property: String,
    /// The value, without quotes around the whole. A quoted local part keeps its own.
    pub value: String,
}

/// Why a value is no Authentication-Results. All of it is the writer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// More octets than [`READ_MAX`].
    #[error("the field is longer than {READ_MAX} octets")]
    TooLong,
    /// No authserv-id and version at the start.
    #[error("the authserv-id cannot be read")]
    AuthservId,
    /// The grammar is broken near this octet.
    #[error("the results cannot be read at octet {0}")]
    Results(usize),
}

impl AuthenticationResults {
    /// The field's name.
    pub const NAME: &'static str = "Authentication-Results";

    /// Reads a value, folded or not, from the octet after the colon.
    ///
    /// Beyond the grammar, a property's value may hold what real software leaves unquoted, such as
    /// the `/` and `=` of base64. Results of unknown methods are kept.
    ///
    /// # Errors
    /// What the value breaks.
    pub fn parse(value: &[u8]) -> Result<Self, Unreadable> {
        if value.len() > READ_MAX {
            return Err(Unreadable::TooLong);
        }
        let mut scanner = Scanner::new(value);
        let (authserv_id, version) =
            head(&mut scanner).map_err(|Malformed| Unreadable::AuthservId)?;
        match results(&mut scanner) {
            Ok(results) => Ok(Self { authserv_id, version, results }),
            Err(Malformed) => Err(Unreadable::Results(scanner.position())),
        }
    }

    /// The value, folded. Whatever is in it, it is one well-formed value: see [`FieldBody`].
    pub fn value(&self, charset: Charset) -> String {
        let mut body = FieldBody::new(Self::NAME, charset);
        if self.authserv_id.is_ascii() {
            body.text(&self.authserv_id);
        } else {
            body.text(&domain::to_ascii(&self.authserv_id));
        }
        if let Some(version) = self.version {
            body.word(&version.to_string());
        }
        if self.results.is_empty() {
            body.syntax(";");
            body.word("none");
        }
        for result in &self.results {
            body.syntax(";");
            body.new_line();
            result.write(&mut body);
        }
        body.finish()
    }
}

impl MethodResult {
    fn write(&self, body: &mut FieldBody) {
        body.method(&self.method, self.method_version, &self.result);
        if let Some(comment) = &self.comment {
            body.comment(comment);
        }
        if let Some(reason) = &self.reason {
            body.pair("reason", reason);
        }
        for property in &self.properties {
            body.property(&property.ptype, &property.property, &property.value);
        }
    }
}

/// The authserv-id and version at the start of a value, up to the semicolon after them. A value
/// that was `cut` has to show the semicolon; a whole one may end before it.
pub(crate) fn authserv_id(value: &[u8], cut: bool) -> Result<(String, Option<u32>), Malformed> {
    let mut scanner = Scanner::new(value);
    let head = head(&mut scanner)?;
    match scanner.peek() {
        Some(b';') => Ok(head),
        None if !cut => Ok(head),
        _ => Err(Malformed),
    }
}

fn head(scanner: &mut Scanner<'_>) -> Result<(String, Option<u32>), Malformed> {
    scanner.skip_cfws()?;
    let id = match scanner.peek() {
        Some(b'"') => scanner.quoted_string()?,
        _ => scanner.run(is_token)?.to_owned(),
    };
    scanner.skip_cfws()?;
    let version = match scanner.peek() {
        Some(b'0'..=b'9') => Some(number(scanner)?),
        _ => None,
    };
    scanner.skip_cfws()?;
    Ok((id, version))
}

fn results(scanner: &mut Scanner<'_>) -> Result<Vec<MethodResult>, Malformed> {
    let mut results = Vec::new();
    loop {
        scanner.expect(b';')?;
        scanner.skip_cfws()?;
        let method = scanner.run(is_keyword)?.to_owned();
        scanner.skip_cfws()?;
        if scanner.at_end() && results.is_empty() && method.eq_ignore_ascii_case("none") {
            return Ok(results);
        }
        results.push(method_result(scanner, method)?);
        if scanner.at_end() {
            return Ok(results);
        }
    }
}

fn method_result(scanner: &mut Scanner<'_>, method: String) -> Result<MethodResult, Malformed> {
    let mut read = MethodResult { method, ..MethodResult::default() };
    if scanner.take(b'/') {
        scanner.skip_cfws()?;
        read.method_version = Some(number(scanner)?);
        scanner.skip_cfws()?;
    }
    scanner.expect(b'=')?;
    scanner.skip_cfws()?;
    read.result = scanner.run(is_keyword)?.to_owned();
    scanner.skip_cfws()?;
    while !matches!(scanner.peek(), None | Some(b';')) {
        let ptype = scanner.run(is_keyword)?;
        scanner.skip_cfws()?;
        if scanner.take(b'=') {
            read.reason = Some(reason(scanner, &read, ptype)?);
        } else {
            read.properties.push(property(scanner, ptype)?);
        }
        scanner.skip_cfws()?;
    }
    Ok(read)
}

// There is one reason, and it stands before the properties.
fn reason(scanner: &mut Scanner<'_>, read: &MethodResult, word: &str) -> Result<String, Malformed> {
    let expected = read.reason.is_none() && read.properties.is_empty();
    if !expected || !word.eq_ignore_ascii_case("reason") {
        return Err(Malformed);
    }
    scanner.skip_cfws()?;
    match scanner.peek() {
        Some(b'"') => scanner.quoted_string(),
        _ => scanner.run(is_token).map(str::to_owned),
    }
}

fn property(scanner: &mut Scanner<'_>, ptype: &str) -> Result<Property, Malformed> {
    scanner.expect(b'.')?;
    scanner.skip_cfws()?;
    let property = scanner.run(is_keyword)?.to_owned();
    scanner.skip_cfws()?;
    scanner.expect(b'=')?;
    scanner.skip_cfws()?;
    Ok(Property { ptype: ptype.to_owned(), property, value: property_value(scanner)? })
}

fn property_value(scanner: &mut Scanner<'_>) -> Result<String, Malformed> {
    if scanner.peek() != Some(b'"') {
        return scanner.run(is_value).map(str::to_owned);
    }
    let start = scanner.position();
    let content = scanner.quoted_string()?;
    if scanner.peek() != Some(b'@') {
        return Ok(content);
    }
    scanner.run(is_value)?;
    String::from_utf8(scanner.since(start).to_vec()).map_err(|_| Malformed)
}

fn number(scanner: &mut Scanner<'_>) -> Result<u32, Malformed> {
    scanner.run(|octet| octet.is_ascii_digit())?.parse().map_err(|_| Malformed)
}

// `token` of RFC 2045 section 5.1; above ASCII by RFC 6532.
fn is_token(octet: u8) -> bool {
    is_text(octet) && !b"()<>@,;:\\\"/[]?=".contains(&octet)
}

// `Keyword` of RFC 5321 section 4.1.2, with the underscore that some writers use.
fn is_keyword(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')
}

fn is_value(octet: u8) -> bool {
    is_text(octet) && !b"();\"\\".contains(&octet)
}

fn is_text(octet: u8) -> bool {
    octet.is_ascii_graphic() || !octet.is_ascii()
}

#[cfg(test)]
mod tests;
