//! What differs between two judgements of one message, term by term.

use quivive_evidence::{Finding, FindingResult, Identity, Method, TermResult, TraceNode};

/// How one finding has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The method.
    pub method: Method,
    /// The identity.
    pub identity: Identity,
    /// The domain, or the list, that was asked.
    pub domain: String,
    /// The result and its cause before; `None`: there was no such finding.
    pub before: Option<(FindingResult, String)>,
    /// The result and its cause after.
    pub after: Option<(FindingResult, String)>,
    /// The records and terms that differ, in the order of evaluation.
    pub terms: Vec<TermDifference>,
}

/// A record or a term that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermDifference {
    /// How deep in the tree: 0 is the domain's own record, 1 a term in it.
    pub depth: usize,
    /// What it was; `None`: it was not there, or was not reached.
    pub before: Option<Node>,
    /// What it is.
    pub after: Option<Node>,
}

/// A record or a term, with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// As it is written.
    pub term: String,
    /// What came of it.
    pub result: TermResult,
}

impl Difference {
    /// The result is another one, not only the way to it.
    pub fn is_in_result(&self) -> bool {
        let result = |side: &Option<(FindingResult, String)>| side.as_ref().map(|side| side.0);
        result(&self.before) != result(&self.after)
    }
}

/// The findings that differ: their results, their causes, or the terms on the way.
pub fn differences(before: &[Finding], after: &[Finding]) -> Vec<Difference> {
    let mut new: Vec<&Finding> = after.iter().collect();
    let mut all = Vec::new();
    for pair in pairs(before, &mut new) {
        all.extend(difference(Some(pair.0), pair.1));
    }
    for finding in new {
        all.extend(difference(None, Some(finding)));
    }
    all
}

/// Each finding with the one that took its place; those that took none's are left.
///
/// A method may have several findings about one identity: one for each list, one for the announced
/// responsible address and one for the header's. What they judged and their domain tell
/// them apart, then their order.
fn pairs<'f>(
    before: &'f [Finding],
    after: &mut Vec<&'f Finding>,
) -> Vec<(&'f Finding, Option<&'f Finding>)> {
    let mut pairs: Vec<_> = before.iter().map(|finding| (finding, None)).collect();
    let kin = |one: &Finding, other: &Finding| {
        (one.method, one.identity) == (other.method, other.identity)
    };
    let closeness: [fn(&Finding, &Finding) -> bool; 2] = [
        |one, other| one.domain == other.domain && judged(one) == judged(other),
        |one, other| one.domain == other.domain,
    ];
    for is_close in closeness {
        for (finding, partner) in pairs.iter_mut().filter(|(_, partner)| partner.is_none()) {
            let found = after.iter().position(|one| kin(finding, one) && is_close(finding, one));
            *partner = found.map(|index| after.remove(index));
        }
    }
    pairs
}

/// Which part of the message or which list was judged, by its name.
fn judged(finding: &Finding) -> Option<&str> {
    finding.properties.first().map(|property| &*property.name)
}

fn difference(before: Option<&Finding>, after: Option<&Finding>) -> Option<Difference> {
    let some = before.or(after)?;
    let side = |finding: Option<&Finding>| {
        finding.map(|finding| (finding.result, finding.cause.to_string()))
    };
    let trace = |finding: Option<&Finding>| finding.map_or(Vec::new(), |one| one.trace.clone());
    let mut terms = Vec::new();
    pair(&trace(before), &trace(after), 0, &mut terms);
    let difference = Difference {
        method: some.method,
        identity: some.identity,
        domain: some.domain.clone(),
        before: side(before),
        after: side(after),
        terms,
    };
    let differs = difference.before != difference.after || !difference.terms.is_empty();
    differs.then_some(difference)
}

/// Sets the nodes of two levels against each other: what is equal at the start and at the end
/// belongs together, and what is between belongs together in its order.
fn pair(before: &[TraceNode], after: &[TraceNode], depth: usize, all: &mut Vec<TermDifference>) {
    let equal = |(one, other): &(&TraceNode, &TraceNode)| one.term == other.term;
    let start = before.iter().zip(after).take_while(equal).count();
    let rest = before[start..].iter().rev().zip(after[start..].iter().rev());
    let end = rest.take_while(equal).count();
    for (one, other) in before.iter().zip(after).take(start) {
        node(Some(one), Some(other), depth, all);
    }
    let between = &before[start..before.len() - end];
    let between_after = &after[start..after.len() - end];
    for index in 0..between.len().max(between_after.len()) {
        node(between.get(index), between_after.get(index), depth, all);
    }
    for (one, other) in before[before.len() - end..].iter().zip(&after[after.len() - end..]) {
        node(Some(one), Some(other), depth, all);
    }
}

fn node(
    before: Option<&TraceNode>,
    after: Option<&TraceNode>,
    depth: usize,
    all: &mut Vec<TermDifference>,
) {
    let of = |node: Option<&TraceNode>| {
        node.map(|node| Node { term: node.term.clone(), result: node.result })
    };
    let difference = TermDifference { depth, before: of(before), after: of(after) };
    if difference.before != difference.after {
        all.push(difference);
    }
    let children = |node: Option<&TraceNode>| node.map_or(Vec::new(), |node| node.children.clone());
    pair(&children(before), &children(after), depth + 1, all);
}

