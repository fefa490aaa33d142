//! Forwarding addresses in process, beside the hash that they rest on: `cargo bench -p
//! quivive-bench --bench srs`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quivive_bench::srs::in_process::{DOMAIN, NOW, Work};

criterion_group!(srs, sign, reverse, raw_hash);
criterion_main!(srs);

fn sign(criterion: &mut Criterion) {
    let work = Work::new();
    one_each(criterion, "sign", &work.senders, |sender| {
        black_box(work.srs.forward(black_box(sender), DOMAIN, NOW).expect("it is an address"));
    });
}

fn reverse(criterion: &mut Criterion) {
    let work = Work::new();
    one_each(criterion, "reverse", &work.rewritten, |address| {
        black_box(work.srs.reverse(black_box(address), NOW).expect("it is an address"));
    });
}

fn raw_hash(criterion: &mut Criterion) {
    let work = Work::new();
    one_each(criterion, "raw HMAC-SHA1", &work.senders, |sender| {
        black_box(work.hash(black_box(sender)));
    });
}

fn one_each(criterion: &mut Criterion, name: &str, addresses: &[String], act: impl Fn(&str)) {
    let mut group = criterion.benchmark_group("srs");
    group.throughput(Throughput::Elements(1));
    let mut addresses = addresses.iter().cycle();
    group.bench_function(name, |bencher| {
        bencher.iter(|| act(addresses.next().expect("they repeat")));
    });
    group.finish();
}
