use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use quivive_evidence::{Facts, Header, Identity, Method, Nonce};
use quivive_resolver::Resolver;
use quivive_server::check::{Checker, Judgement};
use quivive_verdict::{Mode, Policy};

use crate::error::Error;

/// How long a message may be, in octets.
pub(crate) const MESSAGE_OCTETS_MAX: u64 = 64 << 20;

/// How much of a message is searched for the end of its header, in octets.
const HEADER_READ_MAX: u64 = 1 << 20;

/// What is told of one message, by flags or by a line of a batch.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) ip: IpAddr,
    pub(crate) helo: String,
    pub(crate) mail_from: String,
    pub(crate) rcpt: Vec<String>,
    pub(crate) auth_user: Option<String>,
    pub(crate) header: Option<Header>,
    pub(crate) selection: Selection,
}

/// Which methods run and which identities are judged, where it is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub(crate) methods: Option<Vec<Method>>,
    pub(crate) identities: Option<Vec<Identity>>,
}

/// Judges what it is told of messages, by one policy, with one resolver.
pub(crate) struct Examiner {
    policy: Arc<Policy>,
    resolver: Resolver,
    receiver: String,
    now: Option<u64>,
}

impl Examiner {
    /// Our name is `receiver`. All messages come at `now`, or else each when it is examined.
    pub(crate) fn new(
        policy: Policy,
        resolver: Resolver,
        receiver: String,
        now: Option<u64>,
    ) -> Self {
        Self { policy: Arc::new(policy), resolver, receiver, now }
    }

    /// Judges one message.
    pub(crate) async fn examine(&self, query: Query) -> Result<Judgement, Error> {
        let policy = query.selection.of(&self.policy)?;
        let mut facts = Facts::new(query.ip);
        facts.helo = query.helo;
        facts.reverse_path = without_brackets(query.mail_from);
        facts.recipients = query.rcpt.into_iter().map(without_brackets).collect();
        facts.auth_user = query.auth_user;
        facts.header = query.header;
        facts.receiver.clone_from(&self.receiver);
        facts.now = self.now.unwrap_or_else(unix_now);
        facts.nonce = nonce()?;
        Ok(Checker::new(policy, self.resolver.clone()).check(facts).await)
    }
}

impl Selection {
    /// What is said here, and where nothing is said, what `default` says.
    pub(crate) fn or(self, default: &Self) -> Self {
        Self {
            methods: self.methods.or_else(|| default.methods.clone()),
            identities: self.identities.or_else(|| default.identities.clone()),
        }
    }

    /// # Errors
    /// A method that this version does not have, or nothing that could be judged.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let built: Vec<Method> = quivive_verdict::methods().collect();
        if let Some(method) = self.methods.iter().flatten().find(|method| !built.contains(method)) {
            return Err(Error::no_method(*method));
        }
        if self.methods.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::Usage("no method is named: nothing would be judged"));
        }
        if self.identities.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::Usage("no identity is named: nothing would be judged"));
        }
        let methods = self.methods.as_ref().unwrap_or(&built);
        let judged = |identity: &Identity| quivive_verdict::judges(methods, *identity);
        match self.identities.iter().flatten().find(|identity| !judged(identity)) {
            Some(identity) => {
                Err(Error::NotInThisVersion { what: "identity", word: identity.word() })
            }
            None => Ok(()),
        }
    }

    /// The policy, with no other methods and identities than these. A method that is named runs,
    /// although the policy has it off.
    ///
    /// # Errors
    /// A method that this version does not have.
    fn of(&self, policy: &Arc<Policy>) -> Result<Arc<Policy>, Error> {
        if self.methods.is_none() && self.identities.is_none() {
            return Ok(policy.clone());
        }
        self.check()?;
        let mut selected = Policy::clone(policy);
        if let Some(methods) = &self.methods {
            selected.methods.clear();
            for &method in methods {
                let mode = match policy.mode(method) {
                    Mode::Off => Mode::Report,
                    mode => mode,
                };
                selected.methods.insert(method, mode);
            }
        }
        if let Some(identities) = &self.identities {
            selected.identities.clone_from(identities);
        }
        Ok(Arc::new(selected))
    }
}

