//! A judgement's results in the words of log lines.

use quivive_evidence::{Finding, FindingResult, Method};
use quivive_verdict::Judgement;

/// The results, in the order in which they were weighed: `spf.helo=none spf.mailfrom=pass`. What a
/// client of ours may not use stands behind the result: `binding.from=fail("boss@example.org")`.
pub(crate) fn words(judgement: &Judgement) -> String {
    judgement.findings.iter().map(word).collect::<Vec<String>>().join(" ")
}

fn word(finding: &Finding) -> String {
    let Finding { method, identity, result, properties, .. } = finding;
    let is_told =
        *method == Method::Binding && !matches!(result, FindingResult::Pass | FindingResult::None);
    match properties.first().filter(|_| is_told) {
        Some(property) => format!("{method}.{identity}={result}({:?})", property.value),
        None => format!("{method}.{identity}={result}"),
    }
}
