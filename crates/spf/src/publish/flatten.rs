//! Names replaced by the addresses that they have at this moment.

use ipnet::IpNet;
use quivive_evidence::{Evidence, LookUps, Question, Senders};

use super::look_ups;
use crate::lint::{Branch, State, Trouble, grow_text};

/// Senders by their addresses, as far as that can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flattening {
    /// The senders. What could not be replaced is still named as it was.
    pub senders: Senders,
    /// What was replaced.
    pub flattened: Vec<Flattened>,
    /// What could not be replaced.
    pub problems: Vec<Unflattened>,
    /// Questions that need answers first; empty when this is whole.
    pub missing: Vec<Question>,
}

/// A term that was replaced by its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flattened {
    /// The term, such as `include:_spf.example.net`.
    pub term: String,
    /// How many networks came of it.
    pub networks: usize,
    /// For how long the shortest-lived answer behind it holds, in seconds.
    pub ttl: u32,
}

/// A term whose addresses cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unflattened {
    /// The term.
    pub term: String,
    /// Why, in words.
    pub reason: String,
}

/// Looks up what is named by name: hosts, mail exchangers, and includes with all below them.
///
/// The addresses are those of this moment. An include whose hosts depend on the message cannot be
/// said by addresses and stays.
pub fn flatten(senders: &Senders, evidence: &dyn Evidence) -> Flattening {
    let look_ups_of = LookUps::new(evidence);
    let mut flattening = Flattening {
        senders: Senders { networks: senders.networks.clone(), ..Senders::nobody(&senders.domain) },
        flattened: Vec::new(),
        problems: Vec::new(),
        missing: Vec::new(),
    };
    flattening.senders.everybody_else = senders.everybody_else;
    for (term, only) in look_ups(senders).into_iter().zip(each(senders)) {
        look_ups_of.forget_ttl();
        let tree = grow_text(&senders.domain, &term, &look_ups_of);
        match problem(&tree) {
            Some(reason) => {
                flattening.problems.push(Unflattened { term, reason });
                flattening.senders.add(&only);
            }
            None => {
                let networks = tree.permits().networks();
                flattening.flattened.push(Flattened {
                    term,
                    networks: networks.len(),
                    ttl: look_ups_of.ttl(),
                });
                flattening.senders.networks.extend(networks);
            }
        }
    }
    flattening.senders.networks = IpNet::aggregate(&flattening.senders.networks);
    flattening.missing = look_ups_of.missing();
    flattening
}

/// Senders with one name each, in the order of [`look_ups`].
fn each(senders: &Senders) -> Vec<Senders> {
    let nobody = || Senders::nobody(&senders.domain);
    let own = senders.mail_exchangers.then(|| Senders { mail_exchangers: true, ..nobody() });
    let hosts = senders.hosts.iter().map(|host| Senders { hosts: vec![host.clone()], ..nobody() });
    let includes = senders.includes.iter();
    let includes = includes.map(|domain| Senders { includes: vec![domain.clone()], ..nobody() });
    own.into_iter().chain(hosts).chain(includes).collect()
}

/// Why a term cannot be said by addresses.
fn problem(tree: &Branch) -> Option<String> {
    let leaf = tree.leaves.first()?;
    if let Some(trouble) = &leaf.trouble {
        return Some(match trouble {
            Trouble::NoAddress(name) => format!("{name} has no address"),
            Trouble::NoMx(name) => format!("{name} has no MX"),
            Trouble::NullMx(name) => format!("{name} takes no mail"),
            Trouble::ManyMx(name, count) => format!("{name} has {count} mail exchangers"),
            Trouble::Failed(name, failure) => {
                format!("DNS gives no answer about {name} ({})", failure.token())
            }
        });
    }
    let below = leaf.below.as_deref();
    if let Some(below) = below.filter(|below| !below.is_sound()) {
        return Some(match &below.state {
            State::NoDomain => format!("{} does not exist", below.domain),
            State::NoRecord => format!("{} publishes no SPF record", below.domain),
            _ => "not all of what it includes can be had".to_owned(),
        });
    }
    if leaf.may_fail() {
        return Some("not all of what it includes can be had".to_owned());
    }
    if leaf.varies {
        return Some("whom it permits depends on the message".to_owned());
    }
    leaf.matches.is_empty().then(|| "it permits nobody".to_owned())
}

