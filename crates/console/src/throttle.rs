//! How often one network may do something.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many are remembered. Beyond it, all that are new share one account.
pub(crate) const ACCOUNTS_MAX: usize = 10_000;

/// So many at once for each account, and one more each `interval`. Accounts are those of networks
/// (see [`network`]) or whatever else has a name.
pub struct Throttle<K = IpAddr> {
    burst: u32,
    interval: Duration,
    spent: Mutex<HashMap<Option<K>, Spent>>,
}

#[derive(Clone, Copy)]
struct Spent {
    count: u32,
    since: Instant,
}

impl<K: Eq + Hash> Throttle<K> {
    /// Nothing is spent yet.
    pub fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval, spent: Mutex::new(HashMap::new()) }
    }

    /// Takes one, if there is one left. `None` is the account of all who have no name.
    pub fn take(&self, account: Option<K>) -> bool {
        self.take_at(account, Instant::now())
    }

    /// The last one does not count.
    pub fn give_back(&self, account: Option<K>) {
        let mut all = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spent) = all.get_mut(&account) {
            spent.count = spent.count.saturating_sub(1);
        }
    }

    fn take_at(&self, account: Option<K>, now: Instant) -> bool {
        let mut all = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = account;
        if !all.contains_key(&key) && all.len() >= ACCOUNTS_MAX {
            all.retain(|_, spent| self.settled(*spent, now).count > 0);
            if all.len() >= ACCOUNTS_MAX {
                key = None;
            }
        }
        let spent = all.entry(key).or_insert(Spent { count: 0, since: now });
        *spent = self.settled(*spent, now);
        let left = spent.count < self.burst;
        if left {
            spent.count += 1;
        }
        left
    }

    /// The account at a later time: one is forgiven each interval.
    fn settled(&self, spent: Spent, now: Instant) -> Spent {
        let passed = now.saturating_duration_since(spent.since).as_millis();
        let forgiven = passed / self.interval.as_millis().max(1);
        let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX).min(spent.count);
        match spent.count - forgiven {
            0 => Spent { count: 0, since: now },
            count => Spent { count, since: spent.since + self.interval * forgiven },
        }
    }
}

/// The network of an address, which one client has all of: an IPv4 address, an IPv6 /64.
pub fn network(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(text: &str) -> Option<IpAddr> {
        network(Some(text.parse().unwrap()))
    }

    #[test]
    fn a_burst_and_then_one_each_interval() {
        let throttle = Throttle::new(3, SECOND);
        let (from, start) = (address("192.0.2.1"), Instant::now());
        let taken = |at| throttle.take_at(from, start + at);
        assert!((0..3).all(|_| taken(Duration::ZERO)));
        assert!(!taken(SECOND - Duration::from_millis(1)));
        assert!(taken(SECOND));
        assert!(!taken(SECOND));
        assert!((0..3).all(|_| taken(SECOND * 10)));
        assert!(!taken(SECOND * 10));
    }

    #[test]
    fn networks_have_accounts_of_their_own() {
        let throttle = Throttle::new(1, SECOND);
        let start = Instant::now();
        let taken = |text| throttle.take_at(address(text), start);
        assert!(taken("192.0.2.1"));
        assert!(!taken("::ffff:192.0.2.1"));
        assert!(taken("192.0.2.2"));
        assert!(taken("2001:db8::1"));
        assert!(!taken("2001:db8::2"), "the same /64");
        assert!(taken("2001:db8:0:1::1"));
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new(1, SECOND);
        let start = Instant::now();
        for index in 0..ACCOUNTS_MAX as u32 {
            assert!(throttle.take_at(Some(IpAddr::from(index.to_be_bytes())), start));
        }
        assert!(throttle.take_at(address("192.0.2.1"), start), "the shared account");
        assert!(!throttle.take_at(address("192.0.2.2"), start));
        assert!(throttle.spent.lock().unwrap().len() <= ACCOUNTS_MAX + 1);
        assert!(throttle.take_at(address("192.0.2.2"), start + SECOND), "the others are settled");
        assert!(throttle.spent.lock().unwrap().len() <= 2);
    }

    #[test]
    fn what_is_given_back_does_not_count() {
        let throttle = Throttle::new(1, SECOND);
        let from = address("192.0.2.1");
        for _ in 0..3 {
            assert!(throttle.take(from));
            throttle.give_back(from);
        }
    }
}
