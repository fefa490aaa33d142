//! Names and comments that are addresses: what a reader may show instead of the author.

use quivive_evidence::{FindingResult, Stop};
use quivive_mail::{AddressList, encoded_word};

use crate::binding::Judgement;
use crate::ownership::{Inquiry, Ownership};
use crate::{Address, Scope};

/// How many addresses in names are looked at.
const ADDRESSES_MAX: usize = 8;

/// Characters that may stand around an address in a name.
const AROUND: &[char] = &['<', '>', '(', ')', '[', ']', '"', '\'', ',', ';', ':', '.', '`'];

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
    let texts: Vec<String> =
        names.chain(list.comments.iter().map(String::as_str)).map(encoded_word::decoded).collect();
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