#[cfg(test)]
mod tests {
    use quivive_evidence::{Notebook, what_if};

    use super::*;

    fn flattened(senders: &Senders, records: &[&str]) -> Flattening {
        let mut notebook = Notebook::default();
        for answer in what_if(records, 0).unwrap() {
            answer.note(&mut notebook).unwrap();
        }
        flatten(senders, &notebook)
    }

    fn senders() -> Senders {
        Senders {
            networks: vec!["192.0.2.0/25".parse().unwrap()],
            hosts: vec!["h.example".to_owned()],
            mail_exchangers: true,
            includes: vec!["p.example".to_owned()],
            ..Senders::nobody("d.example")
        }
    }

    #[test]
    fn names_become_addresses() {
        let flattening = flattened(
            &senders(),
            &[
                "h.example A 192.0.2.200",
                "h.example AAAA 2001:db8::1",
                "d.example MX 10 h.example",
                "p.example TXT v=spf1 include:q.example ip4:198.51.100.0/25 ~all",
                "q.example TXT v=spf1 ip4:198.51.100.128/25 ?all",
            ],
        );
        assert_eq!(flattening.problems, []);
        assert_eq!(flattening.missing, []);
        assert!(flattening.senders.is_networks_only());
        let networks: Vec<_> =
            flattening.senders.networks.iter().map(ToString::to_string).collect();
        assert_eq!(
            networks,
            ["192.0.2.0/25", "192.0.2.200/32", "198.51.100.0/24", "2001:db8::1/128"]
        );
        let terms: Vec<_> =
            flattening.flattened.iter().map(|one| (&*one.term, one.networks)).collect();
        assert_eq!(terms, [("mx", 2), ("a:h.example", 2), ("include:p.example", 1)]);
    }

    #[test]
    fn whom_an_include_refuses_is_not_permitted() {
        let senders =
            Senders { includes: vec!["p.example".to_owned()], ..Senders::nobody("d.example") };
        let flattening = flattened(
            &senders,
            &[
                "p.example TXT v=spf1 -ip4:192.0.2.1 ?include:q.example ip4:192.0.2.0/29 -all",
                "q.example TXT v=spf1 ip4:192.0.2.4/31 -all",
            ],
        );
        assert_eq!(flattening.problems, []);
        let networks: Vec<_> =
            flattening.senders.networks.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["192.0.2.0/32", "192.0.2.2/31", "192.0.2.6/31"]);
    }

    #[test]
    fn what_addresses_cannot_say_stays() {
        for (record, problem) in [
            ("p.example TXT v=spf1 -exists:%{i}.x ip4:192.0.2.0/24 -all", "depends on the message"),
            ("p.example TXT v=spf1 exists:%{i}.x.example -all", "depends on the message"),
            ("p.example TXT v=spf1 ptr -all", "depends on the message"),
            ("p.example TXT v=spf1 -all", "permits nobody"),
            ("p.example TXT v=spf1 include:d.example -all", "not all"),
            ("p.example TXT hello", "no SPF record"),
        ] {
            let senders = Senders { hosts: Vec::new(), mail_exchangers: false, ..senders() };
            let flattening = flattened(&senders, &[record]);
            assert_eq!(flattening.senders.includes, ["p.example"], "{record}");
            assert_eq!(flattening.senders.networks, senders.networks);
            let [said] = &*flattening.problems else { panic!("{flattening:?}") };
            assert!(said.reason.contains(problem), "{record}: {said:?}");
        }
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        let flattening = flatten(&senders(), &Notebook::default());
        let missing: Vec<_> = flattening.missing.iter().map(ToString::to_string).collect();
        assert_eq!(missing, ["d.example MX", "h.example A", "h.example AAAA", "p.example TXT"]);
    }
}
