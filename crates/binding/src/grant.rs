use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::client::{write_certificate, write_login};
use crate::{Client, Rate, words};

/// Somebody may use the addresses of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Which addresses, in the form that [`crate::Subject::patterns`] gives: `user@domain`, `user`,
    /// `user@*`, `@domain`, `.domain`, `*`; `<>` is the null sender, and `as:user` the right to act
    /// as another login.
    pub pattern: String,
    /// Who may.
    pub holder: Holder,
    /// For what.
    pub scopes: Scopes,
    /// Whether also with a detail: `user+box@domain`.
    pub detail: bool,
    /// Until when, in seconds since 1970.
    pub until: Option<u64>,
    /// How many messages the holder may send.
    pub rate: Option<Rate>,
}

/// Who a grant is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Everybody who logged in.
    Everybody,
    /// A login.
    Login(String),
    /// A certificate, by its name or fingerprint.
    Certificate(String),
    /// Clients of a network that did not log in.
    Network(IpNet),
    /// Somebody else than whom is asked about: it is nobody's business who.
    Others,
}

/// What an address is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The reverse-path.
    Mailfrom,
    /// From.
    From,
    /// Sender.
    Sender,
    /// The Resent fields.
    Resent,
    /// Reply-To.
    ReplyTo,
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

/// A text that is no grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// No pattern, or one whose quotes are not closed.
    #[error("there is no address at the start")]
    Pattern,
    /// Nobody is named.
    #[error("nobody is named who may use it")]
    NoHolder,
    /// A holder that is none.
    #[error(
        "`{0}` is no login, `cert:NAME`, `net:NETWORK` or `*`; put odd logins in double quotes"
    )]
    Holder(String),
    /// An option that is none.
    #[error("`{0}` is no option; there are: scopes=A,B detail until=DATE rate=N/UNIT")]
    Option(String),
    /// A value that is none.
    #[error("{0}")]
    Value(String),
    /// Something else.
    #[error("`{0}` stands where a comma, or options in brackets, could")]
    Rest(String),
}

impl Grant {
    /// A grant without limits.
    pub fn new(pattern: &str, holder: Holder) -> Self {
        Self {
            pattern: pattern.to_owned(),
            holder,
            scopes: Scopes::ALL,
            detail: false,
            until: None,
            rate: None,
        }
    }

    /// Reads `PATTERN HOLDER [OPTIONS]`, as it is written.
    ///
    /// # Errors
    /// What is wrong.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        let (pattern, rest) = words::split(text).ok_or(GrantError::Pattern)?;
        let (holder, rest) = words::split(rest.trim_start()).ok_or(GrantError::NoHolder)?;
        let mut grant = Self::new(pattern, Holder::parse(holder)?);
        grant.read_options(rest)?;
        Ok(grant)
    }

    /// Reads `[option, option]`, or nothing.
    pub(crate) fn read_options(&mut self, text: &str) -> Result<(), GrantError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        let options = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let options = options.ok_or_else(|| GrantError::Rest(text.to_owned()))?;
        options.split_whitespace().try_for_each(|option| self.read_option(option))
    }

    fn read_option(&mut self, option: &str) -> Result<(), GrantError> {
        match option.split_once('=') {
            None if option == "detail" => self.detail = true,
            Some(("scopes", scopes)) => self.scopes = Scopes::parse(scopes)?,
            Some(("until", time)) => self.until = Some(read_time(time)?),
            Some(("rate", rate)) => self.rate = Some(rate.parse().map_err(GrantError::Value)?),
            _ => return Err(GrantError::Option(option.to_owned())),
        }
        Ok(())
    }
}

/// `PATTERN HOLDER [OPTIONS]`.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pattern, self.holder)?;
        let scopes = (self.scopes != Scopes::ALL).then(|| format!("scopes={}", self.scopes));
        let detail = self.detail.then(|| "detail".to_owned());
        let until = self.until.map(|until| format!("until={}", written_time(until)));
        let rate = self.rate.map(|rate| format!("rate={rate}"));
        let options: Vec<String> = [scopes, detail, until, rate].into_iter().flatten().collect();
        if options.is_empty() { Ok(()) } else { write!(f, " [{}]", options.join(" ")) }
    }
}

impl Holder {
    /// Reads a holder.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(word: &str) -> Result<Self, GrantError> {
        let wrong = || GrantError::Holder(word.to_owned());
        match word {
            "*" => return Ok(Self::Everybody),
            "-" => return Ok(Self::Others),
            _ => {}
        }
        if let Some(network) = word.strip_prefix("net:") {
            let address = || network.parse::<IpAddr>().map(IpNet::from);
            return network.parse().or_else(|_| address()).map(Self::Network).map_err(|_| wrong());
        }
        match Client::parse(word).ok_or_else(wrong)? {
            Client::Login(login) => Ok(Self::Login(login)),
            Client::Certificate(name) => Ok(Self::Certificate(name)),
            Client::Address(_) => Err(wrong()),
        }
    }

    /// Whether it is this client. Names of logins are compared as they are: fold them before.
    pub fn is(&self, client: &Client) -> bool {
        match (self, client) {
            (Self::Everybody, Client::Login(_)) => true,
            (Self::Login(held), Client::Login(login)) => held == login,
            (Self::Certificate(held), Client::Certificate(name)) => held.eq_ignore_ascii_case(name),
            (Self::Network(network), Client::Address(address)) => network.contains(address),
            _ => false,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everybody => f.write_str("*"),
            Self::Others => f.write_str("-"),
            Self::Login(login) => write_login(f, login),
            Self::Certificate(name) => write_certificate(f, name),
            Self::Network(network) => write!(f, "net:{network}"),
        }
    }
}

