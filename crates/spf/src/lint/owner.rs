//! What stands beside the record: its explanation, and what else there is at the domain's name.

use quivive_evidence::{Answer, LookUps, Outcome, Remark, Severity, Txt};

use super::source::Source;
use super::term::{Meaning, Term};
use super::tree;
use crate::MacroString;

/// The type that SPF once had (RFC 7208 section 3.1).
const SPF_TYPE: u16 = 99;

/// The type of an alias.
const CNAME_TYPE: u16 = 5;

/// How long an answer without EDNS may be (RFC 7208 section 3.4).
const ANSWER_OCTETS_MAX: usize = 512;

/// Remarks about what else stands at the domain's name.
pub(super) fn remarks(domain: &str, source: &Source, look_ups: &LookUps<'_>) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if source.records.is_empty() {
        return remarks;
    }
    if let Some(answer) = look_ups.txt(domain) {
        remarks.extend(large_answer(domain, answer));
    }
    let found = |record_type| {
        let answer = look_ups.other(domain, record_type);
        answer.is_some_and(|answer| matches!(answer.outcome, Outcome::Found(_)))
    };
    if found(SPF_TYPE) {
        remarks.push(Remark::new(
            Severity::Warning,
            "obsolete-type",
            0..0,
            format!(
                "{domain} has a record of the type SPF (99), too, which nobody asks for any \
                 more (RFC 7208 section 3.1)"
            ),
            "remove it: the TXT record is the one that counts",
        ));
    }
    if found(CNAME_TYPE) {
        remarks.push(Remark::new(
            Severity::Advice,
            "alias",
            0..0,
            format!("{domain} is an alias, so that its record is that of another name"),
            "make sure that the other name's senders are those of this one",
        ));
    }
    remarks
}

/// The answer holds all TXT records of the name, of which each says something else.
fn large_answer(domain: &str, answer: &Answer<Txt>) -> Option<Remark> {
    let records = answer.records().ok()?;
    let header_and_question = 12 + domain.len() + 2 + 4;
    // Name, type, class, TTL and length take twelve octets; each string has one of its own.
    let octets_of = |record: &Txt| 12 + record.0.len() + record.0.len().div_ceil(255).max(1);
    let octets = header_and_question + records.iter().map(octets_of).sum::<usize>();
    (octets > ANSWER_OCTETS_MAX).then(|| {
        let others = match records.len() - 1 {
            0 => String::new(),
            1 => " with the other TXT record at this name".to_owned(),
            others => format!(" with the {others} other TXT records at this name"),
        };
        Remark::new(
            Severity::Warning,
            "large-answer",
            0..0,
            format!(
                "the answer has {octets} octets{others}; beyond {ANSWER_OCTETS_MAX} some \
                 receivers never see it whole"
            ),
            "remove TXT records that nobody needs any more, and shorten the record",
        )
    })
}

/// Remarks about the text that `exp=` points to (RFC 7208 section 6.2).
pub(super) fn explanation(
    domain: Option<&str>,
    terms: &[Term<'_>],
    look_ups: &LookUps<'_>,
) -> Option<Remark> {
    let target = |term: &Term<'_>| match term.meaning() {
        Ok(Meaning::Explanation(target)) => tree::name_of(Some(target), domain),
        _ => None,
    };
    let (term, name) = terms.iter().find_map(|term| Some((term, target(term)?)))?;
    let answer = look_ups.txt(&name)?;
    let told = |what: String, help: &str| {
        Some(Remark::new(Severity::Warning, "explanation", term.span.clone(), what, help))
    };
    match &answer.outcome {
        Outcome::NoName | Outcome::NoData => told(
            format!("{name} has no text, so that a refusal is not explained"),
            "publish one TXT record there, or remove `exp=`",
        ),
        Outcome::Found(texts) if texts.len() > 1 => told(
            format!("{name} has several texts, so that none of them is used"),
            "keep one of them",
        ),
        Outcome::Found(texts) => {
            let text = str::from_utf8(&texts[0].0).ok().filter(|text| text.is_ascii());
            match text.map(MacroString::parse_explanation) {
                Some(Ok(_)) => None,
                Some(Err(error)) => told(
                    format!("the text of {name} cannot be used: {}", error.kind),
                    "mend it: `%%` is a percent sign, `%{i}` the client's address",
                ),
                None => told(
                    format!("the text of {name} is not ASCII, so that it is not used"),
                    "write it in ASCII",
                ),
            }
        }
        Outcome::Failed(_) => None,
    }
}
