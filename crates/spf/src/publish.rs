//! The generator of SPF records.

mod flatten;

use ipnet::IpNet;
use quivive_evidence::{Method, Publication, Publish, Senders, Stance, ZoneData, ZoneRecord};
use quivive_mail::domain::HOST_NAME_MAX;

use crate::Limits;
use crate::domain_spec::DomainSpec;
use crate::record::{DualPrefix, Mechanism, Qualifier, RECORD_OCTETS_MAX};

pub use flatten::{Flattened, Flattening, Unflattened, flatten};

/// How long a record may get, in octets, before networks move into records of their own (RFC 7208
/// section 3.4).
pub const PLAIN_OCTETS_MAX: usize = 450;

/// Writes SPF records: what needs no look-up first, then names, then what others say.
///
/// ```
/// use quivive_evidence::{Publish, Senders};
/// use quivive_spf::SpfPublish;
///
/// let mut senders = Senders::nobody("example.com");
/// senders.networks.push("192.0.2.0/24".parse().unwrap());
/// senders.mail_exchangers = true;
/// let records = SpfPublish.publish(&senders).records;
/// assert_eq!(records[0].to_string(), "example.com. TXT \"v=spf1 ip4:192.0.2.0/24 mx -all\"");
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SpfPublish;

impl Publish for SpfPublish {
    fn method(&self) -> Method {
        Method::Spf
    }

    fn publish(&self, senders: &Senders) -> Publication {
        let networks: Vec<String> = IpNet::aggregate(&senders.networks)
            .into_iter()
            .map(|network| network_mechanism(network).to_string())
            .collect();
        let look_ups = look_ups(senders);
        let end = format!("{}{}", qualifier(senders.everybody_else), Mechanism::All);
        let whole = record(networks.iter().chain(&look_ups), &end);
        let has_room = whole.len() <= PLAIN_OCTETS_MAX || networks.is_empty();
        let split =
            if has_room { None } else { split(&senders.domain, &networks, &look_ups, &end) };
        split.filter(|split| has_shorter_record(split, &whole)).unwrap_or_else(|| Publication {
            records: vec![ZoneRecord::txt(&senders.domain, whole)],
            warnings: Vec::new(),
        })
    }
}

/// Whether the domain's record became shorter: a split costs look-ups, and should be worth them.
fn has_shorter_record(split: &Publication, whole: &str) -> bool {
    matches!(&split.records[0].data, ZoneData::Txt(text) if text.len() < whole.len())
}

/// Networks in records of their own, `_spf1` and so on, that the domain's record includes; none
/// where look-up terms or the length of names leave no room for them.
fn split(domain: &str, networks: &[String], look_ups: &[String], end: &str) -> Option<Publication> {
    let parts_max = Limits::default().terms_max.saturating_sub(look_ups.len());
    let (parts, octets_max) = parts(networks, parts_max)?;
    let name = |index: usize| format!("_spf{}.{domain}", index + 1);
    if name(parts.len()).len() > HOST_NAME_MAX {
        return None;
    }
    let includes: Vec<String> = (0..parts.len())
        .map(|index| Mechanism::Include(DomainSpec::of_name(&name(index))).to_string())
        .collect();
    let whole = record(includes.iter().chain(look_ups), end);
    let mut records = vec![ZoneRecord::txt(domain, whole)];
    // What a part says of everybody else is not heard; it says it all the same.
    records.extend(
        parts
            .iter()
            .enumerate()
            .map(|(index, part)| ZoneRecord::txt(&name(index), record(part.iter(), end))),
    );
    let warning = (octets_max > PLAIN_OCTETS_MAX).then(|| {
        format!(
            "{} networks need more records of {PLAIN_OCTETS_MAX} octets than there are look-up \
             terms; these are longer, so that receivers ask for them once more over TCP",
            networks.len()
        )
    });
    Some(Publication { records, warnings: warning.into_iter().collect() })
}

/// The networks in so many parts at most, each of which fits into a record of its own, and how long
/// those records may be for that, in octets.
fn parts(networks: &[String], parts_max: usize) -> Option<(Vec<Vec<String>>, usize)> {
    let mut octets_max = PLAIN_OCTETS_MAX;
    loop {
        let parts = parts_within(networks, octets_max);
        if parts.len() <= parts_max {
            return Some((parts, octets_max));
        }
        if octets_max == RECORD_OCTETS_MAX {
            return None;
        }
        octets_max = (octets_max + octets_max / 4).min(RECORD_OCTETS_MAX);
    }
}

