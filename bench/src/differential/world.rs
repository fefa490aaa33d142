//! Generated worlds: what domains publish, and who sends.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use quivive_evidence::{
    Answer, DnsAnswer, DnsQuestion, Failure, Mx, Outcome, RecordType, Source, Txt,
};

use super::random::Random;

/// How many domains of a world publish policies.
const DOMAINS: usize = 4;

/// A world, and a message in it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// What is not in it does not exist.
    pub(crate) answers: BTreeMap<(String, &'static str), Known>,
    pub(crate) address: String,
    pub(crate) helo: String,
    pub(crate) sender: String,
}

/// What DNS says to a question; records as text.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Found(Vec<String>),
    /// The same, after answers that were asked for later.
    Late(Vec<String>),
    NoData,
    Failing,
    /// Until whoever asks has lost patience.
    Never,
}

const VALID: &[&str] = &[
    "ip4:192.0.2.0/24",
    "ip4:192.0.2.1",
    "ip4:198.51.100.0/25",
    "ip6:2001:db8::/32",
    "a",
    "a/24",
    "a:NAME",
    "a:NAME/24//64",
    "mx",
    "mx:NAME",
    "mx/30",
    "ptr:NAME",
    "include:NAME",
    "include:NAME",
    "include:NAME",
    "exists:%{i}.NAME",
    "exists:%{ir}.%{v}.NAME",
    "exists:%{l}.NAME",
    "exists:%{d2}",
    "a:%{d}",
    "a:%{o}",
    "exp=explain.NAME",
    "redirect=NAME",
    "unknown=%{d}",
    "all",
];

const SLIGHTLY_WRONG: &[&str] = &[
    "ip4:192.0.2",
    "ip4:192.0.2.1/33",
    "ip4:192.0.2.1/024",
    "ip4",
    "ip4:",
    "ip4:2001:db8::1",
    "ip6:192.0.2.1",
    "ip6:2001:db8::/129",
    "ip:192.0.2.1",
    "a:",
    "a/33",
    "a//129",
    "a/",
    "mx:",
    "include",
    "include:",
    "include:NAME/24",
    "exists",
    "exists:",
    "exists:NAME/24",
    "al",
    "all:NAME",
    "all/8",
    "redirect=",
    "redirect=NAME redirect=NAME",
    "exp=a.test exp=b.test",
    "a:test",
    "a:NAME.",
    "A:NAME",
    "IP4:192.0.2.1",
    "-",
    "--all",
    "=x",
    "1x=y",
    "a=b",
    "a:NAME:25",
    "include=NAME",
    "redirect:NAME",
    "moo",
    "ptr:",
    "ptr/8",
    "x-y_z.1=%{i}",
    "unknown=%",
];

const HOSTILE: &[&str] = &[
    "a:%{x}.NAME",
    "a:%",
    "a:%{d",
    "a:%{d0}",
    "a:%{d1r-}.NAME",
    "a:%%.NAME",
    "a:%_.NAME",
    "a:%-.NAME",
    "a:a..NAME",
    "a:.NAME",
    "include:a..NAME",
    "exists:%{p}.NAME",
    "a:%{c}.NAME",
    "a:LONG.NAME",
    "include:LONGER.NAME",
    "a:NAME\u{e9}",
    "exists:%{S}.NAME",
    "exists:%{h}.NAME",
    "exists:%{d99}.NAME",
    "exists:%{l1r+-}.NAME",
    "mx:many.NAME",
    "mx:full.n1.test",
    "include:n0.test",
    "a:void.NAME",
    "mx:void.NAME",
    "exists:void.NAME",
    "a:failing.NAME",
    "mx:failing.NAME",
    "include:failing.NAME",
    "a:late.NAME",
    "a:late.NAME",
    "mx:late.NAME",
    "include:late.NAME",
    "a:never.NAME",
    "mx:never.NAME",
    "include:never.NAME",
    "exists:never.NAME",
    "a:NAME\u{7f}",
    "ip6:::ffff:192.0.2.1/120",
    "ip6:::1/0",
    "ip4:0.0.0.0/0",
];

impl Case {
    pub(crate) fn generate(random: &mut Random) -> Self {
        let mut case = Self {
            answers: BTreeMap::new(),
            address: random
                .pick(&["192.0.2.1", "192.0.2.77", "198.51.100.9", "203.0.113.5", "2001:db8::1"])
                .to_owned(),
            helo: random.pick(&["n1.test", "mail.n0.test", "h"]).to_owned(),
            sender: random.pick(&["user@n0.test", "a-b+c@n0.test", "n0.test"]).to_owned(),
        };
        for domain in 0..DOMAINS {
            case.publish(&format!("n{domain}.test"), domain == 0, random);
        }
        case.publish_hosts();
        let reverse = quivive_evidence::reverse_name(case.address.parse().expect("an address"));
        let names = match random.below(24) {
            0 => Known::Failing,
            1 => Known::Never,
            // One more than are looked at.
            2 => found((0..11).map(|index| format!("f{index}.n1.test")).collect()),
            _ => found((0..random.below(3)).map(|_| name(random)).collect()),
        };
        case.answers.insert((reverse, "PTR"), names);
        case
    }

