//! Slips of single characters: quotes, blanks that are none, dashes, commas.

use super::super::term::{self, Term};
use super::Slip;

const QUOTES: &[char] = &['"', '\'', '`', '\u{ab}', '\u{bb}'];

/// Quotation marks belong to a zone file, and not into the text of a record.
pub(super) fn quotes(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let is_quote = |c: char| QUOTES.contains(&c) || ('\u{2018}'..='\u{201f}').contains(&c);
    let bare = term.text.trim_matches(is_quote);
    if bare.len() == term.text.len() {
        return None;
    }
    let kind = if term.text.is_ascii() { "a quotation mark" } else { "a typographic quote" };
    Some(Slip::new(
        "quotes",
        format!("{kind} is part of the record, and no term may hold one"),
        match bare {
            "" => "leave it out".to_owned(),
            bare => format!("leave it out: `{bare}`"),
        },
    ))
}

/// What is not ASCII, or cannot be seen (RFC 7208 section 4.5 and 12).
pub(super) fn beyond_ascii(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let wrong = term.text.chars().find(|c| !c.is_ascii_graphic())?;
    let replaced = |by: &str| term.text.replace(wrong, by);
    let (code, what, help) = match wrong {
        '\t' => ("blank", "a tab", "separate terms by blanks alone".to_owned()),
        c if c.is_whitespace() => {
            ("blank", "a blank that is none in ASCII", "type the blank anew".to_owned())
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => {
            ("dash", "a typographic dash", format!("write `{}`", replaced("-")))
        }
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {
            ("invisible", "an invisible character", format!("write `{}`", replaced("")))
        }
        '\u{fffd}' => ("not-ascii", "an octet that is no text", "type the term anew".to_owned()),
        c if c.is_control() => {
            ("not-ascii", "a control character", format!("write `{}`", replaced("")))
        }
        _ => ("not-ascii", "a character beyond ASCII", as_a_labels(term)),
    };
    Some(Slip::new(code, format!("{what} stands in a record, which must be ASCII"), help))
}

/// Domains are written as A-labels (RFC 8616 section 4).
fn as_a_labels(term: &Term<'_>) -> String {
    let (name, domain) = match term.text.split_once([':', '=']) {
        Some((name, domain)) if name.is_ascii() => (&term.text[..=name.len()], domain),
        _ => return "write the record in ASCII alone".to_owned(),
    };
    let ascii = quivive_mail::domain::to_ascii(domain);
    if ascii.is_ascii() && super::is_domain(&ascii) {
        format!("write `{name}{ascii}`")
    } else {
        "write the record in ASCII alone".to_owned()
    }
}

/// Commas and semicolons separate terms elsewhere.
pub(super) fn separator(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let parts: Vec<_> = term.text.split([',', ';']).filter(|part| !part.is_empty()).collect();
    if !term.text.contains([',', ';']) {
        return None;
    }
    let message = "a comma or semicolon stands where only blanks separate terms";
    let is_good = |text: &str| {
        let whole = format!("v=spf1 {text}");
        term::split(&whole, 0).iter().all(|term| term.error().is_none())
    };
    let written = parts.join(" ");
    if is_good(&written) {
        return Some(Slip::new("separator", message, format!("write `{written}`")));
    }
    // `ip4:192.0.2.1,192.0.2.2`
    let name = parts.first().and_then(|first| first.split_once(':')).map(|(name, _)| name);
    let with_name = |(index, part): (usize, &&str)| match name {
        Some(name) if index > 0 => format!("{name}:{part}"),
        _ => (*part).to_owned(),
    };
    let written = parts.iter().enumerate().map(with_name).collect::<Vec<_>>().join(" ");
    let help = match is_good(&written) {
        true => format!("write `{written}`"),
        false => "write each as a term of its own, with blanks between them".to_owned(),
    };
    Some(Slip::new("separator", message, help))
}
