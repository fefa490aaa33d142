//! Names and comments that are addresses: what a reader may show instead of the author.

use quivive_evidence::{FindingResult, Stop};
use quivive_mail::{AddressList, encoded_word};
use unicode_normalization::UnicodeNormalization;

use crate::binding::Judgement;
use crate::ownership::{Inquiry, Ownership};
use crate::{Address, Scope};

/// How many addresses in names are looked at.
const ADDRESSES_MAX: usize = 8;

/// Characters that may stand around an address in a name.
const AROUND: &[char] = &['<', '>', '(', ')', '[', ']', '"', '\'', ',', ';', ':', '.', '`'];

/// Right-to-left override: what follows is shown from its end (UAX 9).
const REVERSED: char = '\u{202e}';

/// What speaks against the names and comments of a field, where they are bound: that they hold an
/// address which is somebody else's.
pub(crate) fn of_others(
    inquiry: &mut Inquiry<'_>,
    list: &AddressList,
) -> Result<Option<Judgement>, Stop> {
    if !inquiry.rules.bind_names || !inquiry.ours {
        return Ok(None);
    }
    let names = list.mailboxes().filter_map(|mailbox| mailbox.display_name.as_deref());
    let written: Vec<&str> = names.chain(list.comments.iter().map(String::as_str)).collect();
    // What cannot be read may show anybody's address.
    if !written.iter().all(|text| encoded_word::is_readable(text)) {
        return Ok(Some(Judgement::new(FindingResult::Fail, "name-not-readable")));
    }
    let texts = written.into_iter().map(encoded_word::decoded);
    let texts: Vec<String> = texts.flat_map(|text| as_shown(&text)).collect();
    let words = texts.iter().flat_map(|text| text.split_whitespace());
    let addresses: Vec<Address> = words
        .filter(|word| word.contains('@'))
        .filter_map(|word| Address::parse(word.trim_matches(AROUND), inquiry.rules))
        .take(ADDRESSES_MAX)
        .collect();
    for address in addresses {
        let owner = inquiry.owner(&address, Scope::From)?;
        if owner == Ownership::Others && inquiry.walk.is_certain() {
            let judgement = Judgement::new(FindingResult::Fail, "name-of-another");
            return Ok(Some(judgement.of(&address)));
        }
    }
    Ok(None)
}

/// A text as readers may take it: compatible forms of characters as the plain ones, no characters
/// that are not seen, an `@` without the blanks around it; and reversed, where it turns itself
/// round.
fn as_shown(text: &str) -> Vec<String> {
    let is_seen = |character: &char| {
        !matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let plain: String = text.nfkc().filter(is_seen).collect();
    let parts: Vec<&str> = plain.split('@').map(str::trim).collect();
    // The blanks at both ends of the whole separate nothing.
    let shown = parts.join("@");
    let reversed = text.contains(REVERSED).then(|| shown.chars().rev().collect());
    std::iter::once(shown).chain(reversed).collect()
}

#[cfg(test)]
mod tests {
    use super::as_shown;

    #[test]
    fn disguises_are_seen_through() {
        for text in [
            "boss @ e.test",
            "boss\u{ff20}e.test",
            "boss\u{fe6b}e.test",
            "bo\u{200b}ss@e\u{ad}.test",
            "\u{202e}tset.e@ssob",
        ] {
            assert!(as_shown(text).iter().any(|shown| shown == "boss@e.test"), "{text:?}");
        }
        assert_eq!(as_shown("Alice at home"), ["Alice at home"]);
    }
}
