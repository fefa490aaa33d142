//! Who sent on what another wrote: the newest block of Resent fields (RFC 5322 section 3.6.6).

use quivive_evidence::{FindingResult, Header, HeaderField, Stop};

use crate::author::{Causes, Fault, all_granted, read, sole, unless_foreign};
use crate::binding::{Judgement, judge};
use crate::ownership::Inquiry;
use crate::{Address, Scope};

/// The newest block must be the client's own; older ones are what others did.
pub(crate) fn newest(inquiry: &mut Inquiry<'_>, header: &Header) -> Result<Judgement, Stop> {
    let block = match block(header) {
        Ok(block) if block.is_empty() => {
            return Ok(Judgement::new(FindingResult::None, "no-resent-fields"));
        }
        Ok(block) => block,
        Err(fault) => return Ok(unless_foreign(inquiry, fault)),
    };
    let field = |name: &str| block.iter().find(|field| field.is(name)).copied();
    let causes = Causes::of("Resent");
    let Some(from) = field("Resent-From") else {
        return Ok(unless_foreign(inquiry, Fault::Number("resent-from-missing")));
    };
    let from = match read(from, causes) {
        Ok(list) => list,
        Err(fault) => return Ok(unless_foreign(inquiry, fault)),
    };
    let judgement = all_granted(inquiry, &from, Scope::Resent)?;
    let Some(sender) = field("Resent-Sender").filter(|_| judgement.is(FindingResult::Pass)) else {
        return Ok(judgement);
    };
    let sender =
        read(sender, causes).and_then(|list| sole(&list, "resent-sender-not-one-mailbox").cloned());
    match sender {
        Ok(mailbox) => {
            let address = Address::new(&mailbox.mailbox, inquiry.rules);
            judge(inquiry, &address, Scope::Resent).map(|(judgement, _)| judgement)
        }
        Err(fault) => Ok(unless_foreign(inquiry, fault)),
    }
}

/// The Resent fields at the top, as far as they are one block: until a trace field parts them from
/// older ones, or one of them begins the next.
fn block(header: &Header) -> Result<Vec<&HeaderField>, Fault> {
    let is_resent = |field: &HeaderField| {
        field.name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("Resent-"))
    };
    let is_hidden = |field: &HeaderField| {
        ["Resent-From", "Resent-Sender"].iter().any(|name| !field.is(name) && field.resembles(name))
    };
    if header.fields.iter().any(is_hidden) {
        return Err(Fault::Number("resent-hidden"));
    }
    let mut block: Vec<&HeaderField> = Vec::new();
    for field in &header.fields {
        if !is_resent(field) {
            let parts = ["Received", "Return-Path"].iter().any(|name| field.is(name));
            if parts && !block.is_empty() {
                break;
            }
            continue;
        }
        if block.iter().any(|known| known.is(&field.name)) {
            break;
        }
        block.push(field);
    }
    Ok(block)
}