fn parts_within(networks: &[String], octets_max: usize) -> Vec<Vec<String>> {
    const AROUND: usize = "v=spf1 -all".len();
    let mut parts: Vec<Vec<String>> = Vec::new();
    let mut octets = 0;
    for network in networks {
        let more = network.len() + 1;
        if parts.is_empty() || octets + more > octets_max {
            parts.push(Vec::new());
            octets = AROUND;
        }
        octets += more;
        parts.last_mut().expect("there is one by now").push(network.clone());
    }
    parts
}

fn record<'t>(terms: impl Iterator<Item = &'t String>, end: &str) -> String {
    let terms: String = terms.map(|term| format!("{term} ")).collect();
    format!("v=spf1 {terms}{end}")
}

/// The terms that ask DNS.
fn look_ups(senders: &Senders) -> Vec<String> {
    let own = senders.mail_exchangers.then_some(Mechanism::Mx(None, DualPrefix::ADDRESS));
    let hosts = senders.hosts.iter().map(|host| {
        let target = (*host != senders.domain).then(|| DomainSpec::of_name(host));
        Mechanism::A(target, DualPrefix::ADDRESS)
    });
    let includes =
        senders.includes.iter().map(|domain| Mechanism::Include(DomainSpec::of_name(domain)));
    own.into_iter().chain(hosts).chain(includes).map(|term| term.to_string()).collect()
}

fn network_mechanism(network: IpNet) -> Mechanism<'static> {
    match network {
        IpNet::V4(network) => Mechanism::Ip4(network.addr(), network.prefix_len()),
        IpNet::V6(network) => Mechanism::Ip6(network.addr(), network.prefix_len()),
    }
}

fn qualifier(stance: Stance) -> Qualifier {
    match stance {
        Stance::Fail => Qualifier::Fail,
        Stance::Softfail => Qualifier::Softfail,
        Stance::Neutral => Qualifier::Neutral,
    }
}

impl DualPrefix {
    /// Single addresses.
    const ADDRESS: Self = Self { ipv4: 32, ipv6: 128 };
}

