//! The maps `forward` and `reverse`, with the answers of PostSRSd: who changes from one to the
//! other changes nothing else.

use std::sync::Arc;

use quivive_postfix::Answer;
use quivive_srs::{Fault, Kept, Returned, Reversed, Written};

use super::{Rewriter, unix_now};
use crate::maps::Map;

/// How many octets an address may have in a socketmap, as PostSRSd 2 has it.
const SOCKETMAP_ADDRESS_OCTETS_MAX: usize = 512;

/// Whose answers a map gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Those of PostSRSd 1, behind tcp_table.
    PostSrsd1,
    /// Those of PostSRSd 2, behind socketmap.
    PostSrsd2,
}

/// What senders become: for Postfix's `sender_canonical_maps`.
pub fn forward_map(rewriter: &Rewriter, manner: Manner) -> Arc<dyn Map> {
    Arc::new(ForwardMap { rewriter: rewriter.clone(), manner })
}

/// Whose a rewritten recipient is: for Postfix's `recipient_canonical_maps`.
pub fn reverse_map(rewriter: &Rewriter, manner: Manner) -> Arc<dyn Map> {
    Arc::new(ReverseMap { rewriter: rewriter.clone(), manner })
}

struct ForwardMap {
    rewriter: Rewriter,
    manner: Manner,
}

struct ReverseMap {
    rewriter: Rewriter,
    manner: Manner,
}

impl Map for ForwardMap {
    fn look_up(&self, sender: &str) -> Answer {
        if let Some(too_big) = too_big(sender, self.manner) {
            return too_big;
        }
        if self.manner == Manner::PostSrsd1 && self.is_valid(sender) {
            return Answer::NotFound("Already rewritten");
        }
        match self.rewriter.forward(sender) {
            Written::Rewritten(address) => Answer::Found(address),
            Written::Kept(reason) => self.kept(reason, sender),
        }
    }
}

impl ForwardMap {
    /// Whether an address, wherever it is, has a hash of ours.
    fn is_valid(&self, address: &str) -> bool {
        let srs = self.rewriter.forwarder().srs();
        matches!(srs.reverse(address, unix_now()), Ok(Reversed::Original(_)))
    }

    /// To a mail server no match and the same address are one. PostSRSd 1 gives back what is at its
    /// own domain, and excludes other domains by name.
    fn kept(&self, reason: Kept, sender: &str) -> Answer {
        match (self.manner, reason) {
            (Manner::PostSrsd1, Kept::Own | Kept::Ours) if self.is_at_srs_domain(sender) => {
                Answer::Found(sender.to_owned())
            }
            (Manner::PostSrsd1, Kept::Own | Kept::Ours | Kept::Excepted | Kept::NotListed) => {
                Answer::NotFound("Domain excluded by policy")
            }
            (Manner::PostSrsd1, Kept::Null | Kept::Fault(Fault::NoAt)) => {
                Answer::NotFound("No at sign in sender address")
            }
            (Manner::PostSrsd2, Kept::Own | Kept::Ours) => {
                Answer::NotFound("Need not rewrite local domain.")
            }
            (Manner::PostSrsd2, Kept::Null | Kept::Fault(Fault::NoAt)) => {
                Answer::NotFound("No domain.")
            }
            (_, reason) => Answer::NotFound(reason.text()),
        }
    }

    fn is_at_srs_domain(&self, sender: &str) -> bool {
        let domain = sender.rsplit_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| self.rewriter.forwarder().is_ours(domain))
    }
}

impl Map for ReverseMap {
    /// What is not ours is no match, and so is what is forged or too old: an error would have mail
    /// for it tried again and again.
    fn look_up(&self, recipient: &str) -> Answer {
        if let Some(too_big) = too_big(recipient, self.manner) {
            return too_big;
        }
        match self.rewriter.reverse(recipient, None) {
            Returned::Original(original) => Answer::Found(original.address),
            Returned::Unsigned(unsigned) => Answer::Found(unsigned.address),
            Returned::NotOurs => Answer::NotFound("Not an SRS address."),
            Returned::Refused(refusal) => Answer::NotFound(refusal.text()),
        }
    }
}

fn too_big(address: &str, manner: Manner) -> Option<Answer> {
    let is_too_big = manner == Manner::PostSrsd2 && address.len() > SOCKETMAP_ADDRESS_OCTETS_MAX;
    is_too_big.then_some(Answer::Permanent("Too big."))
}

#[cfg(test)]
mod tests;
