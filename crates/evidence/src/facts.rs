use std::fmt;
use std::net::IpAddr;

use borsh::{BorshDeserialize, BorshSerialize};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::Header;

/// What the peer said and did, and what was noted once by the door: time, our name, a nonce.
///
/// Text is as the peer wrote it. Nothing here was refused for its form: what a method makes of an
/// empty HELO or an address without a domain is its finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct Facts {
    /// The client's address. An IPv4-mapped IPv6 address is held as IPv4 (RFC 7208 section 5).
    pub client_address: IpAddr,
    /// The gateway of ours before us that told the client's address and HELO; the client's address
    /// itself, where such a gateway did not tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<IpAddr>,
    /// The argument of HELO or EHLO.
    pub helo: String,
    /// The reverse-path without angle brackets; empty for the null reverse-path.
    pub reverse_path: String,
    /// The forward-paths without angle brackets.
    pub recipients: Vec<String>,
    /// The name under which the client logged in.
    pub auth_user: Option<String>,
    /// The name or fingerprint of the certificate that the client showed, if it was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The responsible submitter that the client stated (RFC 4405), without angle brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitter: Option<String>,
    /// The message's header; none while it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// The name of the host that receives and judges.
    pub receiver: String,
    /// Our id of the message, under which its case is kept; empty where there is none.
    #[serde(default)]
    pub case_id: String,
    /// The random id under which the explanation of a refusal is published; empty where there is
    /// none. It opens a page: only the refused client is told.
    #[serde(default)]
    pub public_id: String,
    /// When the message came, in seconds since 1970.
    pub now: u64,
    /// The source of every "random" value inside evaluation. Never written with the other facts.
    #[serde(skip)]
    pub nonce: Nonce,
}

/// 128 random bits, noted once with the facts. It never leaves the store: not in JSON, page or
/// export.
#[derive(Clone, Copy, PartialEq, Eq, Default, BorshDeserialize, BorshSerialize)]
pub struct Nonce(pub [u8; 16]);

impl Facts {
    /// Facts about a client; everything else is empty or zero until the door fills it in.
    pub fn new(client_address: IpAddr) -> Self {
        Self {
            client_address: client_address.to_canonical(),
            upstream: None,
            helo: String::new(),
            reverse_path: String::new(),
            recipients: Vec::new(),
            auth_user: None,
            certificate: None,
            submitter: None,
            header: None,
            receiver: String::new(),
            case_id: String::new(),
            public_id: String::new(),
            now: 0,
            nonce: Nonce::default(),
        }
    }
}

impl Nonce {
    /// A value that nobody can foresee, and that is the same for the same message and label:
    /// HMAC-SHA-256 of the label under the nonce.
    pub fn derive(&self, label: &str) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(label.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Shows nothing: the nonce is a secret.
impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_ipv4() {
        let facts = Facts::new("::ffff:192.0.2.1".parse().unwrap());
        assert_eq!(facts.client_address, IpAddr::from([192, 0, 2, 1]));
    }

    #[test]
    fn derived_values_differ_by_nonce_and_label() {
        let (one, other) = (Nonce([1; 16]), Nonce([2; 16]));
        assert_eq!(one.derive("a"), one.derive("a"));
        assert_ne!(one.derive("a"), one.derive("b"));
        assert_ne!(one.derive("a"), other.derive("a"));
    }

    #[test]
    fn the_nonce_is_not_shown() {
        let mut facts = Facts::new([192, 0, 2, 1].into());
        facts.nonce = Nonce([0xa5; 16]);
        assert!(!format!("{facts:?}").contains("165"));
    }
}
