//! The contract of generators: one description of a domain's senders, from which each method makes
//! the records that it reads.

use ipnet::IpNet;

use crate::{Method, ZoneRecord};

/// Who may send mail for a domain, as its owner says it. Nobody, if nothing is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Senders {
    /// The domain: A-labels in lower case, without a closing dot.
    pub domain: String,
    /// Networks and single addresses, without host bits.
    pub networks: Vec<IpNet>,
    /// Names of hosts, each with all of its addresses.
    pub hosts: Vec<String>,
    /// The domain's own mail exchangers.
    pub mail_exchangers: bool,
    /// Domains whose senders may send for this one too: providers.
    pub includes: Vec<String>,
    /// What is said about everybody else.
    pub everybody_else: Stance,
}

/// What a domain says about mail from hosts that it does not name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stance {
    /// It is not the domain's.
    #[default]
    Fail,
    /// It is probably not.
    Softfail,
    /// Nothing is said.
    Neutral,
}

/// A generator: writes the records of one method.
pub trait Publish: Send + Sync {
    /// The method that reads them.
    fn method(&self) -> Method;

    /// Whether its records hold addresses alone. Hosts, mail exchangers and includes are then
    /// looked up beforehand, and [`Senders`] come with networks only.
    fn needs_networks(&self) -> bool {
        false
    }

    /// The records that say this about the domain's senders.
    fn publish(&self, senders: &Senders) -> Publication;
}

/// What a generator wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// The records, in the order in which they are read.
    pub records: Vec<ZoneRecord>,
    /// What could not be said in the words of the method, and what the owner has to know.
    pub warnings: Vec<String>,
}

impl Senders {
    /// Nobody may send for this domain.
    pub fn nobody(domain: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            networks: Vec::new(),
            hosts: Vec::new(),
            mail_exchangers: false,
            includes: Vec::new(),
            everybody_else: Stance::Fail,
        }
    }

    /// Adds the senders of another description; what it says of everybody else does not count.
    pub fn add(&mut self, other: &Self) {
        self.networks.extend(&other.networks);
        self.hosts.extend(other.hosts.iter().cloned());
        self.mail_exchangers |= other.mail_exchangers;
        self.includes.extend(other.includes.iter().cloned());
    }

    /// Whether no sender is named.
    pub fn is_nobody(&self) -> bool {
        self.networks.is_empty()
            && self.hosts.is_empty()
            && self.includes.is_empty()
            && !self.mail_exchangers
    }

    /// Whether every sender is named by its address.
    pub fn is_networks_only(&self) -> bool {
        self.hosts.is_empty() && self.includes.is_empty() && !self.mail_exchangers
    }
}