/// Reads the header of a message, or of standard input for `-`.
///
/// No method of this version looks into the body, so that it is read and not kept.
pub(crate) fn read_message(path: &Path) -> Result<Header, Error> {
    let unreadable = |source| Error::Unreadable { path: named(path), source };
    let mut source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).map_err(unreadable)?)
    };
    let mut beginning = Vec::new();
    (&mut source).take(HEADER_READ_MAX).read_to_end(&mut beginning).map_err(unreadable)?;
    let rest_max = MESSAGE_OCTETS_MAX + 1 - beginning.len() as u64;
    let rest = io::copy(&mut (&mut source).take(rest_max), &mut io::sink()).map_err(unreadable)?;
    if beginning.len() as u64 + rest > MESSAGE_OCTETS_MAX {
        return Err(Error::TooLarge { path: named(path), octets_max: MESSAGE_OCTETS_MAX });
    }
    let mut header = Header::read(&beginning);
    // A header that goes on beyond what is read of it is not known whole.
    let mut fields = quivive_mail::header::fields(&beginning);
    fields.by_ref().for_each(drop);
    header.cut |= rest > 0 && fields.rest().is_empty();
    Ok(header)
}

/// A file as errors name it.
pub(crate) fn named(path: &Path) -> PathBuf {
    if path == Path::new("-") { "standard input".into() } else { path.to_owned() }
}

/// A path as facts have it: without angle brackets, also where somebody wrote them.
fn without_brackets(path: String) -> String {
    match path.strip_prefix('<').and_then(|path| path.strip_suffix('>')) {
        Some(bare) => bare.to_owned(),
        None => path,
    }
}

fn nonce() -> Result<Nonce, Error> {
    let mut nonce = Nonce::default();
    getrandom::fill(&mut nonce.0)?;
    Ok(nonce)
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(methods: Option<&[Method]>, identities: Option<&[Identity]>) -> Selection {
        Selection { methods: methods.map(<[_]>::to_vec), identities: identities.map(<[_]>::to_vec) }
    }

    #[test]
    fn nothing_selected_is_the_policy_itself() {
        let policy = Arc::new(Policy::new("mx.example"));
        assert!(Arc::ptr_eq(&Selection::default().of(&policy).unwrap(), &policy));
    }

    #[test]
    fn a_method_that_is_off_reports_when_it_is_asked_for() {
        let mut policy = Policy::new("mx.example");
        policy.methods.clear();
        let selected = select(Some(&[Method::Spf]), None).of(&Arc::new(policy)).unwrap();
        assert_eq!(selected.mode(Method::Spf), Mode::Report);
        assert_eq!(selected.identities, Identity::ALL);
    }

    #[test]
    fn methods_of_later_versions_are_refused() {
        let policy = Arc::new(Policy::new("mx.example"));
        let error = select(Some(&[Method::Spf, Method::Challenge]), None).of(&policy).unwrap_err();
        assert_eq!(error.to_string(), "method `challenge` is not in this version");
    }

    #[test]
    fn what_a_line_says_goes_before_what_the_flags_say() {
        let flags = select(Some(&[Method::Spf]), Some(&[Identity::Helo]));
        let line = select(None, Some(&[Identity::Mailfrom])).or(&flags);
        assert_eq!(line.methods, flags.methods);
        assert_eq!(line.identities.as_deref(), Some([Identity::Mailfrom].as_slice()));
    }

    #[test]
    fn angle_brackets_are_no_part_of_a_path() {
        let bare = |path: &str| without_brackets(path.to_owned());
        assert_eq!(bare("<>"), "");
        assert_eq!(bare("<a@b.example>"), "a@b.example");
        assert_eq!(bare("<a@b.example"), "<a@b.example");
    }
}
