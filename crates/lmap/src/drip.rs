//! DRIP, the Designated Relays Inquiry Protocol: an address record at a name of its own for each
//! permitted address, below `relays._email_.HELO`.
//!
//! It is about the HELO name alone. Where that name says nothing, its parents are asked: one that
//! takes part would have listed the client under the very name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use quivive_evidence::{
    Ahead, Conclusion, Evaluate, Evaluation, Evidence, Facts, Finding, FindingResult, Identity,
    Judged, Method, Stop, TermResult, Walk, whole,
};
use quivive_mail::domain::is_fully_qualified;

use crate::identity::{self, none};

/// What stands before the HELO name, behind address and family.
pub const LABELS: &str = "relays._email_";

/// How many parents of a HELO name are asked.
pub const PARENTS_MAX: usize = 4;

/// How many questions a check may use.
pub const QUESTIONS_MAX: usize = 7;

/// How long a HELO name may be: with the longest address before it, it must be a name in DNS.
pub const NAME_OCTETS_MAX_IPV4: usize = 217;

/// As [`NAME_OCTETS_MAX_IPV4`], for IPv6.
pub const NAME_OCTETS_MAX_IPV6: usize = 193;

/// What the drafts leave to the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Asks the parents of a HELO name that says nothing.
    pub parents: bool,
    /// Takes every address as an answer, as the drafts have it. Otherwise only the null address
    /// refuses, and a pass has to differ from the answer for an address that nobody has: a wildcard
    /// address record answers under every name.
    pub strict: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { parents: true, strict: false }
    }
}

/// DRIP for the HELO name.
#[derive(Debug, Clone, Copy)]
pub struct Drip {
    settings: Settings,
}

impl Drip {
    /// With these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Evaluate for Drip {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let judged = judged(facts);
        let mut walk = Walk::new(evidence, QUESTIONS_MAX);
        let client = facts.client_address;
        let mut check = Check { walk: &mut walk, settings: self.settings, client };
        let concluded = check.run(&judged.domain);
        walk.conclude(judged, concluded)
    }

    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding {
        judged(facts).finding(Stop::temporary(cause))
    }
}

fn judged(facts: &Facts) -> Judged {
    let domain = identity::helo_name(facts);
    Judged { method: Method::Drip, identity: Identity::Helo, domain }
}

/// The name of the record for a client at a host: its address in one label, so that no wildcard
/// has a hole.
pub fn client_name(client: IpAddr, host: &str) -> String {
    let (label, family) = match client {
        IpAddr::V4(address) => (address.to_string().replace('.', "_"), "ipv4"),
        IpAddr::V6(address) => {
            let words = address.segments().map(|word| format!("{word:04x}"));
            (words.join("_"), "ipv6")
        }
    };
    format!("{label}.{family}.{LABELS}.{host}")
}

/// The address with which a host says that a client is none of its relays.
pub fn null_address(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

struct Check<'c, 'a> {
    walk: &'c mut Walk<'a>,
    settings: Settings,
    client: IpAddr,
}

/// What a name's address records say (draft-brand-drip-02 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// The client's address.
    Ok,
    /// That the client is no relay.
    NotOk,
    /// Another single address, which is no answer unless it is taken strictly.
    Other,
    /// Several addresses.
    Several,
    /// Nothing; or it is not known yet.
    Nothing,
}

impl Check<'_, '_> {
    fn run(&mut self, helo: &str) -> Result<Conclusion, Stop> {
        if !is_fully_qualified(helo) {
            return Ok(none("malformed-domain"));
        }
        let longest = match self.client {
            IpAddr::V4(_) => NAME_OCTETS_MAX_IPV4,
            IpAddr::V6(_) => NAME_OCTETS_MAX_IPV6,
        };
        if helo.len() > longest {
            return Ok(none("name-too-long"));
        }
        match self.ask(helo)? {
            Said::Ok if self.is_wildcard(helo)? => return Ok(none("wildcard")),
            Said::Ok => {
                let address = self.client.to_string();
                return Ok(Conclusion::new(FindingResult::Pass, "listed").decided_by(address));
            }
            Said::NotOk => return Ok(Conclusion::new(FindingResult::Fail, "not-listed")),
            Said::Other => return Err(Stop::permanent("foreign-address")),
            Said::Several if !self.settings.strict => {
                return Err(Stop::permanent("several-addresses"));
            }
            Said::Several | Said::Nothing => {}
        }
        let parents_max = if self.settings.parents { PARENTS_MAX } else { 0 };
        for parent in parents(helo).take(parents_max) {
            // That the parent lists the client, or not, means that it takes part; then it would
            // have listed the client under the HELO name.
            match self.ask(parent)? {
                Said::Ok if self.is_wildcard(parent)? => return Ok(none("wildcard")),
                Said::Ok | Said::NotOk => {
                    let fail = Conclusion::new(FindingResult::Fail, "parent-takes-part");
                    return Ok(fail.decided_by(parent));
                }
                Said::Other | Said::Several | Said::Nothing => {}
            }
        }
        Ok(none("not-a-participant"))
    }

