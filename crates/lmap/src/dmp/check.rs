use std::net::IpAddr;

use quivive_evidence::{
    Ahead, Conclusion, Evaluate, Evaluation, Evidence, Facts, Finding, FindingResult, Identity,
    Judged, Method, Stop, TermResult, Walk, whole,
};
use quivive_mail::domain::is_fully_qualified;

use super::{
    ALTERNATIVES_MAX, Extension, QUESTIONS_MAX, Role, Settings, Value, base_name, client_name,
    is_short_enough,
};
use crate::identity::{self, none};

/// DMP for the reverse-path, for which the HELO name stands where it is null; or for the HELO name
/// of a client that the sender's domain refuses.
#[derive(Debug, Clone, Copy)]
pub struct Dmp {
    settings: Settings,
    about: About,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Sender,
    HeloAlternative,
}

impl Dmp {
    /// For the sender.
    pub fn new(settings: Settings) -> Self {
        Self { settings, about: About::Sender }
    }

    /// For the HELO name, where the domain of a sender that is not null refuses the client. A
    /// pass says that the client may forward, and nothing about the sender's domain.
    pub fn helo_alternative(settings: Settings) -> Self {
        Self { settings, about: About::HeloAlternative }
    }

    fn judged(&self, facts: &Facts) -> Judged {
        match self.about {
            About::Sender => identity::judged(Method::Dmp, facts, true),
            About::HeloAlternative => Judged {
                method: Method::Dmp,
                identity: Identity::Helo,
                domain: identity::helo_name(facts),
            },
        }
    }
}

impl Evaluate for Dmp {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let judged = self.judged(facts);
        let mut walk = Walk::new(evidence, QUESTIONS_MAX);
        let client = facts.client_address;
        let mut check = Check { walk: &mut walk, settings: self.settings, client };
        let concluded = match self.about {
            About::Sender if judged.identity == Identity::Helo => {
                check.name(&judged.domain, Role::Host)
            }
            About::Sender => check.name(&judged.domain, Role::Domain),
            About::HeloAlternative => {
                let domain = identity::sender_domain(facts);
                check.alternative(&domain, &judged.domain)
            }
        };
        walk.conclude(judged, concluded)
    }

    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding {
        self.judged(facts).finding(Stop::temporary(cause))
    }
}

struct Check<'c, 'a> {
    walk: &'c mut Walk<'a>,
    settings: Settings,
    client: IpAddr,
}

/// What a name says of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    Allow,
    Deny,
    Conflict,
    /// Nothing; or it is not known yet.
    Nothing,
}

/// Whether a name takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Takes(Vec<String>),
    /// It does not; or that is not known yet.
    TakesNone,
}

impl Check<'_, '_> {
    /// What a domain or host says (draft-fecyk-dmp-02 section 5).
    fn name(&mut self, name: &str, role: Role) -> Result<Conclusion, Stop> {
        if !is_fully_qualified(name) {
            return Ok(none("malformed-domain"));
        }
        if !is_short_enough(name, self.client) {
            return Ok(none("name-too-long"));
        }
        let records = base_name(name);
        self.walk.trace.begin(&records, whole(&records));
        let conclusion = match self.listing(name, Ahead::Allowed)? {
            Listing::Allow => {
                Conclusion::new(FindingResult::Pass, "allowed").decided_by("dmp=allow")
            }
            Listing::Deny => Conclusion::new(FindingResult::Fail, "denied").decided_by("dmp=deny"),
            Listing::Conflict if !self.settings.strict => return Err(Stop::permanent("conflict")),
            Listing::Conflict | Listing::Nothing => match self.base(name, role)? {
                Part::TakesNone => none("not-a-participant"),
                Part::Takes(alternatives) => self.alternatives(&alternatives)?,
            },
        };
        self.walk.trace.end(TermResult::Result(conclusion.result));
        Ok(conclusion)
    }

    /// A name that takes part does not list the client: those that it names may.
    fn alternatives(&mut self, names: &[String]) -> Result<Conclusion, Stop> {
        for name in names.iter().take(ALTERNATIVES_MAX) {
            if is_short_enough(name, self.client)
                && self.listing(name, Ahead::Allowed)? == Listing::Allow
            {
                let passed = Conclusion::new(FindingResult::Pass, "allowed-by-alternative");
                return Ok(passed.decided_by(format!("altdomain:{name}")));
            }
        }
        Ok(Conclusion::new(FindingResult::Fail, "not-listed").decided_by("dmp="))
    }

