use std::net::IpAddr;

use quivive_evidence::{
    Ahead, Conclusion, Evaluate, Evaluation, Evidence, Facts, Finding, FindingResult, Judged,
    Method, Stop, TermResult, Walk, whole,
};
use quivive_mail::domain::{is_askable, is_fully_qualified};

use super::find::Forms;
use super::{
    PlacedEntry, QUESTIONS_MAX, Record, Rule, Settings, address_name, family_name, owner_name,
};
use crate::identity::{self, none};

/// RMX for the reverse-path; for the null reverse-path the HELO name stands for its domain
/// (draft-danisch-dns-rr-smtp-03).
#[derive(Debug, Clone, Copy)]
pub struct Rmx {
    settings: Settings,
}

/// A check in progress.
pub(super) struct Check<'c, 'a> {
    pub(super) walk: &'c mut Walk<'a>,
    pub(super) settings: Settings,
    pub(super) client: IpAddr,
    pub(super) domain: &'c str,
    pub(super) look_ups: usize,
    pub(super) void_look_ups: usize,
    /// None for the null reverse-path.
    local_part: Option<String>,
}

/// Whose records are walked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Domain,
    Address,
}

impl Rmx {
    /// With these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Evaluate for Rmx {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let judged = judged(facts);
        let mut walk = Walk::new(evidence, QUESTIONS_MAX);
        let mut check = Check {
            walk: &mut walk,
            settings: self.settings,
            client: facts.client_address,
            domain: &judged.domain,
            look_ups: 0,
            void_look_ups: 0,
            local_part: identity::local_part(facts),
        };
        let concluded = check.run();
        walk.conclude(judged, concluded)
    }

    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding {
        judged(facts).finding(Stop::temporary(cause))
    }
}

fn judged(facts: &Facts) -> Judged {
    identity::judged(Method::Rmx, facts, true)
}

impl<'a> Check<'_, 'a> {
    /// The first name that has records has them all.
    fn run(&mut self) -> Result<Conclusion, Stop> {
        let owner = owner_name(self.domain);
        if !is_fully_qualified(self.domain) || !is_askable(&owner) {
            return Ok(none("malformed-domain"));
        }
        let family = family_name(self.domain, self.client);
        let bare = self.domain.to_owned();
        let places = [(owner, Forms::Both), (family, Forms::Both), (bare, Forms::OwnType)];
        for (name, forms) in places {
            if forms == Forms::OwnType && self.settings.type_number.is_none() || !is_askable(&name)
            {
                continue;
            }
            self.walk.trace.begin("", (0, 0));
            if let Some(records) = self.find(&name, forms, Ahead::Allowed)? {
                return self.decide(&records, Owner::Domain);
            }
            self.walk.trace.end(TermResult::Result(FindingResult::None));
        }
        Ok(none("no-rmx"))
    }

    /// Walks the entries of records, which count as one; the first that matches decides.
    fn decide(&mut self, records: &[&'a Record], owner: Owner) -> Result<Conclusion, Stop> {
        let text = records.iter().map(|record| record.text()).collect::<Vec<_>>().join(" ");
        self.walk.trace.name(&*text, whole(&text));
        let mut start = 0;
        for record in records {
            for placed in record.entries() {
                let (from, to) = placed.span;
                let written = record.slice(placed.span);
                self.walk.trace.begin(written, (start + from, start + to));
                let decided = self.entry(placed, written, owner)?;
                self.walk.trace.end(match decided {
                    Some(_) => TermResult::Match,
                    None => TermResult::NoMatch,
                });
                if let Some(conclusion) = decided {
                    return Ok(conclusion);
                }
            }
            if let Some(fault) = record.fault() {
                let (from, to) = fault.span;
                self.walk.trace.begin(record.slice(fault.span), (start + from, start + to));
                return Err(Stop::permanent(fault.kind.cause()));
            }
            start += whole(record.text()).1 + 1;
        }
        Ok(Conclusion::new(FindingResult::Fail, "notinrmx"))
    }

    /// What an entry decides, if it does.
    fn entry(
        &mut self,
        placed: &PlacedEntry,
        written: &str,
        owner: Owner,
    ) -> Result<Option<Conclusion>, Stop> {
        match (&placed.entry.rule, owner) {
            (Rule::Full, Owner::Address) => Err(Stop::permanent("full-in-address-record")),
            (Rule::Full, Owner::Domain) => self.full_address(),
            (rule, _) => Ok(self.matches(rule)?.then(|| {
                let denies = placed.entry.negated || *rule == Rule::Unused;
                let (result, cause) = match denies {
                    true => (FindingResult::Fail, "denied"),
                    false => (FindingResult::Pass, "granted"),
                };
                Conclusion::new(result, cause).decided_by(written)
            })),
        }
    }

    /// `full`: what the record of the full address decides, if there is one. Its name tells the
    /// domain whose mail we have, so that it waits until it must be asked.
    fn full_address(&mut self) -> Result<Option<Conclusion>, Stop> {
        let Some(local_part) = &self.local_part else { return Ok(None) };
        let name = address_name(local_part, self.domain);
        let name = name.ok_or(Stop::permanent("bad-address-name"))?;
        self.count_look_up()?;
        self.walk.trace.begin("", (0, 0));
        let Some(records) = self.find(&name, Forms::Both, Ahead::Forbidden)? else {
            self.walk.trace.end(TermResult::Result(FindingResult::None));
            return Ok(None);
        };
        let conclusion = self.decide(&records, Owner::Address)?;
        self.walk.trace.end(TermResult::Result(conclusion.result));
        Ok(Some(conclusion))
    }
}
