use crate::authentication_results::authserv_id;
use crate::domain;
use crate::header::{Field, READ_MAX};
use crate::scanner::{Malformed, Scanner};

/// Whether a header field that came from outside claims to be ours, and has to go.
///
/// `field` is the field's lines; `own_names` are our authserv-ids and host names. Gone must be
/// (RFC 8601 section 5):
/// - an `Authentication-Results` whose authserv-id is ours, or which has a version that we do not
///   know, or whose authserv-id cannot be read at all;
/// - a `Received-SPF` with a `receiver` that is ours or a comment that begins with our name and a
///   colon (RFC 7208 section 9.1), or which cannot be read;
/// - either one under a name with octets in it that a careless reader might overlook.
///
/// Names compare without case, and a U-label is its A-label. No more than [`READ_MAX`] octets of a
/// field are looked at: the answer for a longer one is the answer for its first `READ_MAX + 1`.
pub fn forged(field: &[u8], own_names: &[impl AsRef<str>]) -> bool {
    let field = Field::new(field);
    let is_own = |name: &str| {
        // IDNA makes blanks of the blanks above ASCII, which some readers pass over.
        let name = domain::to_ascii(name);
        own_names.iter().any(|own| domain::to_ascii(own.as_ref()) == name.trim())
    };
    if field.resembles("Authentication-Results") {
        return field.name().is_none() || claims_results(&field, is_own);
    }
    if field.resembles("Received-SPF") {
        return field.name().is_none() || claims_spf(&field, is_own);
    }
    false
}

fn claims_results(field: &Field<'_>, is_own: impl Fn(&str) -> bool) -> bool {
    let (value, cut) = readable(field);
    match authserv_id(value, cut) {
        // Above ASCII only a domain name can be compared, and only if IDNA can convert it.
        Ok((id, version)) => {
            version.is_some_and(|version| version != 1)
                || !(id.is_ascii() || domain::is_host_name(&id))
                || is_own(&id)
        }
        Err(_) => true,
    }
}

fn claims_spf(field: &Field<'_>, is_own: impl Fn(&str) -> bool) -> bool {
    let (value, cut) = readable(field);
    cut || spf_receiver_is(value, is_own).unwrap_or(true)
}

/// The value as far as it is read, and whether that is not all of it.
fn readable<'a>(field: &Field<'a>) -> (&'a [u8], bool) {
    match field.raw().get(..READ_MAX) {
        Some(beginning) if field.raw().len() > READ_MAX => (Field::new(beginning).value(), true),
        _ => (field.value(), false),
    }
}

/// Takes what real software writes, beyond the grammar of RFC 7208 section 9.1: pairs without
/// semicolons, values that should have been quoted.
fn spf_receiver_is(value: &[u8], is_own: impl Fn(&str) -> bool) -> Result<bool, Malformed> {
    let mut scanner = Scanner::new(value);
    let mut key = String::new();
    loop {
        scanner.skip_fws()?;
        match scanner.peek() {
            None => return Ok(false),
            Some(b'(') => {
                if comment_is_from(scanner.comment()?, &is_own) {
                    return Ok(true);
                }
            }
            Some(b';' | b'=') => {
                scanner.run(|octet| matches!(octet, b';' | b'='))?;
            }
            Some(_) => {
                let word = word(&mut scanner)?;
                if key.eq_ignore_ascii_case("receiver") && is_own(&word) {
                    return Ok(true);
                }
                key = word;
            }
        }
    }
}

fn comment_is_from(comment: &[u8], is_own: impl Fn(&str) -> bool) -> bool {
    let text: Vec<u8> = comment.iter().copied().filter(|octet| *octet != b'\\').collect();
    // Octets that are no UTF-8 are in no name of ours.
    let Some(colon) = text.iter().position(|octet| *octet == b':') else { return false };
    std::str::from_utf8(&text[..colon]).is_ok_and(|name| is_own(name.trim()))
}

fn word(scanner: &mut Scanner<'_>) -> Result<String, Malformed> {
    if scanner.peek() == Some(b'"') {
        return scanner.quoted_string();
    }
    let plain =
        |octet: u8| !octet.is_ascii_control() && !matches!(octet, b' ' | b'"' | b'(' | b';' | b'=');
    scanner.run(plain).map(str::to_owned)
}

#[cfg(test)]
mod tests;
