use std::net::SocketAddr;
use std::time::Duration;

/// How name servers are asked and how long answers are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long one try may take, TCP after truncation included.
    pub attempt_timeout: Duration,
    /// How many tries a question has that end without a reply. All servers together answer within
    /// this many times `attempt_timeout`.
    pub attempts: u32,
    /// How many questions are on the wire at once; more wait within their time.
    pub questions_at_once_max: usize,
    /// How many answers are kept.
    pub cache_entries_max: u64,
    /// About how many octets of memory the answers that are kept may take.
    pub cache_octets_max: u64,
    /// Lower TTLs are raised to this, in seconds; a TTL of zero stays zero and is not kept.
    pub ttl_min: u32,
    /// Higher TTLs are lowered to this, in seconds.
    pub ttl_max: u32,
    /// The longest that NXDOMAIN and NODATA are kept, in seconds (RFC 2308 section 5).
    pub negative_ttl_max: u32,
    /// How long failures are kept, in seconds (at most five minutes: RFC 2308 section 7.1).
    pub failure_ttl: u32,
    /// Whose AD bit is believed: servers that validate, on a way that nobody can meddle with (RFC
    /// 6840 section 5.8).
    pub trust_ad: Vec<SocketAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_secs(2),
            attempts: 2,
            questions_at_once_max: 512,
            cache_entries_max: 100_000,
            cache_octets_max: 64 << 20,
            ttl_min: 1,
            ttl_max: 86_400,
            negative_ttl_max: 900,
            failure_ttl: 2,
            trust_ad: Vec::new(),
        }
    }
}

impl Settings {
    /// How long a question may take in all.
    pub(crate) fn budget(&self) -> Duration {
        self.attempt_timeout * self.attempts
    }

    /// The TTL under which an answer with records is kept.
    pub(crate) fn bound(&self, ttl: u32) -> u32 {
        match ttl {
            // The highest bit makes it zero (RFC 2181 section 8).
            0 | 0x8000_0000.. => 0,
            ttl => ttl.max(self.ttl_min).min(self.ttl_max),
        }
    }

    /// The TTL under which an answer without records is kept.
    pub(crate) fn bound_negative(&self, ttl: u32) -> u32 {
        self.bound(ttl).min(self.negative_ttl_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttls_are_bounded() {
        let settings =
            Settings { ttl_min: 5, ttl_max: 100, negative_ttl_max: 10, ..Settings::default() };
        let bounded = [0, 1, 50, 101, 1 << 31].map(|ttl| settings.bound(ttl));
        assert_eq!(bounded, [0, 5, 50, 100, 0]);
        let negative = [0, 1, 7, 50].map(|ttl| settings.bound_negative(ttl));
        assert_eq!(negative, [0, 5, 7, 10]);
    }
}