impl Scope {
    const ALL: &[Self] = &[Self::Mailfrom, Self::From, Self::Sender, Self::Resent, Self::ReplyTo];

    /// The word of the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mailfrom => "mailfrom",
            Self::From => "from",
            Self::Sender => "sender",
            Self::Resent => "resent",
            Self::ReplyTo => "replyto",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Scopes {
    /// For everything.
    pub const ALL: Self = Self(0b1_1111);

    /// Whether it is among them.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    fn parse(text: &str) -> Result<Self, GrantError> {
        let mut words = text.split(',').map(|word| {
            let known = Scope::ALL.iter().find(|scope| scope.word() == word);
            known.ok_or_else(|| {
                let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.word()).collect();
                GrantError::Value(format!("`{word}` is no scope; there are: {}", all.join(", ")))
            })
        });
        words.try_fold(Self(0), |scopes, scope| Ok(Self(scopes.0 | scope?.bit())))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self(0), |scopes, scope| Self(scopes.0 | scope.bit()))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Scope::ALL.iter().filter(|scope| self.contains(**scope));
        f.write_str(&words.map(|scope| scope.word()).collect::<Vec<_>>().join(","))
    }
}

/// A moment, or a day, of which the end is meant; both in UTC.
fn read_time(text: &str) -> Result<u64, GrantError> {
    let day_after = |date: Date| {
        let midnight = date.checked_add(1.day()).ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(midnight.timestamp())
    };
    let time = match text.parse::<Timestamp>() {
        Ok(time) => Some(time),
        Err(_) if text.contains('T') => None,
        Err(_) => text.parse().ok().and_then(day_after),
    };
    time.and_then(|time| u64::try_from(time.as_second()).ok()).ok_or_else(|| {
        GrantError::Value(format!("`{text}` is no time; write 2027-01-31 or 2027-01-31T12:00:00Z"))
    })
}

fn written_time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|at| Timestamp::from_second(at).ok());
    let civil: Option<DateTime> = time.map(|time| time.to_zoned(TimeZone::UTC).datetime());
    civil.map_or_else(String::new, |civil| format!("{civil}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::is_bare;

    #[test]
    fn grants_come_back_as_they_were_written() {
        for text in [
            "alice@e.test alice",
            "alice@e.test alice [detail]",
            "team@e.test \"al ice\" [scopes=from,replyto detail until=2027-02-01T00:00:00Z rate=10/h]",
            "@e.test cert:mailer.e.test",
            "@e.test cert:\"O=E, CN=mailer\"",
            ".e.test net:192.0.2.0/24",
            "<> *",
            "* gw [rate=0/d]",
            "as:boss \"100%\"",
            "\"a b\"@e.test -",
            "a@[192.0.2.1] alice",
        ] {
            assert_eq!(Grant::parse(text).map(|grant| grant.to_string()).as_deref(), Ok(text));
        }
        let grant = Grant::parse("a@e.test \"alice\" [until=2027-01-31]").unwrap();
        assert_eq!(grant.to_string(), "a@e.test alice [until=2027-02-01T00:00:00Z]");
        assert_eq!(Grant::parse("a net:192.0.2.1").unwrap().to_string(), "a net:192.0.2.1/32");
    }

    #[test]
    fn what_is_no_grant_is_said() {
        for (text, error) in [
            ("", "there is no address at the start"),
            ("a@e.test", "nobody is named who may use it"),
            ("a@e.test \"x", "nobody is named who may use it"),
            ("a@e.test net:x", "`net:x` is no login, `cert:NAME`, `net:NETWORK` or `*`"),
            ("a@e.test x:y", "`x:y` is no login"),
            ("a@e.test %team", "`%team` is no login"),
            ("a@e.test b c", "`c` stands where a comma, or options in brackets, could"),
            ("a@e.test b [deatil]", "`deatil` is no option; there are: scopes=A,B detail"),
            ("a@e.test b [scopes=helo]", "`helo` is no scope; there are: mailfrom, from, sender"),
            ("a@e.test b [until=31.1.2027]", "`31.1.2027` is no time; write 2027-01-31"),
            ("a@e.test b [until=2027-01-31T12:00:00]", "is no time"),
            ("a@e.test b [rate=10]", "`10` is no rate; write 10/min"),
            ("a@e.test b [detail", "`[detail` stands where"),
        ] {
            let said = Grant::parse(text).unwrap_err().to_string();
            assert!(said.contains(error), "{text}: {said}");
        }
    }

    #[test]
    fn logins_that_mean_something_else_need_quotes() {
        for login in ["*", "-", "net:1.2.3.4", "cert:x", "%team", "a b", "a,b", "a\"b", "[a", ""] {
            assert!(!is_bare(login), "{login}");
            let written = Holder::Login(login.to_owned()).to_string();
            assert_eq!(Holder::parse(&written), Ok(Holder::Login(login.to_owned())));
        }
    }

    #[test]
    fn holders_are_clients() {
        let login = |name: &str| Client::Login(name.to_owned());
        let address = Client::Address([192, 0, 2, 1].into());
        let is = |holder: &str, client: &Client| Holder::parse(holder).unwrap().is(client);
        assert!(is("alice", &login("alice")) && !is("alice", &login("bob")));
        assert!(is("*", &login("alice")) && !is("*", &address));
        assert!(is("net:192.0.2.0/24", &address) && !is("net:198.51.100.0/24", &address));
        assert!(!is("net:192.0.2.1", &login("net:192.0.2.1")));
        assert!(is("cert:AB", &Client::Certificate("ab".into())));
        assert!(!is("-", &login("-")));
    }
}
