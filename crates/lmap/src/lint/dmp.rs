use std::ops::Range;

use quivive_evidence::{
    Answer, Evidence, Lint, LintNode, LintReport, Linting, LookUps, Method, Outcome, Subject, Txt,
};

use crate::dmp::{NAME_OCTETS_MAX_IPV4, NAME_OCTETS_MAX_IPV6, Value, base_name};

/// Looks over the records below `_smtp-client.DOMAIN`, as far as their names can be known: DNS does
/// not tell which addresses are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct DmpLint;

impl Lint for DmpLint {
    fn method(&self) -> Method {
        Method::Dmp
    }

    fn lint(&self, subject: &Subject, evidence: &dyn Evidence) -> Linting {
        let look_ups = LookUps::new(evidence);
        let mut report = LintReport::new(Method::Dmp, "");
        match (&subject.record, &subject.domain) {
            (Some(record), _) => given(record, &mut report),
            (None, Some(domain)) => published(domain, &look_ups, &mut report),
            (None, None) => {}
        }
        look_ups.finish(report)
    }
}

fn given(record: &str, report: &mut LintReport) {
    report.published = true;
    for line in record.lines() {
        let place = report.add_line(line);
        match Value::parse(line.as_bytes()) {
            Some(value) => spelling(&value, &place, report),
            None => report.error(
                "no-dmp-record",
                &place,
                "this text is no record of DMP",
                "write `dmp=`, `dmp=allow` or `dmp=deny`",
            ),
        }
    }
}

