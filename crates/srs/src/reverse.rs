use std::fmt;

use crate::address::{Address, Fault, Quote, write};
use crate::dialect::Dialect;
use crate::fields::{self, Tagged};
use crate::hash::begins_with;
use crate::stamp::Stamp;
use crate::texts::texts;
use crate::unsigned::Unsigned;
use crate::{Srs, exim, opensmtpd};

/// What a recipient's address is, as far as its hash and its stamp tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reversed {
    /// One that we rewrote.
    Original(Original),
    /// One in the early form without a hash: anybody may have written it.
    Unsigned(Unsigned),
    /// One that nobody rewrote.
    NotSrs,
    /// One that is tagged as rewritten and is not believed.
    Refused(Refusal),
}

/// The address that was found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// The address: the sender's, or that of the first forwarder.
    pub address: String,
    /// Its form.
    pub form: Form,
    /// In whose manner it is signed.
    pub dialect: Dialect,
    /// The place of the secret it is signed with, from 0.
    pub secret: usize,
    /// How old it is. None where that does not count (SRS1), and for one of tomorrow.
    pub age_days: Option<u16>,
}

/// The two forms of SRS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Rewritten once.
    Srs0,
    /// Rewritten again, by a second forwarder or a later one.
    Srs1,
}

/// Why an address is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing where the hash should be.
    NoHash(Form),
    /// Nothing where the stamp should be.
    NoStamp,
    /// Nothing where the domain should be.
    NoHost(Form),
    /// Nothing where the local part should be.
    NoUser(Form),
    /// No two digits of base32.
    BadStamp,
    /// Too old, or of the future.
    Expired {
        /// How old; one of tomorrow is 1023 days old.
        age_days: u16,
    },
    /// Fewer digits than are believed.
    HashTooShort,
    /// Another hash than any secret gives.
    HashInvalid,
}

impl Refusal {
    /// In the words of libsrs2, for which people look in logs.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoHash(Form::Srs0) => "No hash in SRS0 address.",
            Self::NoHash(Form::Srs1) => "No hash in SRS1 address.",
            Self::NoStamp => "No timestamp in SRS0 address.",
            Self::NoHost(Form::Srs0) => "No host in SRS0 address.",
            Self::NoHost(Form::Srs1) => "No host in SRS1 address.",
            Self::NoUser(Form::Srs0) => "No user in SRS0 address.",
            Self::NoUser(Form::Srs1) => "No user in SRS1 address.",
            Self::BadStamp => "Bad base32 character in timestamp.",
            Self::Expired { .. } => "Time stamp out of date.",
            Self::HashTooShort => "Hash too short in SRS address.",
            Self::HashInvalid => "Hash invalid in SRS address.",
        }
    }
}

texts!(Refusal);

/// What one dialect makes of an address.
pub(crate) enum Verified {
    Original(Original),
    /// The hash is right, and the address too old.
    Expired(u16),
    Refused(Refusal),
}

impl Srs {
    /// Finds the original of a rewritten address. `now` is in seconds since 1970. The domain is not
    /// looked at: [`crate::Forwarder`] does that.
    ///
    /// # Errors
    /// It is no address.
    pub fn reverse(&self, address: &str, now: u64) -> Result<Reversed, Fault> {
        let address = Address::parse(address)?;
        let Some(tagged) = Tagged::parse(&address.local) else {
            return Ok(match Unsigned::of(&address) {
                Some(unsigned) => Reversed::Unsigned(unsigned),
                None => Reversed::NotSrs,
            });
        };
        let mut refusal = None;
        for dialect in self.rules().dialects() {
            let verified = match (dialect, tagged) {
                (Dialect::MailSrs, _) => self.verify(tagged, address.quoted, now),
                (Dialect::Exim, Tagged::Srs0(rest)) => {
                    exim::verify(self, rest, address.quoted, now)
                }
                (Dialect::Exim, Tagged::Srs1(_)) => Verified::Refused(Refusal::HashInvalid),
                (Dialect::OpenSmtpd, _) => opensmtpd::verify(self, tagged, &address, now),
            };
            match verified {
                Verified::Original(original) => return Ok(Reversed::Original(original)),
                // It was ours, whatever another dialect makes of it.
                Verified::Expired(age_days) => refusal = Some(Refusal::Expired { age_days }),
                Verified::Refused(why) => {
                    refusal.get_or_insert(why);
                }
            }
        }
        Ok(Reversed::Refused(refusal.unwrap_or(Refusal::HashInvalid)))
    }

    /// In the manner of Mail::SRS. Of an address that is wrong in two ways the stamp is named, as
    /// libsrs2 does.
    fn verify(&self, tagged: Tagged<'_>, quoted: bool, now: u64) -> Verified {
        let (form, checked) = match tagged {
            Tagged::Srs0(rest) => (Form::Srs0, self.verify_srs0(&rest[1..], quoted, now)),
            Tagged::Srs1(rest) => (Form::Srs1, self.verify_srs1(&rest[1..], quoted)),
        };
        match checked {
            Ok((address, secret, age_days)) => {
                let dialect = Dialect::MailSrs;
                Verified::Original(Original { address, form, dialect, secret, age_days })
            }
            Err(refusal) => Verified::Refused(refusal),
        }
    }

    fn verify_srs0(&self, rest: &str, quoted: bool, now: u64) -> Result<Checked, Refusal> {
        let form = Form::Srs0;
        let [hash, stamp, domain, user] = fields::srs0(rest);
        let hash = hash.ok_or(Refusal::NoHash(form))?;
        let stamp = stamp.ok_or(Refusal::NoStamp)?;
        let domain = domain.ok_or(Refusal::NoHost(form))?;
        let user = user.ok_or(Refusal::NoUser(form))?;
        let age_days = Stamp::parse(stamp).ok_or(Refusal::BadStamp)?.age_days(now);
        if age_days > self.rules().max_age_days {
            return Err(Refusal::Expired { age_days });
        }
        let secret = self.verify_hash(hash, &[stamp, domain, user])?;
        Ok((write(&[user], quote(quoted), domain), secret, Some(age_days)))
    }

    /// There is no stamp of ours in it; whoever reverses what it holds looks at that one's.
    fn verify_srs1(&self, rest: &str, quoted: bool) -> Result<Checked, Refusal> {
        let form = Form::Srs1;
        let [hash, first, rest] = fields::srs1(rest);
        let hash = hash.ok_or(Refusal::NoHash(form))?;
        let first = first.ok_or(Refusal::NoHost(form))?;
        let rest = rest.ok_or(Refusal::NoUser(form))?;
        let secret = self.verify_hash(hash, &[first, rest])?;
        Ok((write(&["SRS0", rest], quote(quoted), first), secret, None))
    }

    /// The place of the secret under which a hash is right.
    fn verify_hash(&self, hash: &str, covered: &[&str]) -> Result<usize, Refusal> {
        if hash.len() < self.rules().hash_length_min {
            return Err(Refusal::HashTooShort);
        }
        self.find_secret(|key| begins_with(&key.mail_srs(covered), hash))
            .ok_or(Refusal::HashInvalid)
    }
}

/// Address, secret, age.
type Checked = (String, usize, Option<u16>);

fn quote(quoted: bool) -> Quote {
    if quoted { Quote::UnlessDotString } else { Quote::ForDots }
}

/// `SRS0`, `SRS1`
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Srs0 => "SRS0",
            Self::Srs1 => "SRS1",
        })
    }
}
