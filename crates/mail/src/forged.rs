use crate::authentication_results::authserv_id;
use crate::domain;
use crate::header::{Field, READ_MAX};
use crate::scanner::{Malformed, Scanner};

/// The names of the fields that [`forged`] looks at.
pub const RESULT_FIELDS: &[&str] = &["Authentication-Results", "Received-SPF", "X-RMX"];

/// Whether a header field that came from outside claims to be ours, and has to go.
///
/// `field` is the field's lines; `own_names` are our authserv-ids and host names. Gone must be
/// (RFC 8601 section 5):
/// - an `Authentication-Results` whose authserv-id is ours, or which has a version that we do not
///   know, or whose authserv-id cannot be read at all;
/// - a `Received-SPF` (RFC 7208 section 9.1), unless it says so that nobody can misread it that
///   another host wrote it: in `receiver`, or in a comment that begins with its name and a colon;
/// - an `X-RMX` (draft-danisch-dns-rr-smtp-04), unless another host stands behind its `by`;
/// - any of them under a name with octets in it that a careless reader might overlook.
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
    if field.resembles("X-RMX") {
        return field.name().is_none() || claims_rmx(&field, is_own);
    }
    false
}

/// `RESULT addr ADDRESS by HOST on DATE mechanism MECHANISM`: whatever is not that is a claim.
fn claims_rmx(field: &Field<'_>, is_own: impl Fn(&str) -> bool) -> bool {
    let (value, cut) = readable(field);
    let Ok(text) = str::from_utf8(value) else { return true };
    let mut words = text.split_ascii_whitespace().skip(1);
    let head = [words.next(), words.next().map(|_| "ADDRESS"), words.next()];
    let host = words.next().unwrap_or_default().trim_matches('"');
    cut || head != [Some("addr"), Some("ADDRESS"), Some("by")]
        || !domain::is_host_name(host)
        || is_own(host)
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
    // An encoded word (RFC 2047) has no place in it, and shows something else to who decodes it.
    let encoded = value.windows(2).any(|pair| pair == b"=?");
    cut || encoded || !names_another_receiver(value, is_own).unwrap_or(false)
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
fn names_another_receiver(value: &[u8], is_own: impl Fn(&str) -> bool) -> Result<bool, Malformed> {
    let mut scanner = Scanner::new(value);
    let mut key = String::new();
    let mut another = false;
    loop {
        scanner.skip_fws()?;
        match scanner.peek() {
            None => return Ok(another),
            Some(b'(') => match author(scanner.comment()?) {
                Some(name) if is_own(&name) => return Ok(false),
                Some(name) => another |= is_full_host_name(&name),
                None => {}
            },
            Some(b';' | b'=') => {
                scanner.run(|octet| matches!(octet, b';' | b'='))?;
            }
            Some(_) => {
                let word = word(&mut scanner)?;
                if key.eq_ignore_ascii_case("receiver") {
                    if is_own(&word) || !is_full_host_name(&word) {
                        return Ok(false);
                    }
                    another = true;
                }
                key = word;
            }
        }
    }
}

/// The name before the colon of a comment, without its escapes.
fn author(comment: &[u8]) -> Option<String> {
    let text: Vec<u8> = comment.iter().copied().filter(|octet| *octet != b'\\').collect();
    let colon = text.iter().position(|octet| *octet == b':')?;
    // Octets that are no UTF-8 are in no name.
    str::from_utf8(&text[..colon]).ok().map(|name| name.trim().to_owned())
}

fn is_full_host_name(name: &str) -> bool {
    name.contains('.') && domain::is_host_name(name)
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
