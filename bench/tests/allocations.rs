//! What takes memory and what does not.

use quivive_bench::corpus::{self, facts};
use quivive_bench_measure::{Query, allocations};
use quivive_evidence::{Facts, Identity};
use quivive_spf::{COMPILED_AT, Limits, Record, Request, check_host};

/// How many queries of the mix are checked.
const QUERIES: usize = 400;

#[test]
fn a_warm_check_takes_no_memory() {
    let corpus = corpus::generated();
    let notebook = corpus.notebook();
    let growth = corpus.growth.iter().flat_map(|group| group.queries.iter().take(5));
    let queries: Vec<&Query> = corpus.mix.iter().take(QUERIES).chain(growth).collect();
    let facts: Vec<Facts> = queries.iter().map(|query| facts(query)).collect();
    let requests: Vec<Request<'_>> =
        facts.iter().map(|facts| Request::new(facts, Identity::Mailfrom)).collect();
    let check_all = || {
        for request in &requests {
            check_host(request, &notebook, Limits::default()).expect("all is known");
        }
    };
    (0..=COMPILED_AT).for_each(|_| check_all());
    let before = allocations();
    check_all();
    assert_eq!(allocations() - before, 0);
}

#[test]
fn a_record_takes_memory_once() {
    let many: String = (0..200).map(|index| format!(" ip4:10.0.{index}.0/24")).collect();
    for record in [
        "v=spf1",
        "v=spf1 ip4:192.0.2.0/24 include:_spf.mail.example -all",
        "V=SPF1 a/24//64 mx:Mail.Example ptr ip6:2001:db8::/32 ?all exp=e.%{d} redirect=a.b x=%{i}",
        "v=spf1 exists:%{ir}.%{v}._spf.%{d2} a:%{l1r-}.%{o}.example ~all",
        &format!("v=spf1{many} -all"),
    ] {
        let before = allocations();
        let parsed = Record::parse(record.as_bytes());
        let taken = allocations() - before;
        assert!(parsed.is_ok(), "{record}");
        assert_eq!(taken, 1, "{record}");
    }
}