impl<'t> DomainSpec<'t> {
    /// A name without macros.
    fn of_name(name: &'t str) -> Self {
        Self::Literal(Some(name))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn lines(senders: &Senders) -> Vec<String> {
        let records = SpfPublish.publish(senders).records;
        records.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nobody() {
        let senders = Senders::nobody("example.com");
        assert_eq!(lines(&senders), ["example.com. TXT \"v=spf1 -all\""]);
    }

    #[test]
    fn what_costs_nothing_comes_first() {
        let senders = Senders {
            networks: vec![
                "192.0.2.128/25".parse().unwrap(),
                "192.0.2.0/25".parse().unwrap(),
                "2001:db8::1/128".parse().unwrap(),
                "192.0.2.7/32".parse().unwrap(),
            ],
            hosts: vec!["example.com".to_owned(), "mail.example.net".to_owned()],
            mail_exchangers: true,
            includes: vec!["_spf.example.org".to_owned()],
            everybody_else: Stance::Softfail,
            ..Senders::nobody("example.com")
        };
        assert_eq!(
            lines(&senders),
            ["example.com. TXT \"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::1 mx a a:mail.example.net \
              include:_spf.example.org ~all\""]
        );
    }

    #[test]
    fn long_records_are_split() {
        let networks = (0..60).map(|index| format!("192.0.{}.1/32", index * 2).parse().unwrap());
        let senders = Senders {
            networks: networks.collect(),
            mail_exchangers: true,
            ..Senders::nobody("example.com")
        };
        let records = SpfPublish.publish(&senders).records;
        let texts: Vec<_> = records
            .iter()
            .map(|record| match &record.data {
                quivive_evidence::ZoneData::Txt(text) => (&*record.name, &**text),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            texts[0],
            (
                "example.com",
                "v=spf1 include:_spf1.example.com include:_spf2.example.com \
                 include:_spf3.example.com mx -all"
            )
        );
        assert_eq!(texts.len(), 4);
        for (name, text) in &texts[1..] {
            assert!(name.starts_with("_spf") && text.len() <= PLAIN_OCTETS_MAX, "{name}: {text}");
            assert!(text.starts_with("v=spf1 ip4:") && text.ends_with(" -all"));
        }
        let count: usize = texts.iter().map(|(_, text)| text.matches("ip4:").count()).sum();
        assert_eq!(count, 60);
    }

    fn of_networks(domain: &str, count: u32) -> Senders {
        let network = |index: u32| IpNet::from(IpAddr::from(Ipv4Addr::from_bits(index << 3)));
        Senders {
            networks: (0x1000_0000..0x1000_0000 + count).map(network).collect(),
            ..Senders::nobody(domain)
        }
    }

    #[test]
    fn a_split_leaves_the_look_up_terms_that_there_are() {
        let senders = Senders {
            mail_exchangers: true,
            includes: vec!["_spf.example.net".to_owned()],
            ..of_networks("example.com", 1000)
        };
        let Publication { records, warnings } = SpfPublish.publish(&senders);
        assert!(records.len() <= 1 + 10 - 2, "{}", records.len());
        assert!(warnings[0].starts_with("1000 networks need more"), "{warnings:?}");
        let count: usize =
            records.iter().map(|record| record.to_string().matches("ip4:").count()).sum();
        assert_eq!(count, 1000);

        let hosts = (0..10).map(|index| format!("h{index}.example.net")).collect();
        let senders = Senders { hosts, ..of_networks("example.com", 60) };
        assert_eq!(lines(&senders).len(), 1);
    }

    #[test]
    fn a_split_is_worth_its_look_ups() {
        let includes = (0..9).map(|index| format!("spf{index}.{}.example", "provider".repeat(6)));
        let senders = Senders { includes: includes.collect(), ..of_networks("example.com", 1) };
        let lines = lines(&senders);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].len() > PLAIN_OCTETS_MAX);
    }

    #[test]
    fn names_of_parts_are_names() {
        let domain = vec!["a".repeat(62); 4].join(".");
        assert_eq!(lines(&of_networks(&domain, 60)).len(), 1);
    }

    mod properties {
        use ipnet::{Ipv4Net, Ipv6Net};
        use proptest::prelude::*;
        use quivive_evidence::{
            Answer, DnsAnswer, Lint, LookUps, Notebook, Outcome, Source, Subject, Txt, ZoneData,
        };

        use super::*;
        use crate::lint::grow_text;
        use crate::{Record, SpfLint};

        fn network() -> impl Strategy<Value = IpNet> {
            let ipv4 = (any::<std::net::Ipv4Addr>(), 16_u8..=32).prop_map(|(address, prefix)| {
                IpNet::V4(Ipv4Net::new(address, prefix).unwrap().trunc())
            });
            let ipv6 = (any::<std::net::Ipv6Addr>(), 32_u8..=128).prop_map(|(address, prefix)| {
                IpNet::V6(Ipv6Net::new(address, prefix).unwrap().trunc())
            });
            prop_oneof![ipv4, ipv6]
        }

        proptest! {
            #[test]
            fn what_is_published_permits_these_and_no_others(
                networks in prop::collection::vec(network(), 0..120),
            ) {
                let senders = Senders { networks, ..Senders::nobody("example.com") };
                let publication = SpfPublish.publish(&senders);
                let mut notebook = Notebook::default();
                for record in &publication.records {
                    let ZoneData::Txt(text) = &record.data else { panic!("{record}") };
                    prop_assert!(Record::parse(text.as_bytes()).is_ok(), "{text}");
                    let is_plain = publication.warnings.is_empty();
                    prop_assert!(text.len() <= PLAIN_OCTETS_MAX || !is_plain, "{text}");
                    let outcome = Outcome::of(vec![Txt::from(&**text)]);
                    let answer = Answer::new(outcome, Source::default());
                    notebook.note(&(&*record.name).into(), DnsAnswer::Txt(answer.into()));
                }
                let look_ups = LookUps::new(&notebook);
                let tree = grow_text("outside.example", "include:example.com", &look_ups);
                prop_assert_eq!(tree.permits().networks(), IpNet::aggregate(&senders.networks));

                let subject = Subject { domain: Some("example.com".to_owned()), record: None };
                let report = SpfLint::default().lint(&subject, &notebook).report;
                let codes: Vec<_> = report.remarks.iter().map(|one| one.code).collect();
                let expected = ["no-public-address", "neighbouring-networks", "many-terms"];
                prop_assert!(codes.iter().all(|code| expected.contains(code)), "{codes:?}");
            }
        }
    }
}