    /// An MX with more hosts than are looked at, one of which may be the client.
    fn publish_hosts(&mut self) {
        let hosts = (0..11).map(|index| format!("{index} f{index}.n1.test")).collect();
        self.answers.insert(("full.n1.test".to_owned(), "MX"), found(hosts));
        for index in 0..11 {
            let (four, six) = match index {
                3 => ("192.0.2.1", "2001:db8::1"),
                10 => ("192.0.2.77", "2001:db8::2"),
                _ => ("198.51.100.200", "2001:db8:1::2"),
            };
            let name = format!("f{index}.n1.test");
            self.answers.insert((name.clone(), "A"), found(vec![four.to_owned()]));
            self.answers.insert((name, "AAAA"), found(vec![six.to_owned()]));
        }
    }

    fn publish(&mut self, name: &str, surely: bool, random: &mut Random) {
        let mut note = |name: &str, record_type, known| {
            self.answers.insert((name.to_owned(), record_type), known);
        };
        if surely || random.below(8) > 0 {
            let mut texts = vec![record(random)];
            match random.below(24) {
                // Equal records would be one (RFC 2181 section 5).
                0 => texts.extend(Some(record(random)).filter(|other| *other != texts[0])),
                1 => texts.insert(0, "something else".to_owned()),
                _ => {}
            }
            note(
                name,
                "TXT",
                if random.below(8) == 0 { Known::Late(texts) } else { Known::Found(texts) },
            );
        } else if random.below(3) == 0 {
            note(name, "TXT", Known::Failing);
        }
        for (record_type, addresses) in [
            ("A", &["192.0.2.1", "192.0.2.70", "198.51.100.9"][..]),
            ("AAAA", &["2001:db8::1", "2001:db8:1::2"]),
        ] {
            let count = 1 + random.below(2);
            let some = (0..count).map(|_| random.pick(addresses).to_owned()).collect();
            match random.below(18) {
                0 | 1 => note(name, record_type, Known::Failing),
                2 => note(name, record_type, Known::Never),
                3..=5 => note(name, record_type, Known::NoData),
                6 | 7 => note(name, record_type, Known::Late(some)),
                _ => note(name, record_type, found(some)),
            }
        }
        let host = |index: usize| format!("{} n{index}.test", 10 * index);
        match random.below(6) {
            0 => note(name, "MX", Known::NoData),
            1 => note(name, "MX", Known::Failing),
            2 => note(name, "MX", found(vec![host(1), "20 void.n1.test".to_owned()])),
            _ => note(name, "MX", found(vec![host(random.below(DOMAINS))])),
        }
        let many = (0..11).map(|index| format!("{index} h{index}.{name}")).collect();
        note(&format!("many.{name}"), "MX", found(many));
        note(&format!("void.{name}"), "A", Known::NoData);
        for record_type in ["A", "AAAA", "MX", "TXT"] {
            note(&format!("failing.{name}"), record_type, Known::Failing);
        }
        for record_type in ["A", "AAAA", "MX", "TXT"] {
            note(&format!("never.{name}"), record_type, Known::Never);
        }
        let late = format!("late.{name}");
        note(&late, "A", Known::Late(vec!["192.0.2.1".to_owned()]));
        note(&late, "AAAA", Known::Late(vec!["2001:db8::1".to_owned()]));
        note(&late, "MX", Known::Late(vec![host(1), format!("20 {late}")]));
        note(&late, "TXT", Known::Late(vec!["v=spf1 ip4:192.0.2.0/25 ~all".to_owned()]));
        note(&format!("explain.{name}"), "TXT", found(vec!["no".to_owned()]));
        note(&format!("192.0.2.1.{name}"), "A", found(vec!["127.0.0.2".to_owned()]));
        // What macros make of addresses, senders and names of the client.
        for made in ["1.2.0.192.in-addr", "user", "n1.test", "n2.test"] {
            note(&format!("{made}.{name}"), "A", found(vec!["127.0.0.2".to_owned()]));
        }
    }

    /// What is known about a question.
    pub(crate) fn known(&self, question: &DnsQuestion) -> Option<&Known> {
        self.answers.get(&(question.name.to_string(), word(question.record_type)))
    }