#[cfg(test)]
mod tests {
    use quivive_evidence::Property;

    use super::*;

    fn term(term: &str, result: TermResult, children: Vec<TraceNode>) -> TraceNode {
        TraceNode { term: term.to_owned(), span: (0, 0), result, questions: Vec::new(), children }
    }

    fn finding(result: FindingResult, cause: &'static str, trace: Vec<TraceNode>) -> Finding {
        Finding {
            method: Method::Spf,
            identity: Identity::Mailfrom,
            domain: "example.com".to_owned(),
            result,
            cause: cause.into(),
            decided_by: None,
            explanation: None,
            properties: Vec::new(),
            trace,
            needed: Vec::new(),
        }
    }

    fn told(differences: &[TermDifference]) -> Vec<String> {
        let side = |node: &Option<Node>| {
            node.as_ref()
                .map_or("-".to_owned(), |node| format!("{}={}", node.term, node.result.word()))
        };
        let told = differences.iter();
        told.map(|one| format!("{} {} {}", one.depth, side(&one.before), side(&one.after)))
            .collect()
    }

    #[test]
    fn equal_judgements_do_not_differ() {
        let record = term("v=spf1 -all", TermResult::Result(FindingResult::Fail), Vec::new());
        let findings = [finding(FindingResult::Fail, "match", vec![record])];
        assert_eq!(differences(&findings, &findings), []);
    }

    #[test]
    fn a_term_that_matches_now() {
        use TermResult::{Match, NoMatch, Result};
        let before = finding(
            FindingResult::Fail,
            "match",
            vec![term(
                "v=spf1 a ip4:192.0.2.1 mx -all",
                Result(FindingResult::Fail),
                vec![
                    term("a", NoMatch, Vec::new()),
                    term("ip4:192.0.2.1", NoMatch, Vec::new()),
                    term("mx", NoMatch, Vec::new()),
                    term("-all", Match, Vec::new()),
                ],
            )],
        );
        let after = finding(
            FindingResult::Pass,
            "match",
            vec![term(
                "v=spf1 a ip4:192.0.2.9 mx -all",
                Result(FindingResult::Pass),
                vec![term("a", NoMatch, Vec::new()), term("ip4:192.0.2.9", Match, Vec::new())],
            )],
        );
        let found = differences(&[before], &[after]);
        assert_eq!(found.len(), 1);
        assert!(found[0].is_in_result());
        assert_eq!(
            told(&found[0].terms),
            [
                "0 v=spf1 a ip4:192.0.2.1 mx -all=fail v=spf1 a ip4:192.0.2.9 mx -all=pass",
                "1 ip4:192.0.2.1=no-match ip4:192.0.2.9=match",
                "1 mx=no-match -",
                "1 -all=match -",
            ]
        );
    }

    /// Two responsible addresses of one domain, three lists.
    #[test]
    fn several_findings_of_one_identity() {
        let of = |method, identity, domain: &str, property: &'static str, result| Finding {
            method,
            identity,
            domain: domain.to_owned(),
            properties: vec![Property::new(property, "x")],
            ..finding(result, "match", Vec::new())
        };
        let (pra, ip) = (Identity::Pra, Identity::Ip);
        let announced = |result| of(Method::SenderId, pra, "a.test", "smtp.submitter", result);
        let header = |result| of(Method::SenderId, pra, "a.test", "header.from", result);
        let list = |zone, result| of(Method::Dnsbl, ip, zone, "dns.zone", result);
        use FindingResult::{Fail, None, Pass};
        let before =
            [announced(Pass), header(Pass), list("one.test", None), list("two.test", Fail)];
        assert_eq!(differences(&before, &before), []);
        let after = [header(Fail), announced(Pass), list("two.test", None), list("new.test", None)];
        let told: Vec<_> = differences(&before, &after)
            .into_iter()
            .map(|one| (one.method, one.domain, one.before.map(|side| side.0), one.after))
            .map(|(method, domain, before, after)| (method, domain, before, after.map(|one| one.0)))
            .collect();
        assert_eq!(
            told,
            [
                (Method::SenderId, "a.test".to_owned(), Some(Pass), Some(Fail)),
                (Method::Dnsbl, "one.test".to_owned(), Some(None), Option::None),
                (Method::Dnsbl, "two.test".to_owned(), Some(Fail), Some(None)),
                (Method::Dnsbl, "new.test".to_owned(), Option::None, Some(None)),
            ]
        );
        // Where nothing tells them apart, their order does.
        let failed = |cause: &'static str| Finding {
            cause: cause.into(),
            properties: Vec::new(),
            ..header(Fail)
        };
        let told = differences(&[failed("a"), failed("b")], &[failed("a"), failed("c")]);
        assert_eq!(told.len(), 1);
    }

    #[test]
    fn a_finding_that_is_gone_and_a_new_one() {
        let before = finding(FindingResult::None, "no-record", Vec::new());
        let after = Finding { identity: Identity::Helo, ..before.clone() };
        let found = differences(&[before], &[after]);
        let sides: Vec<_> = found
            .iter()
            .map(|one| (one.identity, one.before.is_some(), one.after.is_some()))
            .collect();
        assert_eq!(sides, [(Identity::Mailfrom, true, false), (Identity::Helo, false, true)]);
    }
}
