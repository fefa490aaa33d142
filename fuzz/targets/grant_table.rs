//! Tables of grants, and what is asked of them: whatever is answered is of the table, names nobody
//! else, and reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_binding::{ENTRIES_MAX, Grant, GrantTable, Holder, Query, Rules};

fuzz_target!(|input: &str| {
    let (keys, table) = input.split_once("\n\n").unwrap_or(("alice@e.test alice", input));
    for fold_case in [true, false] {
        let rules = Rules { domains: vec!["e.test".to_owned()], fold_case, ..Rules::default() };
        let Ok(table) = GrantTable::parse(table, &rules) else { continue };
        for key in keys.lines() {
            let Ok(query) = Query::parse(key, &rules) else { continue };
            let written = query.to_string();
            assert_eq!(Query::parse(&written, &rules).as_ref(), Ok(&query), "{written}");
            answered(&query, &table.look_up(&query, &rules), &rules);
        }
    }
});

fn answered(query: &Query, entries: &[String], rules: &Rules) {
    assert!(entries.len() <= ENTRIES_MAX + 1);
    let patterns = query.subject.patterns(rules);
    for entry in entries {
        let grant = Grant::parse(entry).expect("an entry is a grant");
        assert_eq!(grant.to_string(), *entry);
        assert!(patterns.contains(&grant.pattern), "{entry}: {patterns:?}");
        assert!(grant.holder == Holder::Others || grant.holder.is(&query.client), "{entry}");
    }
}
