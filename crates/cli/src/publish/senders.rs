use std::net::IpAddr;

use ipnet::IpNet;
use quivive_evidence::{Senders, Stance};

use crate::command_line::{Publish, Stated};
use crate::error::Error;
use crate::lint::a_domain;
use crate::style::excerpt;

/// The description that the flags give.
///
/// # Errors
/// A name that can be none, or nobody named without that being meant.
pub(super) fn of(flags: &Publish) -> Result<Senders, Error> {
    let mut senders = Senders::nobody(&a_domain(&flags.domain)?);
    for host in &flags.host {
        match network(host) {
            Some(network) => senders.networks.push(network),
            None if is_numbers(host) => {
                let host = excerpt(host, 80);
                return Err(Error::Unclear(format!(
                    "`{host}` is no address or network, such as 192.0.2.1 or 192.0.2.0/24"
                )));
            }
            None => senders.hosts.push(a_domain(host)?),
        }
    }
    senders.mail_exchangers = flags.mx;
    senders.includes =
        flags.include.iter().map(|domain| a_domain(domain)).collect::<Result<_, _>>()?;
    senders.everybody_else = match flags.policy {
        Stated::Fail => Stance::Fail,
        Stated::Softfail => Stance::Softfail,
        Stated::Neutral => Stance::Neutral,
    };
    match (senders.is_nobody(), flags.no_mail) {
        (true, false) => Err(Error::Usage(
            "name who sends: --host ADDR|NAME, --mx, --include D; or --no-mail, if nobody does",
        )),
        (false, true) => {
            Err(Error::Usage("--no-mail says that nobody sends; leave out the senders, or it"))
        }
        _ => Ok(senders),
    }
}

/// Whether a text was meant to be an address: no top-level domain is a number.
fn is_numbers(text: &str) -> bool {
    text.contains(['/', ':'])
        || text
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|octet| octet.is_ascii_digit()))
}

/// An address or a network; host bits are no part of it.
fn network(text: &str) -> Option<IpNet> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = || bare.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
    address().or_else(|| bare.parse::<IpNet>().ok().map(|network| network.trunc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks() {
        let of = |text| network(text).map(|network| network.to_string());
        assert_eq!(of("192.0.2.1").as_deref(), Some("192.0.2.1/32"));
        assert_eq!(of("192.0.2.1/24").as_deref(), Some("192.0.2.0/24"));
        assert_eq!(of("[2001:db8::1]").as_deref(), Some("2001:db8::1/128"));
        assert_eq!(of("::ffff:192.0.2.1").as_deref(), Some("192.0.2.1/32"));
        assert_eq!(of("mail.example.com"), None);
        assert_eq!(of("192.0.2"), None);
    }
}
