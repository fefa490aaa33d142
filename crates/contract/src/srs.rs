use quivive_srs::{Form, Forwarded, Original, Returned, Written, is_overlong};
use serde::Serialize;

/// What became of an address that was to be rewritten, or found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SrsJson {
    /// `rewritten` or `unchanged` for a sender; `pass`, `fail`, `expired` or `none` for a
    /// recipient.
    pub result: &'static str,
    /// The address that holds now, if there is one.
    pub address: Option<String>,
    /// Why, where there is something to say.
    pub reason: Option<String>,
    /// Whether it is longer than everybody takes (RFC 5321 section 4.5.3.1).
    pub overlong: bool,
    /// `SRS0` or `SRS1`, of an address that was found again.
    pub form: Option<&'static str>,
    /// In whose manner it is signed.
    pub dialect: Option<&'static str>,
    /// The number of the secret it is signed with, from 1.
    pub secret: Option<usize>,
    /// How old it is, where that counts.
    pub age_days: Option<u16>,
}

impl SrsJson {
    /// A result with an address, or without.
    pub fn new(result: &'static str, address: Option<String>) -> Self {
        Self {
            result,
            overlong: address.as_deref().is_some_and(is_overlong),
            address,
            reason: None,
            form: None,
            dialect: None,
            secret: None,
            age_days: None,
        }
    }

    /// The result with its reason.
    #[must_use]
    pub fn because(mut self, reason: impl ToString) -> Self {
        self.reason = Some(reason.to_string());
        self
    }

    /// What became of a sender.
    pub fn forwarded(forwarded: Forwarded, sender: &str) -> Self {
        match forwarded {
            Forwarded::Rewritten(address) => Self::new("rewritten", Some(address)),
            Forwarded::SameDomain => Self::new("unchanged", Some(sender.to_owned()))
                .because("the sender is at the forwarder's own domain"),
            Forwarded::Unusable(reason) => Self::new("fail", None).because(reason),
        }
    }

    /// What a running forwarder made of a sender.
    pub fn written(written: Written, sender: &str) -> Self {
        match written {
            Written::Rewritten(address) => Self::new("rewritten", Some(address)),
            Written::Kept(reason) => {
                Self::new("unchanged", Some(sender.to_owned())).because(reason)
            }
        }
    }

    /// What a running forwarder made of a recipient.
    pub fn returned(returned: Returned) -> Self {
        match returned {
            Returned::Original(original) => Self::original(original),
            Returned::Unsigned(unsigned) => Self::new("pass", Some(unsigned.address))
                .because("the early form without a hash, still taken"),
            Returned::NotOurs => Self::new("none", None).because("Not an SRS address."),
            Returned::Refused(refusal) => Self::new(refusal.word(), None).because(refusal.text()),
        }
    }

    /// An address that was found again.
    pub fn original(original: Original) -> Self {
        Self {
            form: Some(match original.form {
                Form::Srs0 => "SRS0",
                Form::Srs1 => "SRS1",
            }),
            dialect: Some(original.dialect.word()),
            secret: Some(original.secret + 1),
            age_days: original.age_days,
            ..Self::new("pass", Some(original.address))
        }
    }
}
