use std::net::{IpAddr, Ipv4Addr};

use quivive_evidence::{
    Ahead, Conclusion, Evaluate, Evaluation, Evidence, Facts, Finding, FindingResult, Identity,
    Judged, Method, Property, Stop, TermResult, Txt, Walk, reverse_name, whole,
};

use crate::List;

/// How many questions a list takes: whether an address is on it, and why.
pub const QUESTIONS_MAX: usize = 2;

/// How much of a list's reason is kept, in characters.
pub const REASON_CHARACTERS_MAX: usize = 500;

/// A list by which a client's address is judged, on its own.
#[derive(Debug, Clone)]
pub struct DnsList {
    kind: Kind,
    list: Option<List>,
}

/// What it means to be on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something bad: `fail` (RFC 5782).
    Block,
    /// Something good: `pass` (RFC 8904).
    White,
}

impl DnsList {
    /// A list of this kind.
    pub fn new(kind: Kind, list: List) -> Self {
        Self { kind, list: Some(list) }
    }

    /// No list at all: its finding says so.
    pub fn unnamed(kind: Kind) -> Self {
        Self { kind, list: None }
    }

    fn judged(&self) -> Judged {
        Judged {
            method: match self.kind {
                Kind::Block => Method::Dnsbl,
                Kind::White => Method::Dnswl,
            },
            identity: Identity::Ip,
            domain: self.list.as_ref().map_or(String::new(), |list| list.zone().to_owned()),
        }
    }
}

impl Evaluate for DnsList {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let mut walk = Walk::new(evidence, QUESTIONS_MAX);
        let concluded = match &self.list {
            Some(list) => look_up(&mut walk, self.kind, list, facts.client_address),
            None => Ok(Conclusion::new(FindingResult::None, "no-lists")),
        };
        walk.conclude(self.judged(), concluded)
    }

    fn give_up(&self, _: &Facts, cause: &'static str) -> Finding {
        self.judged().finding(Stop::temporary(cause))
    }
}

/// The name of an address in a list (RFC 5782 section 2.1 and 2.4).
fn owner_name(client: IpAddr, zone: &str) -> String {
    let reverse = reverse_name(client);
    let family = if client.is_ipv4() { ".in-addr.arpa" } else { ".ip6.arpa" };
    format!("{}.{zone}", reverse.trim_end_matches(family))
}

fn look_up(
    walk: &mut Walk<'_>,
    kind: Kind,
    list: &List,
    client: IpAddr,
) -> Result<Conclusion, Stop> {
    walk.trace.begin(list.zone(), whole(list.zone()));
    walk.trace.begin("", (0, 0));
    let name = owner_name(client, list.zone());
    let Some(answer) = walk.ipv4(&name, Ahead::Allowed)? else {
        return Ok(Conclusion::new(FindingResult::None, "unknown"));
    };
    let mut codes = answer.records()?.to_vec();
    codes.sort_unstable();
    let text = codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    walk.trace.name(&*text, whole(&text));
    let properties = |code: Option<&Ipv4Addr>, reason: Option<&str>| {
        let mut properties = vec![Property::new("dns.zone", list.zone())];
        properties.extend(code.map(|code| Property::new("policy.ip", code.to_string())));
        properties.extend(reason.map(|reason| Property::new("policy.txt", reason)));
        let is_signed = if answer.source.is_secure() { "yes" } else { "no" };
        properties.push(Property::new("dns.sec", is_signed));
        properties
    };
    let Some(code) = codes.iter().find(|code| list.counts(**code)) else {
        walk.trace.end(TermResult::NoMatch);
        // A list whose zone has expired answers for every name, with an address of somebody's.
        if let Some(cause) = codes.iter().find_map(|code| refusal(kind, *code)) {
            return Err(Stop::permanent(cause));
        }
        let none = Conclusion::new(FindingResult::None, "not-listed");
        return Ok(Conclusion { properties: properties(None, None), ..none });
    };
    if let Some(cause) = refusal(kind, *code) {
        return Err(Stop::permanent(cause));
    }
    walk.trace.end(TermResult::Match);
    walk.trace.begin("reason", (0, 0));
    // A reason is for people, and nothing depends on it. Whoever is not on the list has none.
    let reason =
        walk.txt(&name, Ahead::Forbidden)?.and_then(|answer| reason(answer.records().ok()?));
    walk.trace.end(if reason.is_some() { TermResult::Explains } else { TermResult::NoMatch });
    let result = match kind {
        Kind::Block => FindingResult::Fail,
        Kind::White => FindingResult::Pass,
    };
    Ok(Conclusion {
        properties: properties(Some(code), reason.as_deref()),
        explanation: reason,
        ..Conclusion::new(result, "listed").decided_by(code.to_string())
    })
}

/// Answers that are about the question and not about the address: the list refuses it, or is none.
fn refusal(kind: Kind, code: Ipv4Addr) -> Option<&'static str> {
    match (code.octets(), kind) {
        // What block lists say to those whom they do not serve.
        ([127, 255, 255, _], _) => Some("list-refuses"),
        // RFC 8904 section 4: over quota.
        ([127, 0, 0, 255], Kind::White) => Some("list-refuses"),
        ([127, ..], _) => None,
        _ => Some("foreign-answer"),
    }
}

/// The texts as one, as far as they are UTF-8.
fn reason(texts: &[Txt]) -> Option<String> {
    let mut texts: Vec<_> =
        texts.iter().map(|text| String::from_utf8_lossy(&text.0).into_owned()).collect();
    texts.sort_unstable();
    let reason: String = texts.join("; ").chars().take(REASON_CHARACTERS_MAX).collect();
    Some(reason).filter(|reason| !reason.is_empty())
}
