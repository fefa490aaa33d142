//! What holds for every record.

use proptest::prelude::*;

use super::*;

/// Texts that are nearly records: parts of terms, glued by what may or may not separate them.
fn nearly_a_record() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z0-9.:/=%{}~?+-]{0,12}",
        "\\PC{0,3}",
        prop::sample::select(vec![
            "v=spf1",
            "ip4:",
            "ip6:",
            "include:",
            "192.0.2.1",
            "2001:db8::/32",
            "_spf.example.com",
            "all",
            "-",
            "%{i}",
            "redirect=",
            "exp=",
            "a/24",
            "mx//64",
            "exists:",
            "ptr",
            "\u{201c}",
            "\u{2013}",
            "\n",
            "\t",
            "/255.255.255.0",
            ",",
            ";",
            "ip4:192.0.2.1-192.0.2.9",
        ])
        .prop_map(str::to_owned),
    ];
    let glue = prop::sample::select(vec!["", " ", "  "]);
    prop::collection::vec((part, glue), 0..20).prop_map(|parts| {
        let parts = parts.into_iter().map(|(part, glue)| part + glue);
        std::iter::once("v=spf1 ".to_owned()).chain(parts).collect()
    })
}

proptest! {
    #[test]
    fn spans_can_be_shown_and_cures_are_not_empty(record in nearly_a_record()) {
        let subject = Subject { record: Some(record), domain: Some("example.com".to_owned()) };
        let Linting { report, .. } = SpfLint::default().lint(&subject, &Notebook::default());
        for remark in &report.remarks {
            let (start, end) = remark.span;
            let shown = report.record.get(start..end);
            prop_assert!(shown.is_some(), "{remark:?} {:?}", report.record);
            prop_assert!(!remark.message.is_empty() && !remark.help.is_empty());
            prop_assert!(!remark.message.ends_with('.'), "{remark:?}");
        }
    }

    /// What is to be written is written in ASCII, and breaks the grammar no more.
    #[test]
    fn cures_cure(record in nearly_a_record()) {
        let subject = Subject { record: Some(record), domain: None };
        let report = SpfLint::default().lint(&subject, &Notebook::default()).report;
        for remark in &report.remarks {
            let written = remark.help.strip_prefix("write `").and_then(|help| help.strip_suffix('`'));
            let Some(written) = written.filter(|written| !written.contains('`')) else { continue };
            let record = format!("v=spf1 {written}");
            let terms = crate::lint::term::split(&record, 0);
            let errors: Vec<_> = terms.iter().filter_map(|term| term.error()).collect();
            prop_assert_eq!(errors, [], "{:?}", remark);
        }
    }

    #[test]
    fn there_is_an_error_where_the_record_breaks_the_grammar(record in nearly_a_record()) {
        use quivive_evidence::Severity;
        let subject = Subject { record: Some(record.clone()), domain: None };
        let report = SpfLint::default().lint(&subject, &Notebook::default()).report;
        let is_broken = crate::Record::parse(record.as_bytes()).is_err();
        // A line feed at the very end is the end of a file, and no part of the record.
        prop_assume!(!record.ends_with('\n'));
        let is_of_grammar =
            |one: &Remark| one.severity == Severity::Error && one.code != "term-limit";
        let is_told = report.remarks.iter().any(is_of_grammar);
        prop_assert_eq!(is_told, is_broken, "{:?}", report.remarks);
    }
}
