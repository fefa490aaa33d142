use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use quivive_contract::Query;
use quivive_evidence::{Header, Method, Nonce};
use quivive_resolver::Resolver;
use quivive_server::check::{Checker, Judgement};
use quivive_server::tables::Tables;
use quivive_verdict::{Mode, Policy};

use crate::error::Error;

/// How long a message may be, in octets.
pub(crate) const MESSAGE_OCTETS_MAX: u64 = 64 << 20;

/// How much of a message is searched for the end of its header, in octets.
const HEADER_READ_MAX: u64 = 1 << 20;

/// Judges what it is told of messages, by one policy, with one resolver.
pub(crate) struct Examiner {
    policy: Arc<Policy>,
    resolver: Resolver,
    receiver: String,
    now: Option<u64>,
    tables: Tables,
}

impl Examiner {
    /// Our name is `receiver`. All messages come at `now`, or else each when it is examined.
    pub(crate) fn new(
        policy: Policy,
        resolver: Resolver,
        receiver: String,
        now: Option<u64>,
    ) -> Self {
        Self { policy: Arc::new(policy), resolver, receiver, now, tables: Tables::default() }
    }

    /// As it is, with these tables to look into.
    pub(crate) fn with_tables(self, tables: Tables) -> Self {
        Self { tables, ..self }
    }

    /// Judges one message.
    pub(crate) async fn examine(&self, query: Query) -> Result<Judgement, Error> {
        let mut policy = query.selection.of(&self.policy)?;
        if query.auth_user.is_some() && query.selection.methods.is_none() {
            policy = with_binding(policy);
        }
        let mut facts = query.facts();
        facts.receiver.clone_from(&self.receiver);
        facts.now = self.now.unwrap_or_else(unix_now);
        facts.nonce = nonce()?;
        let checker = Checker::new(policy, self.resolver.clone());
        Ok(checker.with_tables(self.tables.clone()).check(facts).await)
    }
}

/// Who tells of a login wants to hear what it may use: that is reported, unless the configuration
/// says something of it.
fn with_binding(policy: Arc<Policy>) -> Arc<Policy> {
    if policy.methods.contains_key(&Method::Binding) {
        return policy;
    }
    let mut policy = Arc::unwrap_or_clone(policy);
    policy.methods.insert(Method::Binding, Mode::Report);
    Arc::new(policy)
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

fn nonce() -> Result<Nonce, Error> {
    let mut nonce = Nonce::default();
    getrandom::fill(&mut nonce.0)?;
    Ok(nonce)
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
