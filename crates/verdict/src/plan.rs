//! Which methods judge which identities, and when they can.

use quivive_evidence::{Evaluate, Identity, Method};
use quivive_spf::{Limits, Spf};

use crate::{Mode, Policy};

/// How far a message has come. Facts grow from stage to stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The client's address is known.
    Connect,
    /// Its HELO name is known.
    Helo,
    /// The reverse-path is known.
    Mail,
    /// A recipient is known.
    Rcpt,
    /// The message's header is known.
    Header,
    /// The whole message is known.
    Message,
}

/// A method and an identity that it judges from some stage on.
struct Step {
    method: Method,
    identity: Identity,
    stage: Stage,
    build: fn(&Policy) -> Box<dyn Evaluate>,
}

/// Every evaluation of this version, in the order in which findings are weighed.
const STEPS: &[Step] = &[
    Step {
        method: Method::Spf,
        identity: Identity::Helo,
        stage: Stage::Helo,
        build: |policy| Box::new(Spf::new(Identity::Helo, spf_limits(policy))),
    },
    Step {
        method: Method::Spf,
        identity: Identity::Mailfrom,
        stage: Stage::Mail,
        build: |policy| Box::new(Spf::new(Identity::Mailfrom, spf_limits(policy))),
    },
];

/// The methods that this version has.
pub fn methods() -> impl Iterator<Item = Method> {
    Method::ALL.iter().copied().filter(|method| STEPS.iter().any(|step| step.method == *method))
}

/// Whether any of these methods judges this identity.
pub fn judges(methods: &[Method], identity: Identity) -> bool {
    STEPS.iter().any(|step| methods.contains(&step.method) && step.identity == identity)
}

/// The last stage at which anything becomes known that this policy's methods need; none if nothing
/// is judged. A door need not wait for more.
pub fn last_stage(policy: &Policy) -> Option<Stage> {
    steps(policy).map(|step| step.stage).max()
}

/// The evaluations that become possible after `before`, up to `now`.
pub(crate) fn evaluations(
    policy: &Policy,
    before: Option<Stage>,
    now: Stage,
) -> impl Iterator<Item = Box<dyn Evaluate>> + '_ {
    steps(policy)
        .filter(move |step| step.stage <= now && before.is_none_or(|before| step.stage > before))
        .map(|step| (step.build)(policy))
}

/// The steps that this policy wants.
fn steps(policy: &Policy) -> impl Iterator<Item = &'static Step> + '_ {
    STEPS
        .iter()
        .filter(|step| policy.mode(step.method) != Mode::Off)
        .filter(|step| policy.identities.contains(&step.identity))
}

pub(crate) fn spf_limits(policy: &Policy) -> Limits {
    Limits { void_lookups_max: policy.spf_void_lookups_max }
}
