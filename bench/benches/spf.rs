//! The parts of an SPF check one by one: `cargo bench -p quivive-bench`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use quivive_bench::corpus::{self, Corpus, answer_all, facts};
use quivive_bench_measure::Query;
use quivive_evidence::{Facts, Identity, Notebook};
use quivive_resolver::Zone;
use quivive_spf::{Limits, Record, Request, check_host};

criterion_group!(spf, parse, warm, cold, macros);
criterion_main!(spf);

const RECORDS: &[(&str, &str)] = &[
    ("small", "v=spf1 ip4:192.0.2.0/24 include:_spf.mail.example -all"),
    (
        "provider",
        "v=spf1 ip4:55.182.144.0/20 ip4:100.57.64.0/18 ip4:32.9.176.0/20 ip4:29.225.128.0/18 \
         ip4:57.65.0.0/16 ip4:103.144.0.0/17 ip4:54.178.128.0/18 ip6:2001:db8:7800::/44 \
         include:_netblocks.mail.example include:_netblocks2.mail.example ~all",
    ),
    ("macros", "v=spf1 exists:%{ir}.%{v}._spf.%{d2} a:%{l1r-}.%{o}.example -all exp=e.%{d}"),
];

fn parse(criterion: &mut Criterion) {
    for (name, text) in RECORDS {
        criterion.bench_function(&format!("parse a record: {name}"), |bencher| {
            bencher.iter(|| Record::parse(black_box(text.as_bytes())));
        });
    }
}

/// Everything known and parsed: one check of each query of the mix in turn.
fn warm(criterion: &mut Criterion) {
    let corpus = corpus::find().expect("there is a corpus");
    let notebook = corpus.notebook();
    checks(criterion, "evaluate, all known", &corpus.mix, &notebook);
}

/// Nothing known at first: rounds of questions, answered at once.
fn cold(criterion: &mut Criterion) {
    let Corpus { zone, mix, .. } = corpus::find().expect("there is a corpus");
    let mut queries = mix.iter().cycle();
    criterion.bench_function("evaluate, in rounds from an empty notebook", |bencher| {
        bencher.iter_batched(
            || (queries.next().expect("they repeat"), Notebook::default()),
            |(query, mut notebook)| answer_all(query, &zone, &mut notebook),
            BatchSize::SmallInput,
        );
    });
}

/// A record whose only work is to expand macros.
fn macros(criterion: &mut Criterion) {
    for text in ["exists:%{ir}.%{v}._spf.%{d2}", "exists:%{l1r-}.%{o}.%{i}.%{d}"] {
        let mut notebook = Notebook::default();
        let zone = zone(&format!("v=spf1 {text} -all"));
        let query = Query {
            address: "2001:db8::cb01".to_owned(),
            helo: "mx.mail.example".to_owned(),
            sender: "strong-bad@mail.example".to_owned(),
            expected: 0,
        };
        answer_all(&query, &zone, &mut notebook);
        checks(criterion, &format!("expand {text}"), &[query], &notebook);
    }
}

fn zone(record: &str) -> Zone {
    let mut zone = Zone::new();
    zone.add_txt("mail.example", record).expect("a name");
    zone
}

fn checks(criterion: &mut Criterion, name: &str, queries: &[Query], notebook: &Notebook) {
    let facts: Vec<Facts> = queries.iter().map(facts).collect();
    let requests: Vec<Request<'_>> =
        facts.iter().map(|facts| Request::new(facts, Identity::Mailfrom)).collect();
    let mut requests = requests.iter().cycle();
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            let request = requests.next().expect("they repeat");
            check_host(black_box(request), notebook, Limits::default()).expect("all is known")
        });
    });
}
