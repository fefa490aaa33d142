use std::fmt;
use std::net::IpAddr;

use quivive_evidence::Facts;

use crate::address::folded;
use crate::{Address, Rules, words};

/// Who sends: by its login, or else by its certificate, or else by its address alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// It logged in under this name.
    Login(String),
    /// It showed a certificate of this name or fingerprint, which was verified.
    Certificate(String),
    /// Nothing but its address is known of it.
    Address(IpAddr),
}

impl Client {
    /// Whoever sends a message.
    pub fn of(facts: &Facts, rules: &Rules) -> Self {
        let login = facts.auth_user.as_deref().filter(|login| !login.is_empty());
        match login {
            Some(login) => Self::Login(folded(login, rules)),
            None => Self::certificate(facts).unwrap_or(Self::Address(facts.client_address)),
        }
    }

    /// The certificate of whoever sends a message, whether it logged in as well or not.
    pub(crate) fn certificate(facts: &Facts) -> Option<Self> {
        let name = facts.certificate.as_deref().filter(|name| !name.is_empty())?;
        Some(Self::Certificate(name.to_lowercase()))
    }

    /// Whether it is one of ours, and so held to grants. Of another we know what it may not use.
    pub(crate) fn is_ours(&self, facts: &Facts, rules: &Rules) -> bool {
        matches!(self, Self::Login(_))
            || rules.networks.iter().any(|network| network.contains(&facts.client_address))
    }

    /// The login, if that is how it is known.
    pub fn login(&self) -> Option<&str> {
        match self {
            Self::Login(login) => Some(login),
            Self::Certificate(_) | Self::Address(_) => None,
        }
    }

    /// The address that a login is, or that it is in the domain of logins.
    pub fn own_address(&self, rules: &Rules) -> Option<Address> {
        let login = self.login().filter(|_| rules.own_address)?;
        Address::parse(login, rules).or_else(|| {
            let domain = rules.login_domain.as_ref()?;
            Address::parse(&format!("{login}@{domain}"), rules)
        })
    }

    /// Reads what a client is written as.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        if let Some(login) = words::unquoted(word) {
            return Some(Self::Login(login));
        }
        if let Some(name) = word.strip_prefix("cert:") {
            return Some(Self::Certificate(words::unquoted(name).unwrap_or_else(|| name.into())));
        }
        match word.strip_prefix("net:") {
            Some(address) => address.parse().ok().map(Self::Address),
            None => is_bare(word).then(|| Self::Login(word.to_owned())),
        }
    }
}

/// `alice`, `"al ice"`, `cert:mailer.e.test`, `net:192.0.2.1`.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(login) => write_login(f, login),
            Self::Certificate(name) => write_certificate(f, name),
            Self::Address(address) => write!(f, "net:{address}"),
        }
    }
}

pub(crate) fn write_login(f: &mut fmt::Formatter<'_>, login: &str) -> fmt::Result {
    if is_bare(login) { f.write_str(login) } else { f.write_str(&words::quoted(login)) }
}

pub(crate) fn write_certificate(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    match words::split(name) {
        Some((word, "")) if !word.contains('"') => write!(f, "cert:{name}"),
        _ => write!(f, "cert:{}", words::quoted(name)),
    }
}

/// Whether a login needs no quotes: nothing in it has a meaning of its own.
pub(crate) fn is_bare(login: &str) -> bool {
    !login.contains(['"', ':', '%', '*'])
        && login != "-"
        && words::split(login) == Some((login, ""))
}
