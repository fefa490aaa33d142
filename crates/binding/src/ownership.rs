use quivive_evidence::{Answer, Facts, Octets, Stop, TermResult, Walk};

use crate::usage::UseOf;
use crate::{Address, Client, Grant, Query, Rules, Scope, Subject, USAGE, Use};

/// The table of grants.
pub const GRANTS: &str = "grants";

/// How many addresses of one message are asked about; one more is a permerror.
pub const ADDRESSES_MAX: usize = 50;

/// Finds out what one client may use.
pub(crate) struct Inquiry<'a> {
    pub(crate) walk: Walk<'a>,
    pub(crate) rules: &'a Rules,
    pub(crate) client: Client,
    /// The certificate that it showed beside its login.
    certificate: Option<Client>,
    /// Whether the client is one of ours.
    pub(crate) ours: bool,
    now: u64,
}

/// Whose something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The client's, by this grant; none: it is its login.
    Own(Option<Box<Grant>>),
    /// The client was granted something else: the cause.
    Short(&'static str),
    /// Somebody else's, or in a domain of ours and nobody's.
    Others,
    /// Nobody's that is known.
    Nobody,
}

impl<'a> Inquiry<'a> {
    pub(crate) fn new(walk: Walk<'a>, rules: &'a Rules, facts: &Facts) -> Self {
        let client = Client::of(facts, rules);
        let certificate = Client::certificate(facts).filter(|other| *other != client);
        let ours = client.is_ours(facts, rules);
        Self { walk, rules, client, certificate, ours, now: facts.now }
    }

    /// Whose an address is, for this scope.
    pub(crate) fn owner(&mut self, address: &Address, scope: Scope) -> Result<Ownership, Stop> {
        let term = address.to_string();
        self.walk.trace.begin(&term, (0, term.len().try_into().unwrap_or(u32::MAX)));
        let owner = self.owner_of(address, scope);
        self.walk.trace.end(match owner {
            Ok(Ownership::Own(_)) => TermResult::Match,
            _ => TermResult::NoMatch,
        });
        owner
    }

    fn owner_of(&mut self, address: &Address, scope: Scope) -> Result<Ownership, Stop> {
        let own = self.client.own_address(self.rules);
        let is_own = |address: &Address| own.as_ref() == Some(address);
        if is_own(address) || address.without_detail(self.rules).as_ref().is_some_and(is_own) {
            return Ok(Ownership::Own(None));
        }
        let subject = Subject::Address(address.clone());
        Ok(match self.granted(&subject, scope)? {
            Ownership::Nobody if self.rules.domains.iter().any(|own| own == address.domain()) => {
                Ownership::Others
            }
            ownership => ownership,
        })
    }

    /// Whose it is by grants alone: what was granted to the login, or else to the certificate.
    pub(crate) fn granted(&mut self, subject: &Subject, scope: Scope) -> Result<Ownership, Stop> {
        let by_login = self.granted_to(&self.client.clone(), subject, scope)?;
        match self.certificate.clone() {
            Some(certificate) if !matches!(by_login, Ownership::Own(_)) => {
                let by_certificate = self.granted_to(&certificate, subject, scope)?;
                let is_more = matches!(by_certificate, Ownership::Own(_) | Ownership::Short(_));
                Ok(if is_more { by_certificate } else { by_login })
            }
            _ => Ok(by_login),
        }
    }

    fn granted_to(
        &mut self,
        client: &Client,
        subject: &Subject,
        scope: Scope,
    ) -> Result<Ownership, Stop> {
        let query = Query { subject: subject.clone(), client: client.clone() };
        let Some(answer) = self.walk.stored(GRANTS, &query.to_string())? else {
            return Ok(Ownership::Nobody);
        };
        let grants = grants(answer)?;
        // Of the first pattern that has grants, they decide.
        let patterns = subject.patterns(self.rules);
        let of_pattern = |pattern: &String| {
            let found: Vec<&Grant> =
                grants.iter().filter(|grant| grant.pattern == *pattern).collect();
            (!found.is_empty()).then_some(found)
        };
        let Some(found) = patterns.iter().find_map(of_pattern) else {
            return Ok(Ownership::Nobody);
        };
        let with_detail = matches!(subject, Subject::Address(address)
            if is_without_detail(&found[0].pattern, address, self.rules));
        let mut short = None;
        for grant in found.iter().filter(|grant| grant.holder.is(client)) {
            match self.lacks(grant, scope, with_detail) {
                None => return Ok(Ownership::Own(Some(Box::new((*grant).clone())))),
                Some(cause) => short = Some(cause),
            }
        }
        Ok(short.map_or(Ownership::Others, Ownership::Short))
    }

    /// Why a grant to this client does not hold.
    fn lacks(&self, grant: &Grant, scope: Scope, with_detail: bool) -> Option<&'static str> {
        if grant.until.is_some_and(|until| self.now >= until) {
            Some("grant-expired")
        } else if !grant.scopes.contains(scope) {
            Some("scope-not-granted")
        } else if with_detail && !grant.detail {
            Some("detail-not-granted")
        } else {
            None
        }
    }

    /// How much of something the client has used, where that is known.
    pub(crate) fn used(&mut self, of: UseOf) -> Result<Option<u64>, Stop> {
        let Some(login) = self.client.login() else { return Ok(None) };
        let key = Use { login: login.to_owned(), of }.to_string();
        let answer = self.walk.stored(USAGE, &key)?;
        let entry = answer.and_then(|answer| answer.records().ok()?.first());
        Ok(entry.and_then(|entry| std::str::from_utf8(&entry.0).ok()?.parse().ok()))
    }
}

/// Whether the pattern is that of the address without its detail.
fn is_without_detail(pattern: &str, address: &Address, rules: &Rules) -> bool {
    address.without_detail(rules).is_some_and(|base| {
        let local_part = base.written_local_part();
        pattern == base.to_string()
            || pattern == local_part
            || pattern.strip_suffix("@*") == Some(&local_part)
    })
}

/// The grants of an answer, read once. What cannot be read is no grant, and nothing is known then.
fn grants(answer: &Answer<Octets>) -> Result<&[Grant], Stop> {
    type Read = Result<Vec<Grant>, Stop>;
    let read = || -> Read {
        let entries = answer.records().map_err(|_| Stop::temporary("grants-unavailable"))?;
        let grants = entries.iter().map(|entry| {
            let text = std::str::from_utf8(&entry.0).ok();
            text.and_then(|text| Grant::parse(text).ok())
                .ok_or(Stop::temporary("grants-unreadable"))
        });
        grants.collect()
    };
    match answer.memo().get_or_make::<Read>(read) {
        Ok(grants) => Ok(grants),
        Err(stop) => Err(*stop),
    }
}
