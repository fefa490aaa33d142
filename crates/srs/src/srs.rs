use std::fmt;

use crate::hash::Key;
use crate::rules::{HASH_LENGTH_MAX, Rules};
use crate::secret::Secrets;

/// Rewrites addresses by its secrets and rules, and finds the original ones. Making one is work;
/// using one allocates nothing but the result.
#[derive(Clone)]
pub struct Srs {
    keys: Vec<Key>,
    rules: Rules,
}

impl Srs {
    /// Signs with the first of the secrets, and believes all of them. Lengths of hashes beyond what
    /// there can be are those bounds.
    pub fn new(secrets: &Secrets, mut rules: Rules) -> Self {
        rules.hash_length = rules.hash_length.clamp(1, HASH_LENGTH_MAX);
        rules.hash_length_min = rules.hash_length_min.clamp(1, rules.hash_length);
        Self { keys: secrets.iter().map(Key::new).collect(), rules }
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn signer(&self) -> &Key {
        &self.keys[0]
    }

    /// The number of the first secret under which a hash is right.
    pub(crate) fn find_secret(&self, is_right: impl Fn(&Key) -> bool) -> Option<usize> {
        self.keys.iter().position(is_right)
    }
}

/// Shows nothing of its secrets.
impl fmt::Debug for Srs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Srs").field("rules", &self.rules).finish_non_exhaustive()
    }
}