    /// Whether a name gives the client's address also to a client that cannot be.
    fn is_wildcard(&mut self, host: &str) -> Result<bool, Stop> {
        if self.settings.strict {
            return Ok(false);
        }
        let nobody = match self.client {
            IpAddr::V4(_) => IpAddr::from([255; 4]),
            IpAddr::V6(_) => IpAddr::from([255; 16]),
        };
        let addresses = self.addresses(&client_name(nobody, host))?;
        let is_wildcard = *addresses == [self.client];
        self.end(if is_wildcard { TermResult::Match } else { TermResult::NoMatch });
        Ok(is_wildcard)
    }

    fn ask(&mut self, host: &str) -> Result<Said, Stop> {
        let addresses = self.addresses(&client_name(self.client, host))?;
        let said = match *addresses {
            [] => Said::Nothing,
            [sole] if sole == self.client => Said::Ok,
            [sole] if sole == null_address(self.client) || self.settings.strict => Said::NotOk,
            [_] => Said::Other,
            _ => Said::Several,
        };
        self.end(match said {
            Said::Ok => TermResult::Match,
            Said::NotOk => TermResult::Result(FindingResult::Fail),
            Said::Other | Said::Several | Said::Nothing => TermResult::NoMatch,
        });
        Ok(said)
    }

    /// The addresses of the client's family at a name; none while they are not known. The name and
    /// its answer stay open in the trace.
    fn addresses(&mut self, name: &str) -> Result<Vec<IpAddr>, Stop> {
        self.walk.trace.begin(name, whole(name));
        self.walk.trace.begin("", (0, 0));
        let addresses: Vec<IpAddr> = match self.client {
            IpAddr::V4(_) => match self.walk.ipv4(name, Ahead::Allowed)? {
                Some(answer) => answer.records()?.iter().copied().map(IpAddr::from).collect(),
                None => Vec::new(),
            },
            IpAddr::V6(_) => match self.walk.ipv6(name, Ahead::Allowed)? {
                Some(answer) => answer.records()?.iter().copied().map(IpAddr::from).collect(),
                None => Vec::new(),
            },
        };
        let text = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        self.walk.trace.name(&*text, whole(&text));
        Ok(addresses)
    }

    /// Ends an answer and its name in the trace.
    fn end(&mut self, result: TermResult) {
        self.walk.trace.end(result);
        self.walk.trace.end(result);
    }
}

/// The parents of a host, from the nearest to the domain that was registered.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    let registered = psl::domain_str(host).map_or(host.len(), str::len);
    std::iter::successors(Some(host), |name| name.split_once('.').map(|(_, parent)| parent))
        .skip(1)
        .take_while(move |parent| parent.len() >= registered)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sheet dmp.md, part B: names.
    #[test]
    fn part_b_names() {
        assert_eq!(
            client_name([192, 0, 2, 10].into(), "mx.e.test"),
            "192_0_2_10.ipv4.relays._email_.mx.e.test"
        );
        assert_eq!(
            client_name("2002:c000:201::1234".parse().unwrap(), "mx.e.test"),
            "2002_c000_0201_0000_0000_0000_0000_1234.ipv6.relays._email_.mx.e.test"
        );
    }

    #[test]
    fn part_b_lengths() {
        let octets = |client: IpAddr, octets| client_name(client, &"a".repeat(octets)).len();
        assert_eq!(octets([255; 4].into(), NAME_OCTETS_MAX_IPV4), 253);
        assert_eq!(octets([255; 16].into(), NAME_OCTETS_MAX_IPV6), 253);
    }

    #[test]
    fn parents_end_at_the_registered_domain() {
        let all = |host| parents(host).collect::<Vec<_>>();
        assert_eq!(all("a.b.example.co.uk"), ["b.example.co.uk", "example.co.uk"]);
        assert_eq!(all("s.e.test"), ["e.test"]);
        assert_eq!(all("e.test"), Vec::<&str>::new());
        assert_eq!(all("co.uk"), Vec::<&str>::new());
    }
}
