use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use ipnet::IpNet;
use quivive_evidence::{Facts, FindingResult, Identity, Method};
use quivive_spf::{BestGuess, TERMS_MAX};
use serde::{Deserialize, Serialize};

use crate::{MethodSettings, Practice, Template};

/// What the operator wants: which methods run, and what follows from their findings.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The name under which results are written (RFC 8601 section 2.5).
    pub authserv_id: String,
    /// Which methods run. One that is not named is off.
    pub methods: BTreeMap<Method, Mode>,
    /// What follows from a finding. What is not named marks.
    pub actions: Actions,
    /// Exceptions by client or domain; the first that matches a message holds.
    pub exceptions: Vec<Exception>,
    /// How many SPF terms may find nothing before the record is an error (RFC 7208 section 4.6.4).
    pub spf_void_lookups_max: usize,
    /// How many SPF terms may ask DNS before the record is an error (RFC 7208 section 4.6.4).
    pub spf_terms_max: usize,
    /// What is taken for the record of a domain that publishes none; none: nothing.
    pub spf_best_guess: Option<BestGuess>,
    /// What the documents of the other methods leave to us.
    pub settings: MethodSettings,
    /// Whether results of methods that have no registered word go into headers, under private `x-`
    /// words (RFC 8601 section 2.7.6).
    pub legacy_headers: bool,
    /// What a client may use, and how that is asked for.
    pub binding: Arc<quivive_binding::Rules>,
    /// What becomes of a From field that its client may not write, before it is refused.
    pub repair: Repair,
    /// Where the explanations of refusals are published: their ids are put behind it. None:
    /// nowhere.
    pub public_url: Option<String>,
    /// Which identities are judged.
    pub identities: Vec<Identity>,
    /// What the operator knows that no record says.
    pub practice: Practice,
    /// What a refused client hears.
    pub refusal: Template,
}

/// What becomes of a From field that its client may not write (RFC 6409 section 8). It is done only
/// where the envelope is the client's own, and the field can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repair {
    /// What the actions say.
    #[default]
    Nothing,
    /// The reverse-path takes the author's place.
    RewriteFrom,
    /// The reverse-path is named as the sender.
    AddSender,
}

/// What is done with a method's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The method does not run.
    Off,
    /// Its findings are written down and decide nothing.
    Report,
    /// Its findings decide, as the actions say.
    Enforce,
}

/// What follows from a finding.
///
/// The order is that of strictness: of several, the strictest wins. `Accept` stands outside it: it
/// is firm and stops later findings.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    BorshDeserialize,
    BorshSerialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Firm: nothing after it counts.
    Accept,
    /// The result travels with the message.
    Mark,
    /// Taken and thrown away.
    Discard,
    /// Taken and kept back.
    Hold,
    /// Refused for now.
    Defer,
    /// Refused.
    Reject,
}

/// Actions by method, identity and result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actions(BTreeMap<(Method, Identity, FindingResult), Action>);

/// An exception from the general actions.
#[derive(Debug, Clone)]
pub struct Exception {
    /// Clients in one of these networks; empty: any client.
    pub networks: Vec<IpNet>,
    /// Messages whose reverse-path (or HELO, for a null one) is in one of these domains or below;
    /// empty: any domain.
    pub domains: Vec<String>,
    /// Nothing is checked.
    pub skip: bool,
    /// What follows instead of the general actions; what is not named here stays as it is there.
    pub actions: Actions,
}

impl Policy {
    /// The policy without any configuration: SPF runs, and everything marks.
    pub fn new(authserv_id: &str) -> Self {
        Self {
            authserv_id: authserv_id.to_owned(),
            methods: BTreeMap::from([(Method::Spf, Mode::Enforce)]),
            actions: Actions::default(),
            exceptions: Vec::new(),
            spf_void_lookups_max: 2,
            spf_terms_max: TERMS_MAX,
            spf_best_guess: None,
            settings: MethodSettings::default(),
            legacy_headers: false,
            binding: Arc::default(),
            repair: Repair::Nothing,
            public_url: None,
            identities: Identity::ALL.to_vec(),
            practice: Practice::default(),
            refusal: Template::default(),
        }
    }

    /// How a method runs.
    pub fn mode(&self, method: Method) -> Mode {
        self.methods.get(&method).copied().unwrap_or(Mode::Off)
    }

    /// Whether clients are offered to announce the responsible address (RFC 4405): who offers it
    /// has to look at it.
    pub fn offers_submitter(&self) -> bool {
        self.settings.sender_id_submitter && self.mode(Method::SenderId) != Mode::Off
    }

    /// The first exception that holds for a message, with its place in the list.
    pub fn exception(&self, facts: &Facts) -> Option<(usize, &Exception)> {
        self.exceptions.iter().enumerate().find(|(_, exception)| exception.matches(facts))
    }
}

impl Actions {
    /// Sets what follows from a finding.
    pub fn set(
        &mut self,
        method: Method,
        identity: Identity,
        result: FindingResult,
        action: Action,
    ) {
        self.0.insert((method, identity, result), action);
    }

    /// What follows from a finding, if it is named.
    pub fn get(&self, method: Method, identity: Identity, result: FindingResult) -> Option<Action> {
        self.0.get(&(method, identity, result)).copied()
    }

    /// Whether any finding of this method is named.
    pub fn names(&self, method: Method) -> bool {
        self.0.keys().any(|(named, ..)| *named == method)
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = ((Method, Identity, FindingResult), Action)> + '_ {
        self.0.iter().map(|(key, action)| (*key, *action))
    }
}

impl Exception {
    fn matches(&self, facts: &Facts) -> bool {
        let network = self.networks.is_empty()
            || self.networks.iter().any(|network| network.contains(&facts.client_address));
        let domain = || {
            let sender = match facts.reverse_path.rsplit_once('@') {
                Some((_, domain)) => domain,
                None if facts.reverse_path.is_empty() => &facts.helo,
                None => &facts.reverse_path,
            };
            let sender = quivive_mail::domain::to_ascii(sender);
            self.domains.iter().any(|domain| quivive_mail::domain::is_within(&sender, domain))
        };
        network && (self.domains.is_empty() || domain())
    }
}

impl Action {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Accept, Self::Mark, Self::Defer, Self::Hold, Self::Reject, Self::Discard];

    /// The word used in configuration and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Mark => "mark",
            Self::Defer => "defer",
            Self::Hold => "hold",
            Self::Reject => "reject",
            Self::Discard => "discard",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
