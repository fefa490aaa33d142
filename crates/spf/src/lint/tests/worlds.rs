//! What is said of a tree of records, against what their evaluation comes to.

use proptest::prelude::*;
use quivive_evidence::{FindingResult, LookUps};

use super::*;
use crate::lint::addresses::Addresses;
use crate::lint::tree::grow_text;
use crate::test_world::{edges, knowing_notebook, records, request, walked};

/// So many that few worlds meet them.
const WIDE_LIMITS: Limits = Limits { void_lookups_max: 100, terms_max: 100 };

const DOMAIN: &str = "n0.test";

/// What is left out, it is said, without any loss.
const WITHOUT_LOSS: &[&str] = &[
    "dead-include",
    "redundant-term",
    "redundant-network",
    "repeated-network",
    "repeated-term",
    "overlapping-networks",
    "after-all",
];

fn linted(limits: Limits, records: &[String]) -> LintReport {
    let subject = Subject { domain: Some(DOMAIN.to_owned()), record: None };
    SpfLint::new(limits).lint(&subject, &knowing_notebook(records)).report
}

/// The records without this part of the first one.
fn without(records: &[String], (start, end): (usize, usize)) -> Vec<String> {
    let mut records = records.to_vec();
    records[0].replace_range(start..end, "");
    records
}

/// None where not all is known.
fn result_of(
    address: std::net::IpAddr,
    limits: Limits,
    notebook: &Notebook,
) -> Option<FindingResult> {
    let request = request(address, DOMAIN);
    let (outcome, _, missing) = walked(&request, notebook, limits, ());
    missing.is_empty().then_some(outcome.result)
}

/// Each world is walked for hundreds of addresses.
fn fewer_cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig { cases: config.cases.div_ceil(4), ..config }
}

proptest! {
    #![proptest_config(fewer_cases())]

    #[test]
    fn what_adds_nothing_can_be_removed(records in records()) {
        for limits in [Limits::default(), WIDE_LIMITS] {
            let report = linted(limits, &records);
            let notebook = knowing_notebook(&records);
            for remark in &report.remarks {
                if !WITHOUT_LOSS.contains(&remark.code) || !remark.help.contains("remove") {
                    continue;
                }
                let without = without(&records, remark.span);
                let notebook_without = knowing_notebook(&without);
                for address in edges(&records) {
                    let before = result_of(address, limits, &notebook);
                    let after = result_of(address, limits, &notebook_without);
                    let (Some(before), Some(after)) = (before, after) else { continue };
                    // Whom a limit stopped it may stop no more.
                    let is_stopped = before == FindingResult::Permerror;
                    prop_assert!(before == after || is_stopped, "{remark:?} {address} {after}");
                }
            }
        }
    }

    #[test]
    fn whom_a_tree_permits_and_what_it_costs(records in records()) {
        let notebook = knowing_notebook(&records);
        let look_ups = LookUps::new(&notebook);
        let tree = grow_text("outside.test", &format!("include:{DOMAIN}"), &look_ups);
        let leaf = &tree.leaves[0];
        prop_assume!(leaf.terms() <= WIDE_LIMITS.terms_max);
        let permits = tree.permits();
        for address in edges(&records) {
            let request = request(address, DOMAIN);
            let (outcome, ..) = walked(&request, &notebook, WIDE_LIMITS, ());
            let is_permitted = match address {
                std::net::IpAddr::V4(address) => permits.cover(&Addresses::ipv4(address, 32)),
                std::net::IpAddr::V6(address) => permits.cover(&Addresses::ipv6(address, 128)),
            };
            if !leaf.may_fail() && !leaf.varies {
                let passes = outcome.result == FindingResult::Pass;
                prop_assert_eq!(passes, is_permitted, "{} {:?}", address, outcome);
            }
            if !leaf.may_fail() {
                // The include is one more.
                prop_assert!(outcome.terms < leaf.terms(), "{outcome:?} {leaf:?}");
                prop_assert!(outcome.void_lookups <= leaf.void().worst(), "{outcome:?} {leaf:?}");
            }
        }
    }
}
