//! OutGoing(d): whether the client is among a domain's outgoing mail servers
//! (draft-atkinson-callerid-00 section 4.3).

use std::net::IpAddr;

use ipnet::IpNet;
use quivive_evidence::{Ahead, FindingResult, HasAddress, Stop, TermResult, Walk, whole};
use quivive_mail::domain::is_askable;

use crate::document::{Document, Mailers, Part, Servers};
use crate::published::{Published, owner_name};

/// How many documents of other domains a check may come to.
pub const DOCUMENTS_MAX: usize = 10;

/// How many mail exchangers a domain may have.
pub const MX_HOSTS_MAX: usize = 10;

/// Whether the client is in a set. Of several sets together the first of these holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Membership {
    /// It is.
    Member,
    /// There is no answer at this time.
    Failed(&'static str),
    /// What is published cannot be used.
    Broken(&'static str),
    /// The domain makes no statement.
    Undefined(&'static str),
    /// It is not.
    Stranger,
}

/// A walk through documents.
pub(crate) struct Search<'c, 'a> {
    pub(crate) walk: &'c mut Walk<'a>,
    client: IpAddr,
    documents: usize,
    /// The domains whose documents are being walked.
    path: Vec<String>,
}

impl<'c, 'a> Search<'c, 'a> {
    pub(crate) fn new(walk: &'c mut Walk<'a>, client: IpAddr) -> Self {
        Self { walk, client, documents: 0, path: Vec::new() }
    }

    /// OutGoing(d), and the part of the domain's own document that holds the client.
    pub(crate) fn outgoing(&mut self, domain: &str) -> Result<(Membership, Option<String>), Stop> {
        self.walk.trace.begin("", (0, 0));
        let (membership, part) = match self.published(domain)? {
            Some(Published::One(document)) => self.document(document, domain)?,
            Some(Published::Broken(text, fault)) => {
                self.walk.trace.name(&**text, whole(text));
                (Membership::Broken(fault.kind.cause()), None)
            }
            Some(Published::Nothing) | None => (Membership::Undefined("no-document"), None),
        };
        self.walk.trace.end(TermResult::Result(membership.result()));
        Ok((membership, part))
    }

    /// What a domain publishes; none while that is not known.
    pub(crate) fn published(&mut self, domain: &str) -> Result<Option<&'a Published>, Stop> {
        match self.walk.txt(&owner_name(domain), Ahead::Allowed)? {
            Some(answer) => {
                answer.records()?;
                Ok(Some(Published::of(answer)))
            }
            None => Ok(None),
        }
    }

    fn document(
        &mut self,
        document: &'a Document,
        domain: &str,
    ) -> Result<(Membership, Option<String>), Stop> {
        self.walk.trace.name(document.text(), whole(document.text()));
        if document.testing {
            return Ok((Membership::Undefined("testing"), None));
        }
        if !document.is_about(domain) {
            return Ok((Membership::Undefined("other-scope"), None));
        }
        let sets = match document.outgoing.as_ref().map(|outgoing| &outgoing.servers) {
            None | Some(Servers::Unsaid) => return Ok((Membership::Undefined("no-servers"), None)),
            Some(Servers::Nobody) => return Ok((Membership::Stranger, None)),
            Some(Servers::Sets(sets)) => sets,
        };
        self.path.push(domain.to_owned());
        let mut union = Membership::Stranger;
        for set in sets {
            let (membership, part) = self.set(set, document, domain)?;
            if membership == Membership::Member {
                self.path.pop();
                return Ok((membership, part));
            }
            union = union.min(membership);
        }
        self.path.pop();
        Ok((union, None))
    }

    /// OutGoing(m, d).
    fn set(
        &mut self,
        set: &'a Mailers,
        document: &'a Document,
        domain: &str,
    ) -> Result<(Membership, Option<String>), Stop> {
        if set.parts.is_empty() {
            let term = "<m/>";
            self.walk.trace.begin(term, (0, 0));
            let membership = self.mail_exchangers(domain)?;
            self.walk.trace.end(membership.term());
            return Ok((membership, membership.is_member().then(|| term.to_owned())));
        }
        // Beside a reference to another domain nothing else counts.
        let indirect = |part: &Part| matches!(part, Part::Indirect(_));
        let has_indirect = set.parts.iter().any(|place| indirect(&place.part));
        let counts = |part: &Part| indirect(part) == has_indirect;
        // What is taken out is out, wherever it stands; and what asks nothing is looked at first.
        let mut places: Vec<_> = set.parts.iter().filter(|place| counts(&place.part)).collect();
        places.sort_by_key(|place| place.part.rank());
        let mut union = Membership::Stranger;
        for place in places {
            let written = document.slice(place.span);
            self.walk.trace.begin(written, place.span);
            let membership = self.part(&place.part, domain)?;
            let is_out =
                matches!(place.part, Part::Range { excluded: true, .. }) && membership.is_member();
            self.walk.trace.end(if is_out { TermResult::Match } else { membership.term() });
            if is_out {
                return Ok((Membership::Stranger, None));
            }
            if membership.is_member() {
                return Ok((membership, Some(written.to_owned())));
            }
            union = union.min(membership);
        }
        Ok((union, None))
    }

    /// Whether the client is in a part; in one that is taken out, too.
    fn part(&mut self, part: &Part, domain: &str) -> Result<Membership, Stop> {
        Ok(match part {
            Part::Address(address) => Membership::of(address.to_canonical() == self.client),
            Part::Range { address, prefix, .. } => {
                Membership::of(covers(*address, *prefix, self.client))
            }
            Part::Host(name) => self.host(name.as_deref().unwrap_or(domain))?,
            Part::MailExchangers(name) => {
                self.mail_exchangers(name.as_deref().unwrap_or(domain))?
            }
            Part::Indirect(other) => self.indirect(other)?,
        })
    }

    /// Another domain's servers; if it publishes no document, the hosts that take its mail in.
    fn indirect(&mut self, domain: &str) -> Result<Membership, Stop> {
        if self.path.iter().any(|walked| walked == domain) {
            return Ok(Membership::Undefined("loop"));
        }
        self.documents += 1;
        if self.documents > DOCUMENTS_MAX {
            return Err(Stop::permanent("indirect-limit"));
        }
        if !is_askable(&owner_name(domain)) {
            return self.mail_exchangers(domain);
        }
        self.walk.trace.begin("", (0, 0));
        let answer = self.walk.txt(&owner_name(domain), Ahead::Allowed)?;
        let membership = match answer {
            None => Membership::Stranger,
            Some(answer) => match (answer.records(), Published::of(answer)) {
                (Err(failure), _) => Membership::from(Stop::from(failure)),
                (Ok(_), Published::Nothing) => self.mail_exchangers(domain)?,
                (Ok(_), Published::Broken(text, fault)) => {
                    self.walk.trace.name(&**text, whole(text));
                    Membership::Broken(fault.kind.cause())
                }
                (Ok(_), Published::One(document)) => self.document(document, domain)?.0,
            },
        };
        self.walk.trace.end(TermResult::Result(membership.result()));
        Ok(membership)
    }

    /// The hosts that take a domain's mail in: its mail exchangers, or without any itself (RFC 5321
    /// section 5.1).
    fn mail_exchangers(&mut self, domain: &str) -> Result<Membership, Stop> {
        let Some(answer) = self.walk.mx(domain, Ahead::Allowed)? else {
            return Ok(Membership::Stranger);
        };
        let hosts = match answer.records() {
            Ok(hosts) => hosts,
            Err(failure) => return Ok(Stop::from(failure).into()),
        };
        if hosts.is_empty() {
            return self.host(domain);
        }
        if hosts.len() > MX_HOSTS_MAX {
            return Err(Stop::permanent("mx-limit"));
        }
        let mut union = Membership::Stranger;
        for host in hosts {
            union = union.min(self.host(&host.exchange)?);
            if union.is_member() {
                break;
            }
        }
        Ok(union)
    }

    fn host(&mut self, name: &str) -> Result<Membership, Stop> {
        if !is_askable(name) || name.contains('\\') {
            return Ok(Membership::Stranger);
        }
        Ok(match self.walk.has_address(name, self.client, Ahead::Allowed)? {
            HasAddress::Yes => Membership::Member,
            HasAddress::Failed(failure) => Stop::from(failure).into(),
            HasAddress::No | HasAddress::Nothing | HasAddress::Unknown => Membership::Stranger,
        })
    }
}

impl Part {
    /// In which order the parts of a set are looked at; their order in the document means nothing.
    fn rank(&self) -> u8 {
        match self {
            Self::Range { excluded: true, .. } => 0,
            Self::Range { .. } | Self::Address(_) => 1,
            Self::Host(_) | Self::MailExchangers(_) | Self::Indirect(_) => 2,
        }
    }
}

impl Membership {
    fn of(is_member: bool) -> Self {
        if is_member { Self::Member } else { Self::Stranger }
    }

    fn is_member(self) -> bool {
        self == Self::Member
    }

    /// The result for a domain whose servers these are.
    pub(crate) fn result(self) -> FindingResult {
        match self {
            Self::Member => FindingResult::Pass,
            Self::Failed(_) => FindingResult::Temperror,
            Self::Broken(_) => FindingResult::Permerror,
            Self::Undefined(_) => FindingResult::None,
            Self::Stranger => FindingResult::Fail,
        }
    }

    fn term(self) -> TermResult {
        match self {
            Self::Member => TermResult::Match,
            Self::Stranger => TermResult::NoMatch,
            trouble => TermResult::Result(trouble.result()),
        }
    }
}

impl From<Stop> for Membership {
    fn from(stop: Stop) -> Self {
        match stop.result {
            FindingResult::Temperror => Self::Failed(stop.cause),
            _ => Self::Broken(stop.cause),
        }
    }
}

/// Whether a network covers an address: of its bits the first `prefix` count.
fn covers(network: IpAddr, prefix: u8, client: IpAddr) -> bool {
    IpNet::new(network, prefix).is_ok_and(|network| network.contains(&client))
}
