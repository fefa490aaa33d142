//! The bound of a case.

use quivive_evidence::{Finding, Question};
use quivive_verdict::Case;

use crate::body::json;

/// How many octets a case may have as JSON. What is longer is cut, and [`Case::cut`] names where.
pub const CASE_OCTETS_MAX: usize = 256 * 1024;

/// How many recipients a case that is too long keeps.
const RECIPIENTS_MAX: usize = 100;

/// How many changed addresses a case that is too long keeps.
const REWRITES_MAX: usize = 10;

/// How long the header of a case that is too long may be as JSON, in octets.
const HEADER_MAX: usize = 64 * 1024;

/// How long a text of a case that is too long may be, in octets.
const TEXT_OCTETS_MAX: usize = 512;

/// Brings a case within [`CASE_OCTETS_MAX`]. Its evidence is told as questions, and how long each
/// answer is as JSON; the places of those that stay are given back.
///
/// What can be found out again goes first: traces follow from the evidence. An answer goes as a
/// whole, so that a replay says that it lacks it and does not work with half of it.
pub(crate) fn within_bound(case: &mut Case, answers: &[(Question, usize)]) -> Vec<usize> {
    // With what separates it from the next.
    let of_answer = |place: usize| answers[place].1 + 1;
    let mut stay: Vec<usize> = (0..answers.len()).collect();
    let of_answers: usize = stay.iter().copied().map(of_answer).sum();
    let steps: [fn(&mut Case); 4] = [traces, recipients, texts, header];
    for step in steps {
        if octets(case) + of_answers <= CASE_OCTETS_MAX {
            return stay;
        }
        step(case);
    }
    // The longest answers first.
    stay.sort_by_key(|place| std::cmp::Reverse(of_answer(*place)));
    let mut octets_now = octets(case) + of_answers;
    let mut gone = 0;
    while octets_now > CASE_OCTETS_MAX && gone < stay.len() {
        octets_now -= of_answer(stay[gone]);
        octets_now += mark(case, &answers[stay[gone]].0);
        gone += 1;
    }
    stay.drain(..gone);
    stay.sort_unstable();
    if octets_now > CASE_OCTETS_MAX {
        findings(case);
    }
    stay
}

fn octets(case: &Case) -> usize {
    json(case).len()
}

/// Says that the answer to this question is gone, and how many octets that takes.
fn mark(case: &mut Case, question: &Question) -> usize {
    if case.cut.len() >= RECIPIENTS_MAX {
        return 0;
    }
    let question = question.to_string();
    let mark = format!("evidence: {}", &question[..question.floor_char_boundary(TEXT_OCTETS_MAX)]);
    let octets = json(&mark).len() + 1;
    case.cut.push(mark);
    octets
}

fn traces(case: &mut Case) {
    for finding in &mut case.findings {
        finding.trace.clear();
    }
    case.cut.push("trace".to_owned());
}

fn recipients(case: &mut Case) {
    if case.facts.recipients.len() <= RECIPIENTS_MAX
        && case.verdict.recipients.len() <= RECIPIENTS_MAX
        && case.verdict.rewrites.len() <= REWRITES_MAX
    {
        return;
    }
    case.verdict.rewrites.truncate(REWRITES_MAX);
    case.facts.recipients.truncate(RECIPIENTS_MAX);
    case.verdict.recipients.truncate(RECIPIENTS_MAX);
    case.cut.push("recipients".to_owned());
}

fn texts(case: &mut Case) {
    let Case { facts, door, findings, verdict, headers, outcome, .. } = case;
    let mut fields = vec![
        ("helo", &mut facts.helo),
        ("reverse_path", &mut facts.reverse_path),
        ("receiver", &mut facts.receiver),
        ("door", door),
        ("text", &mut verdict.reply.text),
        ("authentication_results", &mut headers.authentication_results),
        ("outcome", outcome),
    ];
    headers.received_spf.truncate(RECIPIENTS_MAX);
    headers.edits.truncate(RECIPIENTS_MAX);
    verdict.reasons.truncate(RECIPIENTS_MAX);
    fields.extend(facts.auth_user.iter_mut().map(|text| ("auth_user", text)));
    fields.extend(facts.certificate.iter_mut().map(|text| ("certificate", text)));
    fields.extend(facts.submitter.iter_mut().map(|text| ("submitter", text)));
    fields.extend(facts.recipients.iter_mut().map(|text| ("recipients", text)));
    fields.extend(verdict.recipients.iter_mut().flat_map(|recipient| {
        [("recipients", &mut recipient.recipient), ("text", &mut recipient.reply.text)]
    }));
    for rewrite in &mut verdict.rewrites {
        fields.push(("rewrites", &mut rewrite.address));
        fields.push(("rewrites", &mut rewrite.reason));
        fields.extend(rewrite.becomes.iter_mut().map(|text| ("rewrites", text)));
    }
    fields.extend(headers.received_spf.iter_mut().map(|text| ("received_spf", text)));
    fields.extend(headers.x_rmx.iter_mut().map(|text| ("x_rmx", text)));
    fields.extend(headers.edits.iter_mut().map(|edit| ("edits", &mut edit.value)));
    fields.extend(verdict.reasons.iter_mut().map(|text| ("reasons", text)));
    for Finding { domain, decided_by, explanation, properties, .. } in findings {
        properties.truncate(RECIPIENTS_MAX);
        fields.push(("domain", domain));
        fields.extend(properties.iter_mut().map(|one| ("properties", &mut one.value)));
        fields.extend(decided_by.iter_mut().map(|text| ("decided_by", text)));
        fields.extend(explanation.iter_mut().map(|text| ("explanation", text)));
    }
    let mut cut: Vec<&str> =
        fields.into_iter().filter_map(|(name, text)| shorten(name, text)).collect();
    cut.dedup();
    case.cut.extend(cut.into_iter().map(str::to_owned));
    case.cut.dedup();
}

fn shorten(name: &'static str, text: &mut String) -> Option<&'static str> {
    if text.len() <= TEXT_OCTETS_MAX {
        return None;
    }
    text.truncate(text.floor_char_boundary(TEXT_OCTETS_MAX));
    Some(name)
}

/// A header of which a part is missing decides nothing in a replay, so that none of it is kept.
fn header(case: &mut Case) {
    if let Some(header) = case.facts.header.as_mut().filter(|one| json(one).len() > HEADER_MAX) {
        header.fields.clear();
        header.cut = true;
        case.cut.push("header".to_owned());
    }
}

/// What then is too long still has more findings, or in them more questions, than any message.
fn findings(case: &mut Case) {
    case.findings.truncate(RECIPIENTS_MAX);
    for finding in &mut case.findings {
        finding.needed.clear();
        finding.cause = finding.cause.chars().take(TEXT_OCTETS_MAX / 4).collect::<String>().into();
    }
    case.cut.push("findings".to_owned());
}
