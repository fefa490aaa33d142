//! Who may look: the password, sessions, and how often one may try.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordVerifier};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;

use crate::throttle::{Throttle, network};

/// How long a session lasts after its last use.
pub const SESSION_IDLE: Duration = Duration::from_secs(60 * 60);

/// How long a session lasts at most.
pub const SESSION_AGE_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// How many sessions there may be; the one that was used longest ago goes first.
pub const SESSIONS_MAX: usize = 1_000;

/// How long a password may be, in octets.
pub const PASSWORD_OCTETS_MAX: usize = 1_024;

/// How many wrong passwords one network may try at once, and how long each counts.
pub(crate) const TRIES: (u32, Duration) = (5, Duration::from_secs(30));

/// How many passwords are hashed at a time: each takes 19 MiB and some time of a processor.
const HASHES_AT_ONCE: usize = 2;

type Key = Hmac<Sha256>;

/// A password as the configuration keeps it: hashed by argon2, in PHC form (`$argon2id$...`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password(String);

/// A text that is no hash of a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no argon2 hash of a password; `quivive config password` makes one")]
pub struct PasswordError;

impl Password {
    /// The hash in a file: one line, white space around it left aside.
    ///
    /// # Errors
    /// It is no hash by argon2.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let text = text.trim();
        let hash = PasswordHash::new(text).map_err(|_| PasswordError)?;
        let complete = hash.algorithm.as_str().starts_with("argon2") && hash.hash.is_some();
        if complete { Ok(Self(text.to_owned())) } else { Err(PasswordError) }
    }

    /// The hash of a password, for the file.
    ///
    /// # Errors
    /// The system has no random numbers, or the password is too long.
    pub fn hash(password: &str) -> Result<Self, PasswordError> {
        use argon2::PasswordHasher;
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| PasswordError)?;
        if password.is_empty() || password.len() > PASSWORD_OCTETS_MAX {
            return Err(PasswordError);
        }
        let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
        hash.map(|hash| Self(hash.to_string())).map_err(|_| PasswordError)
    }

    /// As it stands in the file.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this one. That takes some time and memory, by intent.
    pub fn is(&self, password: &str) -> bool {
        password.len() <= PASSWORD_OCTETS_MAX
            && PasswordHash::new(&self.0).is_ok_and(|hash| {
                Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
            })
    }
}

/// The sessions of a console, and the key of its tokens. It outlives reloads.
pub(crate) struct Access {
    key: [u8; 32],
    sessions: Mutex<HashMap<String, Times>>,
    tries: Throttle,
    hashing: Semaphore,
    /// A stranger's proof of the password that held the last time, for machines that send it with
    /// every request.
    known: Mutex<Option<Vec<u8>>>,
}

#[derive(Clone, Copy)]
struct Times {
    begun: Instant,
    used: Instant,
}

/// What came of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    Right,
    Wrong,
    /// Not looked at: too many were wrong.
    TooOften,
}

impl Access {
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system has random numbers");
        Self {
            key,
            sessions: Mutex::default(),
            tries: Throttle::new(TRIES.0, TRIES.1),
            hashing: Semaphore::new(HASHES_AT_ONCE),
            known: Mutex::default(),
        }
    }

    /// Tries a password. Right ones cost nothing.
    pub(crate) async fn try_password(
        &self,
        password: &Password,
        given: String,
        from: Option<IpAddr>,
    ) -> Tried {
        if !self.tries.take(network(from)) {
            return Tried::TooOften;
        }
        let _turn = self.hashing.acquire().await.expect("the semaphore is never closed");
        let password = password.clone();
        let checked = tokio::task::spawn_blocking(move || password.is(&given)).await;
        match checked.unwrap_or(false) {
            true => {
                self.tries.give_back(network(from));
                Tried::Right
            }
            false => Tried::Wrong,
        }
    }

    /// As [`Access::try_password`], for machines: the same password again is known at once.
    pub(crate) async fn try_again(
        &self,
        password: &Password,
        given: String,
        from: Option<IpAddr>,
    ) -> Tried {
        let proof = self.mac(&["machine", password.as_str(), &given]);
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(&proof) {
            return Tried::Right;
        }
        let tried = self.try_password(password, given, from).await;
        if tried == Tried::Right {
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof);
        }
        tried
    }

    /// Begins a session: its id opens the console until it ends.
    pub(crate) fn begin(&self, now: Instant) -> String {
        let mut octets = [0; 16];
        getrandom::fill(&mut octets).expect("the system has random numbers");
        let id = hex(&octets);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, times| times.is_open(now));
        if sessions.len() >= SESSIONS_MAX
            && let Some(oldest) =
                sessions.iter().min_by_key(|(_, times)| times.used).map(|(id, _)| id.clone())
        {
            sessions.remove(&oldest);
        }
        sessions.insert(id.clone(), Times { begun: now, used: now });
        id
    }

    /// Whether a session is open; it is used by asking.
    pub(crate) fn is_open(&self, id: &str, now: Instant) -> bool {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        match sessions.get_mut(id) {
            Some(times) if times.is_open(now) => {
                times.used = now;
                true
            }
            Some(_) => {
                sessions.remove(id);
                false
            }
            None => false,
        }
    }

    pub(crate) fn end(&self, id: &str) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Ends all sessions: the password is another one now.
    pub(crate) fn end_all(&self) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What a form of this session carries, so that no other site can send it.
    pub(crate) fn token(&self, session: &str) -> String {
        hex(&self.mac(&["form", session]))
    }

    pub(crate) fn is_token(&self, session: &str, token: &str) -> bool {
        let token = unhex(token);
        self.keyed(&["form", session]).verify_slice(&token).is_ok()
    }

    fn mac(&self, words: &[&str]) -> Vec<u8> {
        self.keyed(words).finalize().into_bytes().to_vec()
    }

    fn keyed(&self, words: &[&str]) -> Key {
        let mut mac = Key::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        for word in words {
            mac.update(&(word.len() as u64).to_be_bytes());
            mac.update(word.as_bytes());
        }
        mac
    }
}

