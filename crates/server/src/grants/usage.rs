use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use quivive_binding::{Rate, Use, UseOf};
use quivive_evidence::Failure;

use super::{answer, unix_now};
use crate::tables::{Entries, Lookup, Table};

/// How many identities are remembered; beyond them the one that was quiet longest is forgotten.
pub const IDENTITIES_MAX: usize = 100_000;

/// How many domains are remembered of an identity.
const DOMAINS_MAX: usize = 1000;

/// For how long a domain is new, in seconds.
const NEW: u64 = 3600;

/// For how long a domain that is not used is remembered, in seconds.
pub(super) const KNOWN: u64 = 30 * 86_400;

/// What identities use, counted in memory; what they used before the start is recalled from their
/// cases. To ask is to use: each message asks once. Times are in seconds since 1970.
#[derive(Default)]
pub struct Usage {
    /// So many new domains in an hour are told in the log when there are more; 0: no number is.
    alarm: AtomicU32,
    identities: Mutex<HashMap<String, Identity>>,
}

struct Identity {
    /// Its first use: whatever it uses in the time after it, it used before for all we know.
    since: u64,
    last: u64,
    /// When it was told of last.
    alarmed: Option<u64>,
    /// One for each length of time that is asked for.
    windows: Vec<Window>,
    domains: HashMap<String, Seen>,
}

/// How many there were in the time that runs, and in the one before it.
struct Window {
    length: u64,
    began: u64,
    count: u64,
    before: u64,
}

struct Seen {
    first: u64,
    last: u64,
}

impl Table for Usage {
    fn at_hand(&self, key: &str) -> Option<Entries> {
        let Some(of) = Use::parse(key) else { return Some(answer(Err(Failure::Malformed), 0)) };
        let count = self.count(of, unix_now());
        Some(answer(Ok(vec![count.to_string()]), 0))
    }

    fn look_up(&self, key: &str) -> Lookup {
        let entries = self.at_hand(key).expect("what is counted is at hand");
        Box::pin(std::future::ready(entries))
    }
}

impl Usage {
    /// More new domains in an hour than this are told in the log: an account may have been stolen.
    pub fn alarm_beyond(&self, domains: Option<u32>) {
        self.alarm.store(domains.unwrap_or(0), Ordering::Relaxed);
    }

    /// Takes a message into account that came at this time, before any of those that are counted.
    pub(super) fn recall(&self, login: &str, domain: &str, at: u64, now: u64) {
        let at = at.min(now);
        let mut identities = self.identities();
        if !identities.contains_key(login) && identities.len() >= IDENTITIES_MAX {
            // Whoever is here now matters more.
            return;
        }
        let identity = identities.entry(login.to_owned()).or_insert_with(|| Identity::new(at));
        identity.since = identity.since.min(at);
        identity.last = identity.last.max(at);
        if !domain.is_empty() {
            identity.see(domain.to_owned(), at);
        }
        for length in Rate::LENGTHS.map(u64::from) {
            if now - at < length {
                identity.window(length, now).before += 1;
            }
        }
    }

    /// Counts this use, and says how much there was with it.
    pub(super) fn count(&self, used: Use, now: u64) -> u64 {
        let mut identities = self.identities();
        if !identities.contains_key(&used.login) && identities.len() >= IDENTITIES_MAX {
            forget_quietest(&mut identities);
        }
        let identity = identities.entry(used.login.clone()).or_insert_with(|| Identity::new(now));
        identity.last = now;
        match used.of {
            UseOf::Messages { seconds } => {
                identity.window(u64::from(seconds.max(1)), now).count(now)
            }
            UseOf::Domains(domains) => {
                let new = identity.domains(domains, now);
                let most = u64::from(self.alarm.load(Ordering::Relaxed));
                if most > 0 && new > most && identity.may_alarm(now) {
                    tracing::warn!(
                        login = ?used.login,
                        domains = new,
                        "From fields name many new domains: look whether the account was stolen"
                    );
                }
                new
            }
        }
    }

