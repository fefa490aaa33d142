//! Local practice: what the operator knows that no record says. Each of it shows in the verdict's
//! reasons.

use ipnet::IpNet;
use quivive_evidence::{Facts, Finding, FindingResult, Header, Identity, Method};
use quivive_mail::ReceivedFrom;
use quivive_mail::domain::is_within;

use crate::{Action, Mode, Policy};

/// What the operator knows that no record says.
#[derive(Debug, Clone, Default)]
pub struct Practice {
    /// Our own gateways and secondary MX before us: the client before them is the one that counts,
    /// as the `Received` field tells that they wrote.
    pub upstreams: Vec<IpNet>,
    /// Hosts whose mail is not checked at all.
    pub relays: Vec<IpNet>,
    /// Hosts that forward mail for our users: what is found about their mail refuses nothing.
    pub forwarders: Vec<IpNet>,
    /// Domains whose mail is only taken if it passes: they and all below them.
    pub must_pass: Vec<String>,
    /// Those who logged in are judged by where their mail comes from, too, as anybody is.
    pub check_logins: bool,
    /// Everything is computed, and nothing is refused.
    pub dry_run: bool,
}

/// Whom a message is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The client that speaks with us, or one that an upstream tells.
    Client,
    /// The client is an upstream, and the header is not known yet.
    Waits,
    /// The client is an upstream that does not tell whom it had the mail from.
    Untold,
    /// The client is a relay.
    Relay,
    /// The client logged in: binding alone judges what it sends, since where own users sit says
    /// nothing about who they are.
    LoggedIn,
}

impl Practice {
    /// Notes the client before the upstreams, once the header tells it. Which upstream told it is
    /// noted in [`Facts::upstream`]; it is the client itself where none was told.
    pub(crate) fn look_behind(&self, facts: &mut Facts) {
        let waits = self.standing(facts) == Standing::Waits;
        let Some(header) = &mut facts.header else { return };
        let told = waits.then(|| self.client_before(header));
        // What they say is of no use any more.
        header.received.clear();
        if let Some(told) = told {
            facts.upstream = Some(facts.client_address);
            if let Some(ReceivedFrom { helo, address }) = told {
                facts.client_address = address;
                facts.helo = helo;
            }
        }
    }

    /// The first client from the top that is none of the upstreams.
    fn client_before(&self, header: &Header) -> Option<ReceivedFrom> {
        header
            .received
            .iter()
            .map_while(|value| ReceivedFrom::parse(&value.0))
            .find(|told| !has(&self.upstreams, told.address))
    }

    /// Whom a message is judged by, if it is.
    pub(crate) fn standing(&self, facts: &Facts) -> Standing {
        match facts.upstream {
            Some(upstream) if upstream == facts.client_address => Standing::Untold,
            None if has(&self.upstreams, facts.client_address) => Standing::Waits,
            _ if has(&self.relays, facts.client_address) => Standing::Relay,
            // A login of an upstream is not that of the client before it.
            None if !self.check_logins && has_logged_in(facts) => Standing::LoggedIn,
            _ => Standing::Client,
        }
    }

    /// Why a finding refuses nothing, whatever the actions say.
    pub(crate) fn spares(&self, facts: &Facts) -> Option<&'static str> {
        has(&self.forwarders, facts.client_address).then_some("[local] forwarders")
    }

    /// What follows from a finding about a domain whose mail must pass, if it did not: nothing
    /// where another method that decides has passed it.
    pub(crate) fn demand(
        &self,
        policy: &Policy,
        findings: &[&Finding],
        finding: &Finding,
    ) -> Option<Action> {
        let is_demanded = |finding: &Finding| {
            finding.identity == Identity::Mailfrom
                && policy.mode(finding.method) == Mode::Enforce
                && self.must_pass.iter().any(|domain| is_within(&finding.domain, domain))
        };
        // What a login may use is no word of the domain's.
        if finding.method == Method::Binding || !is_demanded(finding) {
            return None;
        }
        let passes = |other: &&&Finding| {
            is_demanded(other)
                && other.domain == finding.domain
                && other.result == FindingResult::Pass
        };
        if findings.iter().find(passes).is_some() {
            return None;
        }
        Some(match finding.result {
            FindingResult::Temperror => Action::Defer,
            _ => Action::Reject,
        })
    }
}

impl Standing {
    /// Whether anything is judged.
    pub(crate) fn is_judged(self) -> bool {
        matches!(self, Self::Client | Self::LoggedIn)
    }

    /// What the operator is told of it.
    pub(crate) fn reason(self, facts: &Facts) -> Option<String> {
        let client = facts.client_address;
        match self {
            Self::Client => facts.upstream.map(|upstream| {
                format!("the client is {client}, as {upstream} before us tells ([local] upstreams)")
            }),
            Self::Waits => Some(format!(
                "nothing is checked: only the message's header tells the client before {client} \
                 ([local] upstreams)"
            )),
            Self::Untold => Some(format!(
                "nothing is checked: {client} before us does not tell its client in Received \
                 ([local] upstreams)"
            )),
            Self::Relay => {
                Some(format!("nothing is checked: {client} is trusted ([local] relays)"))
            }
            Self::LoggedIn => Some(
                "the client logged in: nothing but binding is checked ([local] check_logins)"
                    .to_owned(),
            ),
        }
    }
}

fn has_logged_in(facts: &Facts) -> bool {
    facts.auth_user.as_deref().is_some_and(|login| !login.is_empty())
}

fn has(networks: &[IpNet], address: std::net::IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}
