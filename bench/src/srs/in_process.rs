//! Addresses rewritten and found again in process, beside the hash alone.

use std::fmt::Write;
use std::hint::black_box;

use hmac::{Hmac, KeyInit, Mac};
use quivive_bench_measure::processor_time;
use quivive_srs::{Forwarded, Reversed, Rules, Secrets, Srs};
use sha1::Sha1;

use crate::series::Series;
use crate::table::Table;

/// The forwarder's domain.
pub const DOMAIN: &str = "fwd.example.net";

/// The day that counts: 2020-01-01.
pub const NOW: u64 = 1_577_836_860;

const SECRET: &[u8] = b"tops3cr3t-and-long";

/// How often a round goes over all addresses.
const PASSES: usize = 100;

/// A forwarder, and what goes through it.
pub struct Work {
    /// Ours.
    pub srs: Srs,
    /// What is rewritten.
    pub senders: Vec<String>,
    /// What of it becomes.
    pub rewritten: Vec<String>,
    key: Hmac<Sha1>,
}

/// A thousand senders, all of which can be rewritten.
pub(super) fn senders() -> Vec<String> {
    (0..1000).map(|number| format!("user.{number}@sender-{}.example", number % 97)).collect()
}

impl Work {
    /// A thousand addresses under one secret.
    ///
    /// # Panics
    /// When one of them is not rewritten, or not found again.
    pub fn new() -> Self {
        let secrets = Secrets::parse(SECRET).expect("it is a secret");
        let srs = Srs::new(&secrets, Rules::default());
        let senders = senders();
        let rewrite = |sender: &String| match srs.forward(sender, DOMAIN, NOW) {
            Ok(Forwarded::Rewritten(address)) => address,
            other => panic!("{sender}: {other:?}"),
        };
        let rewritten: Vec<String> = senders.iter().map(rewrite).collect();
        for (address, sender) in rewritten.iter().zip(&senders) {
            match srs.reverse(address, NOW) {
                Ok(Reversed::Original(original)) => assert_eq!(original.address, *sender),
                other => panic!("{address}: {other:?}"),
            }
        }
        let key = Hmac::new_from_slice(SECRET).expect("HMAC takes keys of any length");
        Self { srs, senders, rewritten, key }
    }

    /// The hash of a text, under a key that is ready.
    pub fn hash(&self, text: &str) -> [u8; 20] {
        let mut mac = self.key.clone();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl Default for Work {
    fn default() -> Self {
        Self::new()
    }
}

/// Measures in `rounds` rounds, and gives the table.
pub(super) fn run(rounds: usize) -> String {
    let work = Work::new();
    let hash = || {
        for sender in &work.senders {
            black_box(work.hash(sender));
        }
    };
    let sign = || {
        for sender in &work.senders {
            drop(black_box(work.srs.forward(sender, DOMAIN, NOW)));
        }
    };
    let reverse = || {
        for address in &work.rewritten {
            drop(black_box(work.srs.reverse(address, NOW)));
        }
    };
    let acts: [(&str, &dyn Fn()); 3] =
        [("HMAC-SHA1 alone", &hash), ("sign", &sign), ("reverse", &reverse)];
    let mut measured: [Series; 3] = Default::default();
    for round in 0..=rounds {
        for turn in 0..acts.len() {
            let index = (round + turn) % acts.len();
            let start = processor_time();
            (0..PASSES).for_each(|_| acts[index].1());
            let used = processor_time().saturating_sub(start).as_secs_f64();
            if round > 0 {
                measured[index].add((PASSES * work.senders.len()) as f64 / used);
            }
        }
    }
    let mut table = Table::new(&["", "ratio", "noise", "addresses/s"]);
    for ((name, _), series) in acts.iter().zip(&measured) {
        let ratio = series.ratio_to(&measured[0]);
        table.row(vec![
            (*name).to_owned(),
            format!("{:.2}", ratio.median()),
            format!("{:.0} %", ratio.noise() * 100.0),
            format!("{:.0}", series.median()),
        ]);
    }
    let mut report = format!(
        "Forwarding addresses in process: {} addresses {PASSES} times a round, processor time; \
         {rounds} interleaved rounds.\nratio: against the hash alone.\n\n",
        work.senders.len()
    );
    write!(report, "{table}").ok();
    report
}
