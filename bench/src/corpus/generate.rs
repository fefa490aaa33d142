use std::net::Ipv4Addr;

use quivive_bench_measure::{Query, result_number};
use quivive_resolver::{NameError, Zone};

use super::{Corpus, Group};

/// The seed: the corpus is the same in every run.
const SEED: u64 = 20_261_121;
const QUERIES: usize = 20_000;
const DOMAINS: usize = 2_000;
const PROVIDERS: usize = 40;
const GROWTH_QUERIES: usize = 400;

/// A corpus whose right results are known by how it is made: networks never overlap, so that an
/// address is in the one it was taken from and in no other.
///
/// # Panics
/// Never: its names are names.
pub fn generated() -> Corpus {
    let mut maker = Maker { zone: Zone::new(), state: SEED, networks: 0 };
    maker.corpus().expect("made names are names")
}

/// A domain, and what its senders get.
struct Domain {
    kind: &'static str,
    name: String,
    /// Addresses that pass.
    inside: Vec<Ipv4Addr>,
    /// The result of all others.
    otherwise: &'static str,
}

struct Maker {
    zone: Zone,
    state: u64,
    networks: u32,
}

type Made<T> = Result<T, NameError>;

impl Maker {
    fn corpus(&mut self) -> Made<Corpus> {
        let providers: Made<Vec<Domain>> = (0..PROVIDERS).map(|n| self.provider(n)).collect();
        let providers = providers?;
        let domains: Made<Vec<Domain>> = (0..DOMAINS).map(|n| self.domain(n, &providers)).collect();
        let domains = domains?;
        let mix = (0..QUERIES)
            .map(|_| {
                let domain = &domains[self.below(domains.len())];
                self.query(domain)
            })
            .collect();
        let mut growth = Vec::new();
        for count in [2, 5, 10, 20, 40, 80, 160] {
            let domain = self.small(format!("gnets{count}.example"), count)?;
            growth.push(self.group(format!("gnets{count:03}"), &domain));
        }
        for depth in 1..=9 {
            let domain = self.chain(format!("gdepth{depth}.example"), depth)?;
            growth.push(self.group(format!("gdepth{depth}"), &domain));
        }
        let zone = std::mem::take(&mut self.zone);
        Ok(Corpus { origin: format!("generated, seed {SEED}"), zone, mix, growth })
    }

    fn domain(&mut self, number: usize, providers: &[Domain]) -> Made<Domain> {
        let name = |kind: &str| format!("{kind}{number}.example");
        match self.below(20) {
            0..=4 => {
                let networks = 1 + self.below(4);
                self.small(name("small"), networks)
            }
            5..=10 => self.customer(name("prov"), providers),
            11..=13 => self.hosts(name("amx")),
            14..=15 => {
                let depth = 1 + self.below(7);
                self.chain(name("chain"), depth)
            }
            16 => self.redirected(name("redir"), providers),
            17 => self.macros(name("macro")),
            18 => Ok(of_no_use("none", name("none"), "none")),
            _ => {
                self.zone.add_txt(&name("broken"), "v=spf1 ip4:10.0.0.0/33 -all")?;
                Ok(of_no_use("broken", name("broken"), "permerror"))
            }
        }
    }

    /// Networks of its own.
    fn small(&mut self, name: String, networks: usize) -> Made<Domain> {
        let (terms, inside) = self.networks(networks);
        self.zone.add_txt(&name, format!("v=spf1{terms} -all"))?;
        Ok(Domain { kind: "small", name, inside, otherwise: "fail" })
    }

    /// A provider of mail: three lists of networks behind one name.
    fn provider(&mut self, number: usize) -> Made<Domain> {
        let name = format!("_spf.provider{number}.example");
        let (mut record, mut inside) = ("v=spf1".to_owned(), Vec::new());
        for list in 1..=3 {
            let (terms, addresses) = self.networks(8);
            let below = format!("_netblocks{list}.provider{number}.example");
            self.zone.add_txt(&below, format!("v=spf1{terms} ~all"))?;
            record += &format!(" include:{below}");
            inside.extend(addresses);
        }
        self.zone.add_txt(&name, record + " ~all")?;
        Ok(Domain { kind: "provider", name, inside, otherwise: "softfail" })
    }

    fn customer(&mut self, name: String, providers: &[Domain]) -> Made<Domain> {
        let provider = &providers[self.below(providers.len())];
        let (terms, mut inside) = self.networks(1);
        self.zone.add_txt(&name, format!("v=spf1{terms} include:{} ~all", provider.name))?;
        inside.extend(&provider.inside);
        Ok(Domain { kind: "prov", name, inside, otherwise: "softfail" })
    }

