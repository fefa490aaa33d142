use std::fmt;

/// An enhanced mail system status code (RFC 3463): class, subject, detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