/// What stands at a name.
enum Found<'a> {
    /// Texts, with what they say of DMP, if anything.
    Texts(Vec<(&'a Txt, Option<Value>)>),
    /// The name is there for those below it, and has no text.
    Empty,
    Nothing,
    /// It is not known.
    Unknown,
}

fn published(domain: &str, look_ups: &LookUps<'_>, report: &mut LintReport) {
    let base = base_name(domain);
    let ask = |labels: &str| look_ups.txt(&format!("{labels}{base}"));
    let answers = ["", "*.", "*.in-addr.", "*.ip6.", "in-addr.", "ip6."].map(ask);
    for answer in answers.iter().flatten() {
        if let Outcome::Failed(failure) = answer.outcome {
            return report.no_answer(&base, failure);
        }
    }
    let [at_base, default, all_ipv4, all_ipv6, ipv4, ipv6] = answers.map(Found::of);
    if !at_base.takes_part() && !default.takes_part() {
        if !matches!((&at_base, &default), (Found::Unknown, _) | (_, Found::Unknown)) {
            report.nothing(domain);
        }
        return;
    }
    report.published = true;
    lengths(domain, report);
    look_at_base(&at_base, report);
    look_at_default(&default, report);
    let lists_ipv4 = look_at_family("IPv4", "0.0.0.0/0", &all_ipv4, &ipv4, report);
    let lists_ipv6 = look_at_family("IPv6", "::/0", &all_ipv6, &ipv6, report);
    let node = |text: String, note: &str| LintNode { text, note: note.into(), children: vec![] };
    let told = |lists| match lists {
        Some(true) => "lists addresses",
        Some(false) => "lists no address",
        None => "not looked up",
    };
    report.tree = vec![LintNode {
        text: base.clone(),
        note: String::new(),
        children: vec![
            node(format!("*.{base}"), if default.says(&Value::Deny) { "dmp=deny" } else { "" }),
            node(format!("in-addr.{base}"), told(lists_ipv4)),
            node(format!("ip6.{base}"), told(lists_ipv6)),
        ],
    }];
}

impl<'a> Found<'a> {
    fn of(answer: Option<&'a Answer<Txt>>) -> Self {
        match answer.map(|answer| &answer.outcome) {
            Some(Outcome::Found(texts)) => {
                let told = texts.iter().map(|text| (text, Value::parse(&text.0)));
                Self::Texts(told.collect())
            }
            Some(Outcome::NoData) => Self::Empty,
            Some(_) => Self::Nothing,
            None => Self::Unknown,
        }
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        let texts = match self {
            Self::Texts(texts) => &texts[..],
            _ => &[],
        };
        texts.iter().filter_map(|(_, value)| value.as_ref())
    }

    fn says(&self, value: &Value) -> bool {
        self.values().any(|one| one == value)
    }

    fn takes_part(&self) -> bool {
        self.values().next().is_some()
    }
}

/// The longest address must fit before the domain.
fn lengths(domain: &str, report: &mut LintReport) {
    if domain.len() > NAME_OCTETS_MAX_IPV4 {
        report.error(
            "name-too-long",
            &(0..0),
            format!("the domain has {} octets, so that no address fits before it", domain.len()),
            format!("DMP takes domains of at most {NAME_OCTETS_MAX_IPV4} octets"),
        );
    } else if domain.len() > NAME_OCTETS_MAX_IPV6 {
        report.warn(
            "name-too-long",
            &(0..0),
            format!(
                "the domain has {} octets, so that no IPv6 address fits before it",
                domain.len()
            ),
            format!("for IPv6 DMP takes domains of at most {NAME_OCTETS_MAX_IPV6} octets"),
        );
    }
}

fn look_at_base(at_base: &Found<'_>, report: &mut LintReport) {
    let mut takes_part = false;
    if let Found::Texts(texts) = at_base {
        for (text, value) in texts {
            let place = report.add_line(&String::from_utf8_lossy(&text.0));
            match value {
                Some(value @ (Value::Base | Value::Extension(_) | Value::Other)) => {
                    takes_part |= *value == Value::Base;
                    spelling(value, &place, report);
                }
                Some(Value::Allow | Value::Deny) => report.warn(
                    "stray-value",
                    &place,
                    "the base record only says that the domain takes part; for a client this says \
                     nothing",
                    "write `dmp=` here, and what is said of clients below it",
                ),
                None => report.advise(
                    "foreign-text",
                    &place,
                    "this text is no record of DMP, and some receivers stumble over it",
                    "move it to another name",
                ),
            }
        }
    }
    if !takes_part && !matches!(at_base, Found::Unknown) {
        report.error(
            "no-base",
            &(0..0),
            "the base record `dmp=` is missing, so that clients that are not listed are taken as \
             if the domain took no part",
            "publish a TXT record `dmp=` at `_smtp-client` below the domain",
        );
    }
}

fn look_at_default(default: &Found<'_>, report: &mut LintReport) {
    if default.says(&Value::Allow) {
        report.error(
            "default-allows",
            &(0..0),
            "the default below `_smtp-client` allows everybody, which the draft calls invalid",
            "write `dmp=deny` there, and `dmp=allow` for each address that sends",
        );
    } else if !default.says(&Value::Deny) && !matches!(default, Found::Unknown) {
        report.warn(
            "no-default",
            &(0..0),
            "the default `*._smtp-client` with `dmp=deny` is missing, so that each stranger costs \
             receivers a second question",
            "publish it beside the base record",
        );
    }
}

/// Whether addresses of a family are listed, as far as that is known.
fn look_at_family(
    family: &str,
    everybody: &str,
    wildcard: &Found<'_>,
    names: &Found<'_>,
    report: &mut LintReport,
) -> Option<bool> {
    if wildcard.says(&Value::Allow) {
        // A default that allows answers here too, and has its own remark.
        if report.remarks.iter().any(|remark| remark.code == "default-allows") {
            return None;
        }
        report.warn(
            "allows-all",
            &(0..0),
            format!("every {family} host in the world may send, and receivers may refuse that"),
            "name the addresses that your mail comes from",
        );
        report.networks.extend(everybody.parse::<ipnet::IpNet>());
        return Some(true);
    }
    match (names, wildcard) {
        (Found::Unknown, _) => None,
        (Found::Empty, Found::Nothing | Found::Empty) if family == "IPv4" => {
            // RFC 4592 section 2.2.1: names that exist for others below them end the default.
            report.advise(
                "wildcard-hole",
                &(0..0),
                "the default does not cover addresses beside those that are listed, for names \
                 above these exist",
                "publish `dmp=deny` at a wildcard below each of them, as `quivive publish \
                 --method dmp` does",
            );
            Some(true)
        }
        (Found::Empty, _) => Some(true),
        _ => Some(false),
    }
}

fn spelling(value: &Value, place: &Range<usize>, report: &mut LintReport) {
    match value {
        Value::Other => report.error(
            "unknown-value",
            place,
            "what stands behind `dmp=` is in no draft, so that nobody reads it",
            "write `dmp=`, `dmp=allow` or `dmp=deny`",
        ),
        Value::Extension(_) => report.advise(
            "extension",
            place,
            "this is a proposal of the draft's appendix, which hardly any receiver acts on",
            "publish `dmp=` beside it, and list the addresses here too",
        ),
        Value::Base | Value::Allow | Value::Deny => {}
    }
}
