use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// An enhanced mail system status code (RFC 3463): class, subject, detail.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    BorshDeserialize,
    BorshSerialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct EnhancedStatus(pub u8, pub u16, pub u16);

impl EnhancedStatus {
    /// "SPF validation failed" (RFC 7372 section 3.2).
    pub const SPF_FAILED: Self = Self(5, 7, 23);
    /// "SPF validation error", permanent (RFC 7372 section 3.2).
    pub const SPF_ERROR: Self = Self(5, 7, 24);
    /// "SPF validation error", transient (RFC 7372 section 3.2).
    pub const SPF_ERROR_TRANSIENT: Self = Self(4, 7, 24);
}

/// `5.7.23`
impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl FromStr for EnhancedStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('.');
        let mut part = || parts.next().and_then(|part| part.parse::<u16>().ok());
        let status = part()
            .and_then(|class| u8::try_from(class).ok())
            .and_then(|class| Some(Self(class, part()?, part()?)));
        status.ok_or_else(|| format!("`{text}` is no enhanced status code such as 5.7.1"))
    }
}

impl TryFrom<String> for EnhancedStatus {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<EnhancedStatus> for String {
    fn from(status: EnhancedStatus) -> Self {
        status.to_string()
    }
}
