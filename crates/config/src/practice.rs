use std::path::Path;

use ipnet::IpNet;
use quivive_evidence::Method;
use quivive_verdict::{BestGuess, Mode, Practice, Template};

use crate::reading::Reading;
use crate::section::Section;
use crate::settings::settings;
use crate::value::Word;
use crate::{Config, Domain, Doubt, Problem};

/// Networks with a shorter prefix are hardly those of hosts that somebody knows.
const PREFIX_MIN: u8 = 8;

settings! {
    /// Local practice: what you know that no record says. Each of it shows in a verdict's reasons.
    pub struct Local: Default {
        /// Your own gateways and secondary MX before this one. The client before them is the one
        /// that counts, as the Received field tells that they write on top; they must write one.
        /// Where they can, let them state it by XCLIENT or the PROXY protocol instead
        /// (`xclient_from`, `proxy_from`): then refusals come before the message.
        upstreams: Vec<IpNet> = Vec::new(); Live, Now;
        /// Hosts whose mail is not checked at all: your own relays, printers, monitoring.
        relays: Vec<IpNet> = Vec::new(); Live, Now;
        /// Hosts that forward mail for your users. Their mail is checked, and what is found refuses
        /// nothing: that of others fails SPF by nature when it is forwarded.
        forwarders: Vec<IpNet> = Vec::new(); Live, Now;
        /// Domains whose mail is only taken if it passes, with all below them: by one at least of
        /// the methods that are enforced. Whatever else is found is refused, or deferred where DNS
        /// failed.
        must_pass: Vec<Domain> = Vec::new(), example "[\"bank.example\"]"; Live, Now;
        /// Whether users who logged in are checked by where their mail comes from, as strangers
        /// are. As it is, nothing but `binding` judges their mail: what a domain says of its hosts
        /// is not about the places where its users sit.
        check_logins: bool = false; Live, Now;
        /// Everything is computed and written down, and nothing is refused, held or discarded.
        dry_run: bool = false; Live, Now;
    }
    check known_hosts
}

settings! {
    /// What a refused client hears.
    pub struct Refusal: Default {
        /// The text behind the reply's codes. Places: {method}, {reason}, {explanation} (the
        /// domain's own words, cleaned), {result}, {domain}, {address}, {case}, {link} (of the
        /// public page), {receiver}. What stands in square brackets is left out where a place in
        /// it is empty.
        text: Template = Template::default(); Live, Now;
    }
}

/// A record that stands for the one that a domain does not publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuessedRecord(String);

impl GuessedRecord {
    pub(crate) fn rule(&self) -> Option<BestGuess> {
        BestGuess::parse(&self.0).ok()
    }
}

impl Word for GuessedRecord {
    const KIND: &'static str = "an SPF record";
    const EXAMPLE: &'static str = "v=spf1 a/24 mx/24 ptr";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        BestGuess::parse(text).map_err(|error| {
            Problem::Invalid(format!(
                "this is no SPF record: {error}; `quivive lint --record` says more"
            ))
        })?;
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Word for Template {
    const KIND: &'static str = "a text with places";
    const EXAMPLE: &'static str = quivive_verdict::DEFAULT_TEMPLATE;

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        Self::parse(text).map_err(|error| Problem::Invalid(error.to_string()))
    }

    fn text(&self) -> String {
        Self::text(self).to_owned()
    }
}

impl Local {
    pub(crate) fn rule(&self) -> Practice {
        Practice {
            upstreams: self.upstreams.clone(),
            relays: self.relays.clone(),
            forwarders: self.forwarders.clone(),
            must_pass: self.must_pass.iter().map(Domain::to_string).collect(),
            check_logins: self.check_logins,
            dry_run: self.dry_run,
        }
    }
}

fn known_hosts(local: &Local, section: &Section<'_>, reading: &mut Reading<'_>) {
    let lists = [
        ("upstreams", &local.upstreams),
        ("relays", &local.relays),
        ("forwarders", &local.forwarders),
    ];
    for (name, networks) in lists {
        if networks.iter().any(|network| network.prefix_len() < PREFIX_MIN) {
            reading.warn(&section.key_span(&[name]), Doubt::TrustsMany);
        }
    }
    if local.dry_run {
        reading.warn(&section.key_span(&["dry_run"]), Doubt::DryRun);
    }
}

/// Domains must pass by something.
pub(crate) fn something_passes(config: &Config, section: &Section<'_>, reading: &mut Reading<'_>) {
    let judges = |method: Method| {
        quivive_verdict::judges(&[method], quivive_evidence::Identity::Mailfrom)
            && method != Method::Binding
    };
    let enforced =
        config.methods.iter().any(|(method, mode)| mode == Mode::Enforce && judges(method));
    if !config.local.must_pass.is_empty() && !enforced {
        reading.warn(&section.key_span(&["local", "must_pass"]), Doubt::NothingPasses);
    }
}
