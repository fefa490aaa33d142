//! Who may log in, and how that is found out: by a file of users, by Dovecot, by certificates.

mod certificate;
mod dovecot;
#[cfg(test)]
mod tests;
pub mod users;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quivive_binding::{GRANTS, Grant, Query, Rules};
use quivive_console::{Password, Throttle, network};
use quivive_evidence::StoredQuestion;
use quivive_smtp::sasl::{Claim, Exchange, Mechanism, Mechanisms, Step, Verifier};
use tokio::sync::Semaphore;

pub(crate) use self::certificate::name as certificate_name;
use self::dovecot::{Dovecot, Said};
use self::users::{UserFile, UsersError};
use crate::tables::Tables;

/// How many failed logins one network may have at once, and how long each counts.
pub const TRIES: (u32, Duration) = (10, Duration::from_secs(20));

/// How many passwords are hashed at a time: each takes 19 MiB and some time of a processor.
const HASHES_AT_ONCE: usize = 2;

/// Who may log in at a listener.
pub struct Logins {
    source: Source,
    tables: Tables,
    rules: Arc<Rules>,
    tries: Arc<Throttle>,
    hashing: Semaphore,
    /// From which the salts of users come whom nobody knows.
    decoy: [u8; 32],
}

enum Source {
    Users(UserFile),
    Dovecot(Dovecot),
    /// Certificates alone.
    Nobody,
}

/// Where it is known who may log in.
#[derive(Debug, Clone)]
pub enum LoginSource {
    /// A file that `quivive user` keeps.
    Users(PathBuf),
    /// The socket of Dovecot's auth service.
    Dovecot(PathBuf),
    /// Nowhere: there are certificates alone.
    Certificates,
}

/// Why there is no login. What the client said is never told apart from what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The name or the proof is wrong, or it may not act as whom it names.
    Wrong,
    /// What it said is not of the mechanism.
    Malformed,
    /// Its network has failed too often.
    TooOften,
    /// It cannot be found out now.
    Unavailable,
}

/// What is next in an exchange.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Send this.
    Challenge(Vec<u8>),
    /// It is logged in under this name.
    LoggedIn(String),
    /// It is not.
    Denied(Denied),
}

/// Who wants to log in.
#[derive(Debug, Clone)]
pub(crate) struct Applicant {
    pub(crate) address: IpAddr,
    /// The name in its certificate, which was verified.
    pub(crate) certificate: Option<String>,
}

/// An exchange with one client.
pub(crate) struct Dialogue {
    pub(crate) mechanism: Mechanism,
    logins: Arc<Logins>,
    applicant: Applicant,
    kind: Kind,
}

enum Kind {
    Own(Exchange),
    Dovecot(Box<dovecot::Exchange>),
}

impl Logins {
    /// Those who may log in; whether one may act as another is asked of these tables.
    ///
    /// # Errors
    /// The file of users cannot be used.
    pub fn new(
        source: &LoginSource,
        tables: Tables,
        rules: Arc<Rules>,
        tries: Arc<Throttle>,
    ) -> Result<Self, UsersError> {
        let source = match source {
            LoginSource::Users(path) => Source::Users(UserFile::open(path)?),
            LoginSource::Dovecot(path) => Source::Dovecot(Dovecot::new(path.clone())),
            LoginSource::Certificates => Source::Nobody,
        };
        let mut decoy = [0; 32];
        // Without randomness nothing here is safe; the system has it from its first second.
        getrandom::fill(&mut decoy).expect("the system has randomness");
        let hashing = Semaphore::new(HASHES_AT_ONCE);
        Ok(Self { source, tables, rules, tries, hashing, decoy })
    }

    /// An account of failed logins, which outlives reloads.
    pub fn tries() -> Arc<Throttle> {
        Arc::new(Throttle::new(TRIES.0, TRIES.1))
    }

    /// By what a client can log in now. A mechanism is offered if every user can use it.
    pub(crate) async fn mechanisms(&self, applicant: &Applicant) -> Result<Mechanisms, Denied> {
        let of_source = match &self.source {
            Source::Users(file) => file.current().await.mechanisms(),
            Source::Dovecot(dovecot) => dovecot.mechanisms().await?.without(Mechanism::External),
            Source::Nobody => Mechanisms::default(),
        };
        Ok(match applicant.certificate {
            Some(_) => of_source.with(Mechanism::External),
            None => of_source,
        })
    }

    /// Begins an exchange. It counts as a failure until it has succeeded.
    pub(crate) fn begin(
        self: &Arc<Self>,
        mechanism: Mechanism,
        applicant: Applicant,
    ) -> Result<Dialogue, Denied> {
        if !self.tries.take(network(Some(applicant.address))) {
            return Err(Denied::TooOften);
        }
        let kind = match &self.source {
            // A certificate is verified by our own TLS.
            Source::Dovecot(dovecot) if mechanism != Mechanism::External => {
                Kind::Dovecot(Box::new(dovecot.begin(mechanism, applicant.address)))
            }
            _ => {
                let exchange = Exchange::new(mechanism, &nonce()).ok_or(Denied::Malformed)?;
                Kind::Own(exchange)
            }
        };
        Ok(Dialogue { mechanism, logins: self.clone(), applicant, kind })
    }