    /// What the HELO name says where the sender's domain refuses. The draft's examples ask nothing
    /// more there than whether it lists the client.
    fn alternative(&mut self, domain: &str, helo: &str) -> Result<Conclusion, Stop> {
        let refused = match self.name(domain, Role::Domain) {
            Ok(conclusion) => match conclusion.result {
                FindingResult::Fail => true,
                FindingResult::None => !self.settings.accept_non_dmp,
                _ => false,
            },
            // What went wrong there is that finding's.
            Err(_) => false,
        };
        if !refused {
            return Ok(none("not-asked"));
        }
        if !is_fully_qualified(helo) || !is_short_enough(helo, self.client) {
            return Ok(Conclusion::new(FindingResult::Fail, "malformed-domain"));
        }
        let records = base_name(helo);
        self.walk.trace.begin(&records, whole(&records));
        let (result, cause) = match self.listing(helo, Ahead::Forbidden)? {
            Listing::Allow if !self.settings.extensions => (FindingResult::Pass, "allowed"),
            Listing::Allow => match self.base(helo, Role::Forwarder)? {
                Part::Takes(_) => (FindingResult::Pass, "allowed"),
                Part::TakesNone => (FindingResult::Fail, "not-a-forwarder"),
            },
            Listing::Deny => (FindingResult::Fail, "denied"),
            Listing::Conflict if !self.settings.strict => return Err(Stop::permanent("conflict")),
            Listing::Conflict | Listing::Nothing => (FindingResult::Fail, "not-listed"),
        };
        self.walk.trace.end(TermResult::Result(result));
        Ok(Conclusion::new(result, cause))
    }

    /// Whether a name lists the client: one question.
    fn listing(&mut self, name: &str, ahead: Ahead) -> Result<Listing, Stop> {
        self.walk.trace.begin("", (0, 0));
        let values = match self.walk.txt(&client_name(self.client, name), ahead)? {
            Some(answer) => {
                answer.records()?;
                Value::of(answer)
            }
            None => &[],
        };
        let (allows, denies) = (values.contains(&Value::Allow), values.contains(&Value::Deny));
        let (listing, text) = match (allows, denies) {
            (true, false) => (Listing::Allow, "dmp=allow"),
            (false, true) => (Listing::Deny, "dmp=deny"),
            (true, true) => (Listing::Conflict, "dmp=allow dmp=deny"),
            (false, false) => (Listing::Nothing, ""),
        };
        self.walk.trace.name(text, whole(text));
        self.walk.trace.end(match listing {
            Listing::Allow | Listing::Deny => TermResult::Match,
            Listing::Conflict | Listing::Nothing => TermResult::NoMatch,
        });
        Ok(listing)
    }

    /// Whether a name takes part, and which others may list its clients.
    fn base(&mut self, name: &str, role: Role) -> Result<Part, Stop> {
        self.walk.trace.begin("", (0, 0));
        let values = match self.walk.txt(&base_name(name), Ahead::Allowed)? {
            Some(answer) => {
                answer.records()?;
                Value::of(answer)
            }
            None => &[],
        };
        let part = self.part(values, role);
        if let Part::Takes(_) = part {
            self.walk.trace.name("dmp=", whole("dmp="));
            self.walk.trace.end(TermResult::Match);
        } else {
            self.walk.trace.end(TermResult::NoMatch);
        }
        Ok(part)
    }

    /// Without extensions a record that is exactly `dmp=` makes a name take part, whatever stands
    /// beside it; with them also one that says as what.
    fn part(&self, values: &[Value], role: Role) -> Part {
        let mut takes = values.contains(&Value::Base);
        let mut alternatives = Vec::new();
        for value in values.iter().filter(|_| self.settings.extensions) {
            match value {
                Value::Extension(Extension::Alternatives(names)) => {
                    takes = true;
                    alternatives.extend_from_slice(names);
                }
                Value::Extension(Extension::Roles(roles)) => takes |= roles.contains(&role),
                _ => {}
            }
        }
        if takes { Part::Takes(alternatives) } else { Part::TakesNone }
    }
}
