//! A judgement's results in the words of log lines.

use quivive_verdict::Judgement;

/// The results, in the order in which they were weighed: `spf.helo=none spf.mailfrom=pass`.
pub(crate) fn words(judgement: &Judgement) -> String {
    let words = judgement
        .findings
        .iter()
        .map(|finding| format!("{}.{}={}", finding.method, finding.identity, finding.result));
    words.collect::<Vec<String>>().join(" ")
}
