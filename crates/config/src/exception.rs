use ipnet::IpNet;
use quivive_verdict::Actions;

use crate::reading::Reading;
use crate::section::Section;
use crate::settings::settings;
use crate::{Domain, Doubt, Problem, value};

/// How many exceptions there may be.
pub const EXCEPTIONS_MAX: usize = value::LIST_MAX;

settings! {
    /// An exception from the actions; the first that matches a message holds.
    pub struct Exception {
        /// Clients in one of these networks.
        networks: Vec<IpNet> = Vec::new(), shown "any"; Live, Now;
        /// Senders in one of these domains or below: the reverse-path, or HELO for a null one.
        domains: Vec<Domain> = Vec::new(), shown "any", example "[\"partner.test\"]"; Live, Now;
        /// Nothing is checked.
        skip: bool = false; Live, Now;
        /// What follows instead; what is not named stays as it is in `[actions]`.
        actions: Actions = Actions::default(), shown "those of [actions]"; Live, Now;
    }
    check bounded_and_of_use
}

impl Exception {
    pub(crate) fn rule(&self) -> quivive_verdict::Exception {
        quivive_verdict::Exception {
            networks: self.networks.clone(),
            domains: self.domains.iter().map(Domain::to_string).collect(),
            skip: self.skip,
            actions: self.actions.clone(),
        }
    }
}

fn bounded_and_of_use(exception: &Exception, section: &Section<'_>, reading: &mut Reading<'_>) {
    let acts = exception.actions.iter().next().is_some();
    if exception.networks.is_empty() && exception.domains.is_empty() {
        let problem = Problem::Conflict(
            "this exception would hold for everybody; name its `networks` or `domains`",
        );
        reading.error(section.span(), problem);
    }
    if exception.skip && acts {
        let problem = Problem::Conflict(
            "`skip = true` checks nothing, so that `actions` have no effect; leave out one of them",
        );
        reading.error(&section.key_span(&["skip"]), problem);
    }
    if !exception.skip && !acts {
        reading.warn(section.span(), Doubt::EmptyException);
    }
    if exception.skip && exception.networks.is_empty() {
        reading.warn(&section.key_span(&["skip"]), Doubt::SkippedByClaim);
    }
}