    /// `a` and `mx`, with two exchangers.
    fn hosts(&mut self, name: String) -> Made<Domain> {
        let (_, inside) = self.networks(3);
        self.zone.add_txt(&name, "v=spf1 a mx -all")?;
        self.zone.add_a(&name, inside[0])?;
        for (number, address) in (1..).zip(&inside[1..]) {
            let host = format!("mx{number}.{name}");
            self.zone.add_mx(&name, 10 * number, &host)?;
            self.zone.add_a(&host, *address)?;
        }
        Ok(Domain { kind: "amx", name, inside, otherwise: "fail" })
    }

    /// Records that include one another, `depth` below the first.
    fn chain(&mut self, name: String, depth: usize) -> Made<Domain> {
        let (mut inside, mut owner) = (Vec::new(), name.clone());
        for level in 1..=depth + 1 {
            let (terms, addresses) = self.networks(3);
            let below = format!("_l{level}.{name}");
            let next = if level <= depth { format!(" include:{below}") } else { String::new() };
            self.zone.add_txt(&owner, format!("v=spf1{terms}{next} ~all"))?;
            inside.extend(addresses);
            owner = below;
        }
        Ok(Domain { kind: "chain", name, inside, otherwise: "softfail" })
    }

    fn redirected(&mut self, name: String, providers: &[Domain]) -> Made<Domain> {
        let provider = &providers[self.below(providers.len())];
        self.zone.add_txt(&name, format!("v=spf1 redirect={}", provider.name))?;
        let (inside, otherwise) = (provider.inside.clone(), provider.otherwise);
        Ok(Domain { kind: "redir", name, inside, otherwise })
    }

    /// `exists` with the client's address in its name.
    fn macros(&mut self, name: String) -> Made<Domain> {
        let (_, inside) = self.networks(2);
        self.zone.add_txt(&name, "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all")?;
        for address in &inside {
            let [a, b, c, d] = address.octets();
            let listed = format!("{d}.{c}.{b}.{a}.in-addr._spf.{name}");
            self.zone.add_a(&listed, Ipv4Addr::new(127, 0, 0, 2))?;
        }
        Ok(Domain { kind: "macro", name, inside, otherwise: "fail" })
    }

    fn group(&mut self, name: String, domain: &Domain) -> Group {
        let queries = (0..GROWTH_QUERIES).map(|_| self.query(domain)).collect();
        Group { name, queries }
    }

    /// Seven in ten senders are right.
    fn query(&mut self, domain: &Domain) -> Query {
        let inside = !domain.inside.is_empty() && self.below(10) < 7;
        let (address, result) = if inside {
            (domain.inside[self.below(domain.inside.len())], "pass")
        } else {
            (Ipv4Addr::new(192, 0, 2, self.below(256) as u8), domain.otherwise)
        };
        Query {
            address: address.to_string(),
            helo: format!("mail.{}", domain.name),
            sender: format!("{}-{}@{}", domain.kind, self.below(100), domain.name),
            expected: result_number(result).unwrap_or(u8::MAX),
        }
    }

    /// Networks that nobody else has: their terms, and an address in each.
    fn networks(&mut self, count: usize) -> (String, Vec<Ipv4Addr>) {
        let (mut terms, mut inside) = (String::new(), Vec::new());
        for _ in 0..count {
            let network = u32::from(Ipv4Addr::new(10, 0, 0, 0)) + (self.networks << 8);
            self.networks += 1;
            terms += &format!(" ip4:{}/24", Ipv4Addr::from(network));
            inside.push(Ipv4Addr::from(network + 1 + self.below(254) as u32));
        }
        (terms, inside)
    }

    /// A number below `bound` (SplitMix64).
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut number = self.state;
        number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((number ^ (number >> 31)) % bound as u64) as usize
    }
}

/// A domain from which nobody passes.
fn of_no_use(kind: &'static str, name: String, otherwise: &'static str) -> Domain {
    Domain { kind, name, inside: Vec::new(), otherwise }
}

#[cfg(test)]
mod tests {
    use quivive_bench_measure::RESULTS;
    use quivive_evidence::Notebook;

    use super::*;
    use crate::corpus::answer_all;

    #[test]
    fn every_result_is_as_made() {
        let corpus = generated();
        assert_eq!(corpus.mix.len(), QUERIES);
        let mut notebook = Notebook::default();
        for query in corpus.mix.iter().chain(corpus.growth.iter().flat_map(|g| &g.queries)) {
            let expected = RESULTS[usize::from(query.expected)];
            assert_eq!(answer_all(query, &corpus.zone, &mut notebook), expected, "{query:?}");
        }
    }
}