    /// What DNS says to a question, in the end.
    pub(crate) fn answer(&self, question: &DnsQuestion) -> DnsAnswer {
        let record_type = question.record_type;
        let outcome = match self.known(question) {
            None => Outcome::NoName,
            Some(Known::NoData) => Outcome::NoData,
            Some(Known::Failing) => Outcome::Failed(Failure::ServerFailure),
            Some(Known::Never) => Outcome::Failed(Failure::Timeout),
            Some(Known::Found(records) | Known::Late(records)) => {
                return read(record_type, records);
            }
        };
        DnsAnswer::without_records(record_type, outcome, Source::default())
    }

    /// The lines that a peer reads.
    pub(crate) fn lines(&self) -> String {
        let mut lines = String::new();
        for ((name, record_type), known) in &self.answers {
            let (status, records) = match known {
                // Whoever asks one question after the other only waits.
                Known::Found(records) | Known::Late(records) => ("found", &records[..]),
                Known::NoData => ("nodata", &[][..]),
                Known::Failing => ("servfail", &[][..]),
                Known::Never => ("timeout", &[][..]),
            };
            write!(lines, "answer\t{name}\t{record_type}\t{status}").expect("a String takes text");
            for record in records {
                match *record_type {
                    "TXT" => write!(lines, "\t{}", hexadecimal(record)),
                    _ => write!(lines, "\t{record}"),
                }
                .expect("a String takes text");
            }
            lines.push('\n');
        }
        let Self { address, helo, sender, .. } = self;
        lines + &format!("check\t{address}\t{helo}\t{sender}\n")
    }
}

fn record(random: &mut Random) -> String {
    let version = match random.below(40) {
        0 => "v=spf10",
        1 => "V=SPF1",
        2 => " v=spf1",
        _ => "v=spf1",
    };
    let mut record = version.to_owned();
    // Some are long enough to come to the limits of RFC 7208 section 4.6.4.
    let terms = if random.below(16) == 0 { 6 + random.below(8) } else { random.below(6) };
    for _ in 0..terms {
        let terms = match random.below(24) {
            0 => SLIGHTLY_WRONG,
            1 | 2 => HOSTILE,
            _ => VALID,
        };
        let term = random.pick(terms).replace("NAME", &name(random));
        let term =
            term.replace("LONGER", &("b.".repeat(130) + "b")).replace("LONG", &"l".repeat(64));
        let sign = if term.contains('=') { "" } else { random.pick(&["", "", "+", "-", "~", "?"]) };
        record += if random.below(30) == 0 { "  " } else { " " };
        record += sign;
        record += &term;
    }
    if random.below(2) == 0 {
        record += random.pick(&[" -all", " ~all", " ?all"]);
    }
    record
}

fn name(random: &mut Random) -> String {
    match random.below(12) {
        0 => "missing.test".to_owned(),
        _ => format!("n{}.test", random.below(DOMAINS)),
    }
}

fn found(records: Vec<String>) -> Known {
    if records.is_empty() { Known::NoData } else { Known::Found(records) }
}

fn hexadecimal(text: &str) -> String {
    octets(text).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Each character as one octet: none is above U+00FF.
fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect()
}

fn word(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::A => "A",
        RecordType::Aaaa => "AAAA",
        RecordType::Mx => "MX",
        RecordType::Ptr => "PTR",
        RecordType::Txt => "TXT",
        RecordType::Other(_) => "",
    }
}

fn read(record_type: RecordType, records: &[String]) -> DnsAnswer {
    fn all<T>(records: &[String], read: impl Fn(&str) -> T) -> Arc<Answer<T>> {
        let mut distinct: Vec<&String> = Vec::new();
        for record in records {
            if !distinct.contains(&record) {
                distinct.push(record);
            }
        }
        let records = distinct.into_iter().map(|record| read(record)).collect();
        Arc::new(Answer::new(Outcome::of(records), Source::default()))
    }
    match record_type {
        RecordType::A => {
            DnsAnswer::A(all(records, |text| text.parse().unwrap_or(Ipv4Addr::UNSPECIFIED)))
        }
        RecordType::Aaaa => {
            DnsAnswer::Aaaa(all(records, |text| text.parse().unwrap_or(Ipv6Addr::UNSPECIFIED)))
        }
        RecordType::Mx => DnsAnswer::Mx(all(records, |text| {
            let (preference, exchange) = text.split_once(' ').unwrap_or(("0", text));
            Mx { preference: preference.parse().unwrap_or(0), exchange: exchange.into() }
        })),
        RecordType::Ptr => DnsAnswer::Ptr(all(records, |text| text.into())),
        RecordType::Txt => DnsAnswer::Txt(all(records, |text| Txt::from(&octets(text)[..]))),
        RecordType::Other(_) => {
            DnsAnswer::without_records(record_type, Outcome::NoData, Source::default())
        }
    }
}
