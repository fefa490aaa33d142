use crate::address::{Address, Fault, Quote, write};
use crate::dialect::Dialect;
use crate::fields::{self, Tagged};
use crate::hash::in_alphabet;
use crate::stamp::Stamp;
use crate::texts::texts;
use crate::{Srs, exim, opensmtpd};

/// What a sender's address becomes at a forwarder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forwarded {
    /// An address of the forwarder's, in which the original can be found again.
    Rewritten(String),
    /// The sender is at the forwarder's own domain, and stays as it is.
    SameDomain,
    /// It is tagged as rewritten before, and is not.
    Unusable(Unusable),
}

/// What an address lacks that is tagged `SRS1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// The first forwarder.
    NoHost,
    /// What the first forwarder wrote.
    NoUser,
}

impl Unusable {
    /// In the words of libsrs2.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoHost => "No host in SRS1 address.",
            Self::NoUser => "No user in SRS1 address.",
        }
    }
}

texts!(Unusable);

impl Srs {
    /// What `sender` becomes when mail is handed on for an address at `domain`. `now` is in seconds
    /// since 1970.
    ///
    /// A plain address becomes SRS0, an SRS0 address of somebody else's becomes SRS1, and an SRS1
    /// address gets a hash of ours instead of its own. A quoted local part goes in without its
    /// quotes, and the whole is quoted where it has to be.
    ///
    /// # Errors
    /// The sender is no address.
    pub fn forward(&self, sender: &str, domain: &str, now: u64) -> Result<Forwarded, Fault> {
        let address = Address::parse(sender)?;
        if address.domain.eq_ignore_ascii_case(domain) && !self.rules().always_rewrite {
            return Ok(Forwarded::SameDomain);
        }
        let stamp = Stamp::at(now);
        let quote = if address.quoted { Quote::UnlessDotString } else { Quote::ForSpecials };
        let target = Target { quote, domain };
        Ok(match self.rules().signs {
            Dialect::MailSrs => self.sign(&address, stamp, target),
            Dialect::Exim => {
                Forwarded::Rewritten(exim::sign(self.signer(), sender, &address, stamp, target))
            }
            Dialect::OpenSmtpd => opensmtpd::sign(self.signer(), &address, stamp, target),
        })
    }

    /// In the manner of Mail::SRS.
    fn sign(&self, address: &Address<'_>, stamp: Stamp, target: Target<'_>) -> Forwarded {
        let domain = address.domain;
        match Tagged::parse(&address.local) {
            None => {
                let digits = stamp.digits();
                let stamp = str::from_utf8(&digits).unwrap_or_default();
                Forwarded::Rewritten(self.write("SRS0", &[stamp, domain, &address.local], target))
            }
            Some(Tagged::Srs0(rest)) => {
                Forwarded::Rewritten(self.write("SRS1", &[domain, rest], target))
            }
            // Its old hash was made by somebody else, and is dropped unchecked.
            Some(Tagged::Srs1(rest)) => match fields::srs1(&rest[1..]) {
                [_, None, _] => Forwarded::Unusable(Unusable::NoHost),
                [_, _, None] => Forwarded::Unusable(Unusable::NoUser),
                [_, Some(first), Some(rest)] => {
                    Forwarded::Rewritten(self.write("SRS1", &[first, rest], target))
                }
            },
        }
    }

    /// Tag, separator, hash, and what the hash covers.
    fn write(&self, tag: &str, covered: &[&str], target: Target<'_>) -> String {
        let rules = self.rules();
        let hash = in_alphabet(self.signer().mail_srs(covered), rules.alphabet);
        let hash = str::from_utf8(&hash[..rules.hash_length]).unwrap_or_default();
        let mut separator = [0; 1];
        let separator = &*rules.separator.character().encode_utf8(&mut separator);
        match *covered {
            [stamp, domain, user] => {
                target.write(&[tag, separator, hash, "=", stamp, "=", domain, "=", user])
            }
            [first, rest] => target.write(&[tag, separator, hash, "=", first, "=", rest]),
            _ => unreachable!("an address has two or three fields"),
        }
    }
}

/// Where a rewritten address is, and how it may be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    quote: Quote,
    pub(crate) domain: &'a str,
}

impl Target<'_> {
    pub(crate) fn write(self, local: &[&str]) -> String {
        write(local, self.quote, self.domain)
    }
}
