use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::wire_name;

/// An entry of a record: a rule, and whether a client that it matches is permitted or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A client that the rule matches is refused.
    pub negated: bool,
    /// What is matched.
    pub rule: Rule,
}

/// What an entry matches (draft-danisch-dns-rr-smtp-04 section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// A network of IPv4 addresses; bits behind its prefix do not count.
    Ipv4(Ipv4Addr, u8),
    /// A network of IPv6 addresses; bits behind its prefix do not count.
    Ipv6(Ipv6Addr, u8),
    /// The addresses of a host.
    Host(Box<str>),
    /// What the address prefix lists (RFC 3123) at a name hold.
    Apl(Box<str>),
    /// Clients whose confirmed name is this one or below it; empty: the domain of the record.
    Domain(Box<str>),
    /// Anybody: the address or domain is never a sender.
    Unused,
    /// Not a match: the record of the full address decides.
    Full,
    /// The domain's mail exchangers. `numbered`: written as entry type 8, our own extension.
    Mx {
        /// By its number instead of its name.
        numbered: bool,
    },
}

impl Rule {
    /// The entry type on the wire. That of `mx` is a private extension.
    pub fn code(&self) -> u8 {
        match self {
            Self::Ipv4(..) => 1,
            Self::Ipv6(..) => 2,
            Self::Host(_) => 3,
            Self::Apl(_) => 4,
            Self::Domain(_) => 5,
            Self::Unused => 6,
            Self::Full => 7,
            Self::Mx { .. } => 8,
        }
    }

    /// The entry type in text.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Ipv4(..) => "ipv4",
            Self::Ipv6(..) => "ipv6",
            Self::Host(_) => "host",
            Self::Apl(_) => "apl",
            Self::Domain(_) => "domain",
            Self::Unused => "unused",
            Self::Full => "full",
            Self::Mx { numbered: false } => "mx",
            Self::Mx { numbered: true } => "8",
        }
    }

    /// Whether the drafts let it be negated.
    pub(super) fn may_be_negated(&self) -> bool {
        !matches!(self, Self::Unused | Self::Full)
    }
}

impl Entry {
    /// A rule that permits.
    pub fn permits(rule: Rule) -> Self {
        Self { negated: false, rule }
    }

    /// Whether a network has bits behind its prefix, which do not count.
    pub(super) fn has_host_bits(&self) -> bool {
        match self.rule {
            Rule::Ipv4(address, prefix) => {
                address.to_bits().checked_shl(prefix.into()).unwrap_or(0) != 0
            }
            Rule::Ipv6(address, prefix) => {
                address.to_bits().checked_shl(prefix.into()).unwrap_or(0) != 0
            }
            _ => false,
        }
    }

    /// Writes the entry as RDATA: names behind their length, which the figures of the drafts show.
    /// Bits of a network behind its prefix are written as zero.
    ///
    /// False, and nothing written, if a name cannot be a name on the wire.
    pub fn write_rdata(&self, rdata: &mut Vec<u8>) -> bool {
        let start = rdata.len();
        rdata.push(u8::from(self.negated) << 7 | self.rule.code());
        let written = match &self.rule {
            Rule::Ipv4(address, prefix) => {
                write_network(address.to_bits().to_be_bytes(), *prefix, rdata)
            }
            Rule::Ipv6(address, prefix) => {
                write_network(address.to_bits().to_be_bytes(), *prefix, rdata)
            }
            Rule::Host(name) | Rule::Apl(name) | Rule::Domain(name) => {
                rdata.push(0);
                let at = rdata.len();
                let written = wire_name::write(name, rdata);
                rdata[at - 1] = u8::try_from(rdata.len() - at).unwrap_or(0);
                written
            }
            Rule::Unused | Rule::Full | Rule::Mx { .. } => true,
        };
        if !written {
            rdata.truncate(start);
        }
        written
    }
}

fn write_network<const N: usize>(mut address: [u8; N], prefix: u8, rdata: &mut Vec<u8>) -> bool {
    let octets = usize::from(prefix).div_ceil(8);
    if octets > N {
        return false;
    }
    if !prefix.is_multiple_of(8) {
        address[octets - 1] &= 0xff << (8 - prefix % 8);
    }
    rdata.push(prefix);
    rdata.extend_from_slice(&address[..octets]);
    true
}

/// As it is written in TXT: `!ipv4:192.0.2.0/24`. A single address has no prefix.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("!")?;
        }
        write!(f, "{}:", self.rule.tag())?;
        match &self.rule {
            Rule::Ipv4(address, 32) => write!(f, "{address}"),
            Rule::Ipv6(address, 128) => write!(f, "{address}"),
            Rule::Ipv4(address, prefix) => write!(f, "{address}/{prefix}"),
            Rule::Ipv6(address, prefix) => write!(f, "{address}/{prefix}"),
            Rule::Host(name) | Rule::Apl(name) | Rule::Domain(name) => f.write_str(name),
            Rule::Unused | Rule::Full | Rule::Mx { .. } => Ok(()),
        }
    }
}
