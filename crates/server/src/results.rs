//! A judgement's results in the words of log lines.

use quivive_evidence::{Finding, FindingResult, Method};
use quivive_verdict::Judgement;

/// The results, in the order in which they were weighed: `spf.helo=none spf.mailfrom=pass`. What a
/// client of ours may not use stands behind the result: `binding.from=fail("boss@example.org")`.
pub(crate) fn words(judgement: &Judgement) -> String {
    judgement.findings.iter().map(word).collect::<Vec<String>>().join(" ")
}

/// Why what was found did not simply decide: whose word was taken, what is not checked, what an
/// exception or a dry run changed. Nothing for mail that was judged by findings and actions alone.
pub(crate) fn practice(judgement: &Judgement) -> Option<String> {
    let told = |reason: &&String| {
        ["[local]", "[[exception]]", "dry run: ", ", by [spf] "]
            .iter()
            .any(|of| reason.contains(of))
    };
    let told: Vec<&str> =
        judgement.verdict.reasons.iter().filter(told).map(String::as_str).collect();
    (!told.is_empty()).then(|| told.join("; "))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quivive_evidence::{Facts, Notebook};
    use quivive_verdict::{Asked, Policy, Practice, Session, Stage};

    use super::practice;

    #[test]
    fn local_practice_stands_in_the_log() {
        let told = |known: Practice| {
            let policy = Policy { practice: known, ..Policy::new("mx.example") };
            let mut facts = Facts::new([192, 0, 2, 1].into());
            facts.reverse_path = "a@[192.0.2.1]".to_owned();
            let mut session = Session::new(Arc::new(policy));
            session.enter(Stage::Message, &facts);
            let notebook = Notebook::default();
            assert!(session.advance(&facts, &notebook).is_empty());
            practice(&session.judgement(facts, notebook, Asked::default()))
        };
        let relays = vec!["192.0.2.0/24".parse().unwrap()];
        assert_eq!(told(Practice::default()), None);
        assert_eq!(
            told(Practice { relays, ..Practice::default() }).unwrap(),
            "nothing is checked: 192.0.2.1 is trusted ([local] relays)"
        );
    }
}
