//! Fills a store and says what that took: `soak COUNT [FILE] [RATE]`.
//!
//! The cases are judged from a world of a few hundred domains, with their clients, senders and
//! recipients, over thirty days. Without a rate they come as fast as the queue has room. Figures go
//! to standard output, for the log of a bench.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quivive_evidence::{Facts, FindingResult, Identity, Method, Nonce, Notebook, Recorded};
use quivive_store::{Filter, Settings, Store, Subject};
use quivive_verdict::{Action, Judgement, Policy, replay};

/// About how many cases are read and judged again.
const REPLAYED_MAX: u64 = 100_000;

/// How many domains send.
const DOMAINS: u64 = 400;

/// Over how many seconds the cases are spread.
const SPAN: u64 = 30 * 86_400;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let path = arguments.next().map_or_else(|| folder.path().join("soak.db"), PathBuf::from);
    let rate: Option<f64> = arguments.next().and_then(|rate| rate.parse().ok());
    let settings =
        Settings { path, retain_days: 60, retain_mib: 1 << 20, hash_addresses_after_days: 0 };
    let store = Store::open(settings).await.expect("the store opens");
    let world = World::new();
    let making = making_seconds(&world, count);
    let processor = processor_seconds();
    let started = Instant::now();
    let memory = resident_mib();
    for number in 0..count {
        if let Some(rate) = rate {
            let due = Duration::from_secs_f64(number as f64 / rate);
            if let Some(wait) = due.checked_sub(started.elapsed()) {
                tokio::time::sleep(wait).await;
            }
        } else if number % 16 == 0 {
            store.room().await;
        }
        let (judgement, outcome) = world.judged(number, count);
        store.record(&judgement, "gateway", &outcome);
    }
    store.flush().await;
    let seconds = started.elapsed().as_secs_f64();
    let health = store.health();
    println!("written {} dropped {} in {seconds:.1} s", health.written, health.dropped);
    println!("cases a second {:.0}", count as f64 / seconds);
    println!(
        "processor microseconds a case {:.0}, and {:.0} to make it",
        (processor_seconds() - processor) * 1e6 / count as f64 - making * 1e6,
        making * 1e6
    );
    println!("octets a case {:.0}", health.file_octets as f64 / health.written.max(1) as f64);
    println!("memory MiB before {memory} after {}", resident_mib());
    let started = Instant::now();
    store.tidy().await;
    println!("tidy {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let started = Instant::now();
    let differing = replay_all(&store, &world, count).await;
    let took = started.elapsed().as_secs_f64();
    println!("replayed {} differing {differing} in {took:.1} s", count.min(REPLAYED_MAX));
    searches(&store).await;
    store.close().await;
    if health.dropped > 0 || differing > 0 {
        println!("cases were dropped or come out otherwise");
        std::process::exit(1);
    }
}

/// What it takes to make a case.
fn making_seconds(world: &World, count: u64) -> f64 {
    let cases = 5000;
    let processor = processor_seconds();
    for number in 0..cases {
        std::hint::black_box(world.judged(number, count));
    }
    (processor_seconds() - processor) / cases as f64
}

/// Reads a sample of up to 100,000 cases and judges each again; says how many come out otherwise.
async fn replay_all(store: &Store, world: &World, count: u64) -> u64 {
    let mut differing = 0;
    let step = (count / REPLAYED_MAX).max(1);
    for number in (0..count).step_by(usize::try_from(step).unwrap_or(1)) {
        let case = store.case(&format!("{number:016x}")).await.expect("it reads");
        let case = case.expect("it is there");
        let notebook = case.notebook(&[]).expect("its evidence reads");
        let again = replay(world.policy.clone(), case.facts.clone(), notebook);
        let same = again.lacking.is_empty()
            && again.judgement.findings == case.findings
            && again.judgement.verdict == case.verdict;
        differing += u64::from(!same);
    }
    differing
}

