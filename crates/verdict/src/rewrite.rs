use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// How many addresses that one stands for are named.
const NAMED_MAX: usize = 10;

/// An address of the envelope that was to be changed on the way: a sender's for forwarding, or a
/// recipient's that stands for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct Rewrite {
    /// By what: `srs` or `alias`.
    pub method: String,
    /// What was to be changed: `mailfrom` or `rcpt`.
    pub identity: String,
    /// The address as the client wrote it.
    pub address: String,
    /// What came of it. For `srs`: `rewritten` or `kept` of a sender; `pass`, `fail` or `expired`
    /// of a recipient. For `alias`: `expanded`.
    pub result: String,
    /// What holds instead; nothing, if the address stayed or was refused. Of many the first ten.
    pub becomes: Vec<String>,
    /// Why, in words for the operator.
    pub reason: String,
}

impl Rewrite {
    /// Of a sender's address, by SRS.
    pub fn of_sender(address: &str, result: &str, reason: &str) -> Self {
        Self::new(("srs", "mailfrom"), address, result, reason)
    }

    /// Of a recipient's address, by SRS.
    pub fn of_recipient(address: &str, result: &str, reason: &str) -> Self {
        Self::new(("srs", "rcpt"), address, result, reason)
    }

    /// Of a recipient's address that is an alias.
    pub fn of_alias(address: &str) -> Self {
        Self::new(("alias", "rcpt"), address, "expanded", "")
    }

    fn new((method, identity): (&str, &str), address: &str, result: &str, reason: &str) -> Self {
        Self {
            method: method.to_owned(),
            identity: identity.to_owned(),
            address: address.to_owned(),
            result: result.to_owned(),
            becomes: Vec::new(),
            reason: reason.to_owned(),
        }
    }

    /// With what holds instead.
    #[must_use]
    pub fn to(mut self, becomes: impl IntoIterator<Item = String>) -> Self {
        let mut becomes = becomes.into_iter();
        self.becomes = becomes.by_ref().take(NAMED_MAX).collect();
        match becomes.count() {
            0 => {}
            more if self.reason.is_empty() => self.reason = format!("and {more} more"),
            more => self.reason.push_str(&format!("; and {more} more")),
        }
        self
    }

    /// Its addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        [&self.address].into_iter().chain(&self.becomes).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_addresses_ten_are_named() {
        let targets = |count: usize| (0..count).map(|n| format!("{n}@b.example"));
        let ten = Rewrite::of_alias("a@b.example").to(targets(NAMED_MAX));
        assert_eq!((ten.becomes.len(), &*ten.reason), (10, ""));
        let twelve = Rewrite::of_alias("a@b.example").to(targets(NAMED_MAX + 2));
        assert_eq!((twelve.becomes.len(), &*twelve.reason), (10, "and 2 more"));
        assert_eq!(twelve.addresses().count(), 11);
    }
}