    fn identities(&self) -> MutexGuard<'_, HashMap<String, Identity>> {
        // Nothing that holds the lock can leave it in disorder.
        self.identities.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Identity {
    fn new(now: u64) -> Self {
        Self { since: now, last: now, alarmed: None, windows: Vec::new(), domains: HashMap::new() }
    }

    /// Whether it is told of now: once an hour.
    fn may_alarm(&mut self, now: u64) -> bool {
        let recent = self.alarmed.filter(|before| now.saturating_sub(*before) < NEW);
        self.alarmed = recent.or(Some(now));
        recent.is_none()
    }

    fn window(&mut self, length: u64, now: u64) -> &mut Window {
        let found = self.windows.iter().position(|window| window.length == length);
        let at = found.unwrap_or_else(|| {
            // A grant's rate may change with a reload; the lengths of time are three.
            self.windows.truncate(7);
            self.windows.push(Window { length, began: now, count: 0, before: 0 });
            self.windows.len() - 1
        });
        &mut self.windows[at]
    }

    /// How many domains were first seen in the last hour; none of them while the identity itself is
    /// as new.
    fn domains(&mut self, domains: Vec<String>, now: u64) -> u64 {
        self.domains.retain(|_, seen| now.saturating_sub(seen.last) < KNOWN);
        domains.into_iter().for_each(|domain| self.see(domain, now));
        let is_new = |seen: &&Seen| {
            now.saturating_sub(seen.first) < NEW && seen.first.saturating_sub(self.since) >= NEW
        };
        self.domains.values().filter(is_new).count() as u64
    }

    fn see(&mut self, domain: String, at: u64) {
        if self.domains.len() < DOMAINS_MAX || self.domains.contains_key(&domain) {
            let seen = self.domains.entry(domain).or_insert(Seen { first: at, last: at });
            *seen = Seen { first: seen.first.min(at), last: seen.last.max(at) };
        }
    }
}

impl Window {
    /// One more; how many there were in the length of time that ends now, taking those of the time
    /// before as evenly spread.
    fn count(&mut self, now: u64) -> u64 {
        let passed = now.saturating_sub(self.began);
        if passed >= self.length * 2 {
            (self.before, self.count, self.began) = (0, 0, now);
        } else if passed >= self.length {
            (self.before, self.count) = (self.count, 0);
            self.began += self.length;
        }
        self.count += 1;
        let left = self.length.saturating_sub(now.saturating_sub(self.began));
        self.count + self.before.saturating_mul(left) / self.length
    }
}

fn forget_quietest(identities: &mut HashMap<String, Identity>) {
    let quietest = identities.iter().min_by_key(|(_, identity)| identity.last);
    if let Some(login) = quietest.map(|(login, _)| login.clone()) {
        identities.remove(&login);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    /// 2027-01-15T08:00:00Z.
    const START: u64 = 1_800_000_000;

    fn messages(usage: &Usage, login: &str, at: u64) -> u64 {
        let of = UseOf::Messages { seconds: 3600 };
        usage.count(Use { login: login.to_owned(), of }, at)
    }

    fn domains(usage: &Usage, domains: &[&str], at: u64) -> u64 {
        let of = UseOf::Domains(domains.iter().map(|domain| domain.to_string()).collect());
        usage.count(Use { login: "alice".to_owned(), of }, at)
    }

    #[test]
    fn messages_of_the_last_hour() {
        let (usage, start) = (Usage::default(), START);
        for count in 1..=10 {
            assert_eq!(messages(&usage, "alice", start), count);
        }
        assert_eq!(messages(&usage, "bob", start), 1);
        // Half an hour into the next, half of them are in the last hour still.
        assert_eq!(messages(&usage, "alice", start + HOUR + HOUR / 2), 1 + 5);
        assert_eq!(messages(&usage, "alice", start + HOUR * 4), 1);
        let of = UseOf::Messages { seconds: 60 };
        assert_eq!(usage.count(Use { login: "alice".into(), of }, start + HOUR * 4), 1);
    }

    #[test]
    fn domains_that_are_new() {
        let (usage, start) = (Usage::default(), START);
        // All that an identity begins with is its own.
        assert_eq!(domains(&usage, &["a.test", "b.test"], start), 0);
        assert_eq!(domains(&usage, &["c.test"], start + HOUR / 2), 0);
        let later = start + HOUR * 2;
        assert_eq!(domains(&usage, &["a.test"], later), 0);
        assert_eq!(domains(&usage, &["d.test"], later), 1);
        assert_eq!(domains(&usage, &["e.test", "f.test", "d.test"], later), 3);
        assert_eq!(domains(&usage, &["a.test"], later + HOUR), 0);
        assert_eq!(domains(&usage, &["a.test"], later + KNOWN), 0);
        assert_eq!(domains(&usage, &["d.test"], later + KNOWN * 2), 1, "it was forgotten");
    }

    #[test]
    fn an_alarm_an_hour() {
        let start = START;
        let mut identity = Identity::new(start);
        assert!(identity.may_alarm(start));
        assert!(!identity.may_alarm(start + HOUR / 2));
        assert!(identity.may_alarm(start + HOUR));
    }

    #[test]
    fn memory_is_bounded() {
        let (usage, start) = (Usage::default(), START);
        for index in 0..DOMAINS_MAX + 10 {
            domains(&usage, &[&format!("d{index}.test")], start);
        }
        let count = |usage: &Usage| {
            let identities = usage.identities.lock().unwrap();
            (identities.len(), identities["alice"].domains.len())
        };
        assert_eq!(count(&usage), (1, DOMAINS_MAX));
        let mut identities = HashMap::new();
        for at in 0..3 {
            let mut identity = Identity::new(start);
            identity.last = start + HOUR * at;
            identities.insert(at.to_string(), identity);
        }
        forget_quietest(&mut identities);
        assert!(!identities.contains_key("0") && identities.len() == 2);
    }

    #[test]
    fn what_came_before_the_start_is_no_news() {
        let usage = Usage::default();
        // Two days old, one of yesterday, and a burst of the last half hour.
        for (domain, ago) in [("a.test", 48), ("b.test", 24), ("a.test", 20)] {
            usage.recall("alice", domain, START - ago * HOUR, START);
        }
        (0..10).for_each(|minute| usage.recall("alice", "c.test", START - 60 * minute, START));
        assert_eq!(domains(&usage, &["a.test", "b.test"], START), 1, "c.test is as new as it was");
        assert_eq!(domains(&usage, &["d.test"], START), 2, "and this is, although we just began");
        assert_eq!(messages(&usage, "alice", START), 11);
        assert_eq!(messages(&usage, "alice", START + HOUR / 2), 2 + 5);
        // The clock may have been set back meanwhile.
        usage.recall("bob", "a.test", START + HOUR, START);
        assert_eq!(messages(&usage, "bob", START), 2);
    }
}