async fn searches(store: &Store) {
    let text = |text: &str| Filter { text: Some(text.to_owned()), limit: 50, ..Filter::default() };
    let all = Filter { limit: 50, ..Filter::default() };
    let now = unix_now();
    let filters = [
        ("newest", all.clone()),
        (
            "a day",
            Filter {
                since: Some(now - 11 * 86_400),
                until: Some(now - 10 * 86_400),
                ..all.clone()
            },
        ),
        ("domain", Filter { domain: Some("d17.sender.example".into()), ..all.clone() }),
        ("every domain", Filter { domain: Some("sender.example".into()), ..all.clone() }),
        ("address", Filter { address: Some("user177@d17.sender.example".into()), ..all.clone() }),
        ("client", Filter { client: "198.51.17.5/32".parse().ok(), ..all.clone() }),
        ("network /20", Filter { client: "198.51.16.0/20".parse().ok(), ..all.clone() }),
        ("reject", Filter { action: Some(Action::Reject), ..all.clone() }),
        ("fail", Filter { result: Some(FindingResult::Fail), ..all.clone() }),
        (
            "reject and pass",
            Filter {
                action: Some(Action::Reject),
                result: Some(FindingResult::Pass),
                method: Some(Method::Spf),
                identity: Some(Identity::Mailfrom),
                ..all.clone()
            },
        ),
        ("text address", text("user177@d17.sender.example")),
        ("text word", text("user77")),
        ("text beginning, rare", text("d399.sen")),
        ("text beginning, everywhere", text("send")),
        ("text, one letter", text("u")),
        ("text, everywhere and nowhere", text("example nowhere")),
        ("text, two common words", text("user1 d17")),
        ("text, numbers", text("198.51.17")),
        ("text, id", text("00000000000003e8")),
        ("text, wildcards", text("%_*\" OR 1=1 --")),
    ];
    for (name, filter) in filters {
        let started = Instant::now();
        let page = store.list(&filter).await.expect("it lists");
        let took = started.elapsed().as_secs_f64() * 1e3;
        let more = if page.next.is_some() { "and more" } else { "in all" };
        println!("list {took:8.1} ms  {name}: {} {more}", page.lines.len());
    }
    for days in [30, 366] {
        let started = Instant::now();
        let overview = store.overview(now, days).await.expect("it counts");
        let took = started.elapsed().as_secs_f64() * 1e3;
        println!("overview {took:8.1} ms  {days} days: {} cases", overview.period.cases);
    }
    let whom = Subject::Address("user177@d17.sender.example".to_owned());
    let started = Instant::now();
    let exported = store.export(&whom, |_| {}).await.expect("it exports");
    println!("export {:.1} ms: {exported} cases", started.elapsed().as_secs_f64() * 1e3);
    let started = Instant::now();
    let erased = store.erase(&whom).await.expect("it erases");
    println!("erase {:.1} ms: {erased} cases", started.elapsed().as_secs_f64() * 1e3);
}

/// Domains with their records.
struct World {
    policy: Arc<Policy>,
    now: u64,
}

impl World {
    fn new() -> Self {
        let mut policy = Policy::new("mx.example.test");
        policy.actions.set(Method::Spf, Identity::Mailfrom, FindingResult::Fail, Action::Reject);
        Self { policy: Arc::new(policy), now: unix_now() }
    }

    fn judged(&self, number: u64, count: u64) -> (Judgement, String) {
        let random = spread(number);
        let domain = random % DOMAINS;
        let name = format!("d{domain}.sender.example");
        let fails = random.is_multiple_of(7);
        let client =
            [if fails { 203 } else { 198 }, 51, (domain % 256) as u8, (random >> 20) as u8];
        let mut facts = Facts::new(client.into());
        facts.helo = format!("mail{}.{name}", (random >> 28) % 8);
        facts.reverse_path = format!("user{}@{name}", (random >> 8) % 1000);
        facts.recipients = vec![format!("person{}@example.test", (random >> 32) % 500)];
        facts.receiver = "mx.example.test".to_owned();
        facts.case_id = format!("{number:016x}");
        facts.public_id = format!("{:032x}", u128::from(random) << 64 | u128::from(number));
        facts.now =
            self.now - SPAN + (u128::from(number) * u128::from(SPAN) / u128::from(count)) as u64;
        facts.nonce = Nonce(u128::from(random).to_le_bytes());
        let noted_at = facts.now / 300 * 300;
        let mut notebook = Notebook::default();
        for answer in world_of(&name, &facts.helo, domain, noted_at) {
            answer.note(&mut notebook).expect("its records read");
        }
        let replayed = replay(self.policy.clone(), facts, notebook);
        let outcome = format!("250 2.0.0 Taken as {number:016x}");
        (replayed.judgement, outcome)
    }
}

/// What the name servers say, anew every five minutes.
fn world_of(name: &str, helo: &str, domain: u64, noted_at: u64) -> Vec<Recorded> {
    let answer = |question: String, records: Vec<String>| Recorded {
        question: question.try_into().expect("it is a question"),
        status: if records.is_empty() { "nodata" } else { "found" }.to_owned(),
        records,
        ttl: 300,
        noted_at,
        micros: 1500,
        authenticated: false,
        trusted: false,
        server: "127.0.0.1:53".parse().ok(),
    };
    let site = domain % 256;
    vec![
        answer(
            format!("{name} TXT"),
            vec![
                "some-verification=0123456789abcdef".to_owned(),
                format!("v=spf1 mx include:spf.provider{}.example -all", domain % 20),
            ],
        ),
        answer(
            format!("spf.provider{}.example TXT", domain % 20),
            vec!["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ip4:198.51.0.0/16 ~all".to_owned()],
        ),
        answer(format!("{name} MX"), vec![format!("10 mx.{name}")]),
        answer(format!("mx.{name} A"), vec![format!("192.0.2.{site}")]),
        answer(format!("{helo} TXT"), Vec::new()),
    ]
}

/// SplitMix64: numbers without a pattern, the same every time.
fn spread(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Of this process, from the kernel.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// User and system time of this process, in hundredths of a second as the kernel counts.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