    /// Under which name a client is logged in that has proven to be this one.
    async fn authorize(&self, claim: Claim) -> Turn {
        let Some(other) = claim.acts_as else { return Turn::LoggedIn(claim.user) };
        let query = Query::to_act_as(&claim.user, &other, &self.rules);
        let key = query.to_string();
        let question = StoredQuestion { table: GRANTS.into(), key: (&*key).into() };
        let answer = match self.tables.ask(&question) {
            Ok(answer) => answer,
            Err(lookup) => lookup.await,
        };
        let Ok(entries) = answer.records() else { return Turn::Denied(Denied::Unavailable) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let pattern = query.subject.to_string();
        let granted = entries.iter().any(|entry| {
            let grant = std::str::from_utf8(&entry.0).ok().and_then(|text| Grant::parse(text).ok());
            grant.is_some_and(|grant| {
                grant.pattern == pattern
                    && grant.holder.is(&query.client)
                    && grant.until.is_none_or(|until| now < until)
            })
        });
        match granted {
            true => Turn::LoggedIn(other),
            false => Turn::Denied(Denied::Wrong),
        }
    }

    /// What SCRAM goes by; for a user whom nobody knows, as for any other.
    async fn verifier(&self, user: &str) -> Verifier {
        let Source::Users(file) = &self.source else {
            return Verifier::decoy(&self.decoy, user, users::ITERATIONS);
        };
        let users = file.current().await;
        let known = users.find(user).and_then(|(_, user)| user.verifier.clone());
        known.unwrap_or_else(|| Verifier::decoy(&self.decoy, user, users.iterations()))
    }

    /// The user's name as the file has it, if this is the password. It takes as long for a user
    /// whom nobody knows.
    async fn user_of(&self, user: &str, password: String) -> Option<String> {
        let Source::Users(file) = &self.source else { return None };
        let users = file.current().await;
        let known = users.find(user).and_then(|(name, user)| {
            user.password.clone().map(|password| (name.to_owned(), password))
        });
        let _turn = self.hashing.acquire().await.ok()?;
        let checked = tokio::task::spawn_blocking(move || match known {
            Some((name, hash)) => hash.is(&password).then_some(name),
            None => {
                nobodys_password().is(&password);
                None
            }
        });
        checked.await.ok()?
    }
}

impl Dialogue {
    /// Goes on with what the client said.
    pub(crate) async fn respond(&mut self, response: Option<&[u8]>) -> Turn {
        let turn = match &mut self.kind {
            Kind::Own(exchange) => {
                Self::own_turn(&self.logins, &self.applicant, exchange, response).await
            }
            Kind::Dovecot(exchange) => match exchange.respond(response).await {
                Ok(Said::Challenge(challenge)) => Turn::Challenge(challenge),
                Ok(Said::User(user)) => Turn::LoggedIn(user),
                Err(denied) => Turn::Denied(denied),
            },
        };
        // What is no fault of the client is no failure of its.
        if matches!(turn, Turn::LoggedIn(_) | Turn::Denied(Denied::Unavailable)) {
            self.logins.tries.give_back(network(Some(self.applicant.address)));
        }
        turn
    }

    async fn own_turn(
        logins: &Logins,
        applicant: &Applicant,
        exchange: &mut Exchange,
        response: Option<&[u8]>,
    ) -> Turn {
        let mut step = exchange.respond(response);
        if let Step::Verifier(user) = &step {
            let verifier = logins.verifier(user).await;
            step = exchange.verify_with(verifier);
        }
        match step {
            Step::Challenge(challenge) => Turn::Challenge(challenge),
            Step::Password(claim, password) => {
                match logins.user_of(&claim.user, password.0).await {
                    Some(user) => logins.authorize(Claim { user, ..claim }).await,
                    None => Turn::Denied(Denied::Wrong),
                }
            }
            Step::Proven(claim) => logins.authorize(claim).await,
            Step::External(acts_as) => match &applicant.certificate {
                Some(name) => {
                    let acts_as = acts_as.filter(|other| !other.eq_ignore_ascii_case(name));
                    logins.authorize(Claim { user: name.clone(), acts_as }).await
                }
                None => Turn::Denied(Denied::Wrong),
            },
            Step::Refused => Turn::Denied(Denied::Wrong),
            Step::Malformed | Step::Verifier(_) => Turn::Denied(Denied::Malformed),
        }
    }
}

/// 144 random bits as text.
fn nonce() -> String {
    let mut random = [0; 18];
    getrandom::fill(&mut random).expect("the system has randomness");
    data_encoding::BASE64.encode(&random)
}

/// What the passwords of unknown users are compared with.
fn nobodys_password() -> &'static Password {
    static HASH: OnceLock<Password> = OnceLock::new();
    HASH.get_or_init(|| Password::hash(&nonce()).expect("a password of this length has a hash"))
}
