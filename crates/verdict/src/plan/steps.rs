//! Every evaluation of this version.

use quivive_binding::Binding;
use quivive_caller_id::CallerId;
use quivive_evidence::{Evaluate, Facts, Identity, Method};
use quivive_lists::{DnsList, Iprev, Kind, List};
use quivive_lmap::{Dmp, Drip, MailFromMx, Rmx};
use quivive_sender_id::SenderId;
use quivive_spf::{Guessing, Limits, Spf};

use super::Stage;
use crate::Policy;

/// A method, and what it judges from some stage on.
pub(super) struct Step {
    pub(super) method: Method,
    /// One of these is judged: the second where there is nothing of the first, as the HELO name
    /// stands for the null reverse-path.
    pub(super) identities: &'static [Identity],
    pub(super) stage: Stage,
    pub(super) build: fn(&Policy, &Facts) -> Evaluations,
}

/// None where there is nothing to judge; several where a method judges by several lists.
type Evaluations = Vec<Box<dyn Evaluate>>;

/// In the order in which findings are weighed.
pub(super) const STEPS: &[Step] = &[
    Step {
        method: Method::Dnswl,
        identities: &[Identity::Ip],
        stage: Stage::Connect,
        build: |policy, _| lists(Kind::White, &policy.settings.dnswl),
    },
    Step {
        method: Method::Dnsbl,
        identities: &[Identity::Ip],
        stage: Stage::Connect,
        build: |policy, _| lists(Kind::Block, &policy.settings.dnsbl),
    },
    Step {
        method: Method::Iprev,
        identities: &[Identity::Ip],
        stage: Stage::Connect,
        build: |_, _| one(Iprev),
    },
    Step {
        method: Method::Spf,
        identities: &[Identity::Helo],
        stage: Stage::Helo,
        build: |policy, _| one(Spf::new(Identity::Helo, spf_limits(policy))),
    },
    Step {
        method: Method::Spf,
        identities: &[Identity::Mailfrom],
        stage: Stage::Mail,
        build: |policy, _| spf(policy, Identity::Mailfrom),
    },
    Step {
        method: Method::MailFromMx,
        identities: &[Identity::Mailfrom, Identity::Helo],
        stage: Stage::Mail,
        build: |policy, _| one(MailFromMx::new(policy.settings.mail_from_mx)),
    },
    Step {
        method: Method::Rmx,
        identities: &[Identity::Mailfrom, Identity::Helo],
        stage: Stage::Mail,
        build: |policy, _| one(Rmx::new(policy.settings.rmx)),
    },
    Step {
        method: Method::Dmp,
        identities: &[Identity::Mailfrom, Identity::Helo],
        stage: Stage::Mail,
        build: |policy, _| one(Dmp::new(policy.settings.dmp)),
    },
    Step {
        method: Method::Dmp,
        identities: &[Identity::Helo],
        stage: Stage::Mail,
        build: |policy, facts| {
            let settings = policy.settings.dmp;
            // For the null reverse-path the HELO name is judged already.
            let is_alternative = settings.helo_alternative && !facts.reverse_path.is_empty();
            if is_alternative { one(Dmp::helo_alternative(settings)) } else { Vec::new() }
        },
    },
    Step {
        method: Method::Drip,
        identities: &[Identity::Helo],
        stage: Stage::Helo,
        build: |policy, _| one(Drip::new(policy.settings.drip)),
    },
    Step {
        method: Method::SenderId,
        identities: &[Identity::Mailfrom],
        stage: Stage::Mail,
        build: |policy, _| one(SenderId::of_reverse_path(spf_limits(policy))),
    },
    Step {
        method: Method::SenderId,
        identities: &[Identity::Pra],
        stage: Stage::Mail,
        build: |policy, facts| match facts.submitter {
            Some(_) => one(SenderId::of_submitter(spf_limits(policy))),
            None => Vec::new(),
        },
    },
    Step {
        method: Method::SenderId,
        identities: &[Identity::Pra],
        stage: Stage::Header,
        build: |policy, _| one(SenderId::of_pra(spf_limits(policy))),
    },
    Step {
        method: Method::CallerId,
        identities: &[Identity::Pra],
        stage: Stage::Header,
        build: |_, _| one(CallerId),
    },
    Step {
        method: Method::Binding,
        identities: &[Identity::Mailfrom],
        stage: Stage::Mail,
        build: |policy, _| binding(policy, Identity::Mailfrom),
    },
    Step {
        method: Method::Binding,
        identities: &[Identity::From],
        stage: Stage::Header,
        build: |policy, facts| of_header(policy, facts, Identity::From),
    },
    Step {
        method: Method::Binding,
        identities: &[Identity::Sender],
        stage: Stage::Header,
        build: |policy, facts| of_header(policy, facts, Identity::Sender),
    },
    Step {
        method: Method::Binding,
        identities: &[Identity::Resent],
        stage: Stage::Header,
        build: |policy, facts| of_header(policy, facts, Identity::Resent),
    },
];

fn one(method: impl Evaluate + 'static) -> Evaluations {
    vec![Box::new(method)]
}

/// Each list judges on its own.
fn lists(kind: Kind, lists: &[List]) -> Evaluations {
    if lists.is_empty() {
        return one(DnsList::unnamed(kind));
    }
    lists.iter().flat_map(|list| one(DnsList::new(kind, list.clone()))).collect()
}

/// Where there is no message, there is nothing in its header to judge.
fn of_header(policy: &Policy, facts: &Facts, identity: Identity) -> Evaluations {
    if facts.header.is_some() { binding(policy, identity) } else { Vec::new() }
}

fn binding(policy: &Policy, identity: Identity) -> Evaluations {
    one(Binding::new(identity, policy.binding.clone()))
}

fn spf_limits(policy: &Policy) -> Limits {
    Limits { void_lookups_max: policy.spf_void_lookups_max, terms_max: policy.spf_terms_max }
}

fn spf(policy: &Policy, identity: Identity) -> Evaluations {
    let limits = spf_limits(policy);
    match &policy.spf_best_guess {
        Some(guess) => one(Guessing::new(identity, limits, guess.clone())),
        None => one(Spf::new(identity, limits)),
    }
}
