//! Slips of single characters: quotes, blanks that are none, dashes, commas.

use super::super::term::{self, Term};
use super::{Cure, Slip, say, write};

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
            "" => say("leave it out"),
            bare => write(bare.replace(is_dash, "-")),
        },
    ))
}

/// What is not ASCII, or cannot be seen (RFC 7208 section 4.5 and 12).
pub(super) fn beyond_ascii(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let wrong = term.text.chars().find(|c| !c.is_ascii_graphic())?;
    let without = |of: fn(char) -> bool| write(term.text.replace(of, ""));
    let (code, what, cure) = match wrong {
        '\t' => ("blank", "a tab", say("separate terms by blanks alone")),
        c if c.is_whitespace() => {
            ("blank", "a blank that is none in ASCII", say("type the blank anew"))
        }
        c if is_dash(c) => ("dash", "a typographic dash", write(term.text.replace(is_dash, "-"))),
        c if is_invisible(c) => ("invisible", "an invisible character", without(is_invisible)),
        '\u{fffd}' => ("not-ascii", "an octet that is no text", say("type the term anew")),
        c if c.is_control() => ("not-ascii", "a control character", without(char::is_control)),
        _ => ("not-ascii", "a character beyond ASCII", as_a_labels(term)),
    };
    Some(Slip::new(code, format!("{what} stands in a record, which must be ASCII"), cure))
}

fn is_dash(character: char) -> bool {
    matches!(character, '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// Domains are written as A-labels (RFC 8616 section 4).
fn as_a_labels(term: &Term<'_>) -> Cure {
    let (name, domain) = match term.text.split_once([':', '=']) {
        Some((name, domain)) if name.is_ascii() => (&term.text[..=name.len()], domain),
        _ => return say("write the record in ASCII alone"),
    };
    let ascii = quivive_mail::domain::to_ascii(domain);
    if ascii.is_ascii() && super::is_domain(&ascii) {
        write(format!("{name}{ascii}"))
    } else {
        say("write the record in ASCII alone")
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
        return Some(Slip::new("separator", message, write(written)));
    }
    // `ip4:192.0.2.1,192.0.2.2`
    let name = parts.first().and_then(|first| first.split_once(':')).map(|(name, _)| name);
    let with_name = |(index, part): (usize, &&str)| match name {
        Some(name) if index > 0 => format!("{name}:{part}"),
        _ => (*part).to_owned(),
    };
    let written = parts.iter().enumerate().map(with_name).collect::<Vec<_>>().join(" ");
    let cure = match is_good(&written) {
        true => write(written),
        false => say("write each as a term of its own, with blanks between them"),
    };
    Some(Slip::new("separator", message, cure))
}
