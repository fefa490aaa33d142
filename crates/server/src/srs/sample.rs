//! A forwarder for the tests of doors.

use std::sync::Arc;

use quivive_srs::{Bounces, Forwarder, Policy, Rules, Secrets, Srs, Written};

use super::Rewriter;

/// Forwards as `fwd.example`, formerly `old.example`, for `here.example`; leaves what comes from
/// `except.example` alone; takes bounces only.
pub(crate) fn rewriter() -> Rewriter {
    let policy = Policy {
        domain: "fwd.example".to_owned(),
        former_domains: vec!["old.example".to_owned()],
        own_domains: vec!["here.example".to_owned()],
        only: Vec::new(),
        except: vec!["except.example".to_owned()],
        unsigned_domains: vec!["old.example".to_owned()],
        local_part_max: 64,
        bounces: Bounces::Only,
    };
    let srs = Srs::new(&Secrets::parse(b"tops3cr3t").unwrap(), Rules::default());
    Rewriter::new(Forwarder::new(srs, policy), Arc::default())
}

/// What a sender becomes today.
pub(crate) fn rewritten(sender: &str) -> String {
    match rewriter().forward(sender) {
        Written::Rewritten(address) => address,
        kept => panic!("{sender}: {kept:?}"),
    }
}
