use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

/// How many secrets there may be: each is tried for every address that comes back.
pub const SECRETS_MAX: usize = 32;

/// How long a file of secrets may be.
pub const SECRETS_OCTETS_MAX: usize = 64 * 1024;

/// How long a secret should be at least: as many random bits as nobody tries out.
pub const SECRET_OCTETS_ADVISED: usize = 16;

/// Octets of a digest that make an id.
const ID_OCTETS: usize = 4;

/// A secret: its octets are the key, as they are.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<[u8]>);

/// Secrets in their order: the first signs, all are believed. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets(Vec<Secret>);

/// What is wrong with secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretsError {
    /// There is none. An empty one would let anybody sign.
    #[error("there is no secret in it; `quivive srs key new` makes one")]
    None,
    /// More than [`SECRETS_MAX`].
    #[error("there are more than {SECRETS_MAX} secrets; retire the oldest")]
    TooMany,
    /// Longer than [`SECRETS_OCTETS_MAX`].
    #[error("it is longer than {SECRETS_OCTETS_MAX} octets: is it a file of secrets?")]
    TooLong,
}

impl Secret {
    /// A secret with this key; none if it is empty.
    pub fn new(key: &[u8]) -> Option<Self> {
        (!key.is_empty()).then(|| Self(key.into()))
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        &self.0
    }

    /// A name by which people and logs can speak of it without giving it away.
    pub fn id(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(b"quivive srs secret id\0");
        digest.update(&self.0);
        digest.finalize()[..ID_OCTETS].iter().map(|octet| format!("{octet:02x}")).collect()
    }
}

impl Secrets {
    /// Reads a file of secrets, one a line. Empty lines do not count; everything else does, also a
    /// blank: PostSRSd reads the same file the same way.
    ///
    /// # Errors
    /// There is none, or too much.
    pub fn parse(text: &[u8]) -> Result<Self, SecretsError> {
        if text.len() > SECRETS_OCTETS_MAX {
            return Err(SecretsError::TooLong);
        }
        let lines = text.split(|octet| matches!(octet, b'\n' | b'\r'));
        Self::new(lines.filter_map(Secret::new).collect())
    }

    /// These secrets.
    ///
    /// # Errors
    /// There is none, or too many.
    pub fn new(secrets: Vec<Secret>) -> Result<Self, SecretsError> {
        match secrets.len() {
            0 => Err(SecretsError::None),
            1..=SECRETS_MAX => Ok(Self(secrets)),
            _ => Err(SecretsError::TooMany),
        }
    }

    /// The secrets in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter()
    }
}

/// Shows nothing of it.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &[u8]) -> Vec<Vec<u8>> {
        let secrets = Secrets::parse(text).unwrap();
        secrets.iter().map(|secret| secret.key().to_vec()).collect()
    }

    #[test]
    fn a_line_is_a_secret_as_it_is() {
        assert_eq!(keys(b"newer\nolder\n"), [b"newer".to_vec(), b"older".to_vec()]);
        assert_eq!(keys(b"\r\n# a b \r\n\nc"), [b"# a b ".to_vec(), b"c".to_vec()]);
        assert_eq!(keys(b"\xff\0"), [b"\xff\0".to_vec()]);
    }

    #[test]
    fn none_and_too_many() {
        for text in [&b""[..], b"\n", b"\r\n\r\n"] {
            assert_eq!(Secrets::parse(text), Err(SecretsError::None));
        }
        assert_eq!(keys("a\n".repeat(SECRETS_MAX).as_bytes()).len(), SECRETS_MAX);
        let more = "a\n".repeat(SECRETS_MAX + 1);
        assert_eq!(Secrets::parse(more.as_bytes()), Err(SecretsError::TooMany));
        assert!(Secrets::parse(&vec![b'a'; SECRETS_OCTETS_MAX]).is_ok());
        let longer = vec![b'a'; SECRETS_OCTETS_MAX + 1];
        assert_eq!(Secrets::parse(&longer), Err(SecretsError::TooLong));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new(b"tops3cr3t").unwrap();
        assert_eq!(secret.id().len(), 2 * ID_OCTETS);
        assert_ne!(secret.id(), Secret::new(b"tops3cr3u").unwrap().id());
        assert!(!format!("{secret:?}").contains("tops"));
    }
}