impl Times {
    fn is_open(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) < SESSION_AGE_MAX
            && now.saturating_duration_since(self.used) < SESSION_IDLE
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The octets of hexadecimal digits; nothing of anything else.
fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let octets = digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
    octets.collect::<Option<_>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_argon2() {
        let password = Password::hash("a secret").unwrap();
        assert!(password.as_str().starts_with("$argon2id$"), "{password:?}");
        let read = Password::parse(&format!("{}\n", password.as_str())).unwrap();
        assert!(read.is("a secret"));
        assert!(!read.is("a secret "));
        assert!(!read.is(""));
        for text in ["", "secret", "$1$abc$def", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ"] {
            assert_eq!(Password::parse(text), Err(PasswordError), "{text}");
        }
        assert_eq!(Password::hash(&"x".repeat(PASSWORD_OCTETS_MAX + 1)), Err(PasswordError));
    }

    #[test]
    fn sessions_end() {
        let access = Access::new();
        let start = Instant::now();
        let id = access.begin(start);
        assert_eq!(id.len(), 32);
        assert!(access.is_open(&id, start));
        assert!(!access.is_open(&id, start + SESSION_IDLE), "it was not used");
        assert!(!access.is_open(&id, start), "what has ended stays so");
        let id = access.begin(start);
        let step = SESSION_IDLE / 2;
        let steps = u32::try_from(SESSION_AGE_MAX.as_secs() / step.as_secs()).unwrap();
        assert!((1..steps).all(|count| access.is_open(&id, start + step * count)));
        assert!(!access.is_open(&id, start + step * steps), "it is too old");
        let id = access.begin(start);
        access.end(&id);
        assert!(!access.is_open(&id, start));
    }

    #[test]
    fn sessions_are_bounded() {
        let access = Access::new();
        let start = Instant::now();
        let first = access.begin(start);
        let second = access.begin(start + Duration::from_millis(1));
        for _ in 0..SESSIONS_MAX - 1 {
            access.begin(start + Duration::from_millis(2));
        }
        assert!(!access.is_open(&first, start));
        assert!(access.is_open(&second, start));
    }

    #[test]
    fn tokens_belong_to_their_session() {
        let access = Access::new();
        let token = access.token("a");
        assert!(access.is_token("a", &token));
        for (session, token) in
            [("b", &*token), ("a", &token[2..]), ("a", ""), ("a", "zz"), ("a", "é")]
        {
            assert!(!access.is_token(session, token), "{session} {token}");
        }
        assert!(!Access::new().is_token("a", &token));
    }

    #[tokio::test]
    async fn wrong_passwords_are_throttled() {
        let access = Access::new();
        let password = Password::hash("right").unwrap();
        let from = Some(IpAddr::from([192, 0, 2, 1]));
        for _ in 0..TRIES.0 {
            let tried = access.try_password(&password, "wrong".into(), from).await;
            assert_eq!(tried, Tried::Wrong);
        }
        let tried = access.try_password(&password, "right".into(), from).await;
        assert_eq!(tried, Tried::TooOften);
        let other = Some(IpAddr::from([198, 51, 100, 1]));
        for _ in 0..=TRIES.0 {
            let tried = access.try_password(&password, "right".into(), other).await;
            assert_eq!(tried, Tried::Right);
        }
    }
}
