//! Which methods judge which identities, and when they can.

mod steps;

use quivive_evidence::{Evaluate, Facts, Identity, Method};

use self::steps::{STEPS, Step};
use crate::practice::Standing;
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

/// The methods that this version has.
pub fn methods() -> impl Iterator<Item = Method> {
    Method::ALL.iter().copied().filter(|method| STEPS.iter().any(|step| step.method == *method))
}

/// Whether any of these methods judges this identity.
pub fn judges(methods: &[Method], identity: Identity) -> bool {
    STEPS.iter().any(|step| methods.contains(&step.method) && step.identities.contains(&identity))
}

/// Whether this method judges anything that only the message's header tells.
pub fn reads_header(method: Method) -> bool {
    STEPS.iter().any(|step| step.method == method && step.stage >= Stage::Header)
}

/// The last stage at which anything becomes known that this policy's methods need; none if nothing
/// is judged. A door need not wait for more.
pub fn last_stage(policy: &Policy) -> Option<Stage> {
    steps(policy).map(|step| step.stage).max()
}

/// The evaluations that become possible after `before`, up to `now`.
pub(crate) fn evaluations(
    policy: &Policy,
    facts: &Facts,
    before: Option<Stage>,
    now: Stage,
) -> Vec<Box<dyn Evaluate>> {
    let spared = policy.practice.standing(facts) == Standing::LoggedIn;
    steps(policy)
        .filter(|step| !spared || step.method == Method::Binding)
        .filter(|step| step.stage <= now && before.is_none_or(|before| step.stage > before))
        .flat_map(|step| (step.build)(policy, facts))
        .collect()
}

/// The steps that this policy wants.
fn steps(policy: &Policy) -> impl Iterator<Item = &'static Step> + '_ {
    STEPS
        .iter()
        .filter(|step| policy.mode(step.method) != Mode::Off)
        .filter(|step| step.identities.iter().any(|own| policy.identities.contains(own)))
}
