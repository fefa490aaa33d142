use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::rr::{Name, RecordType as WireType};
use quivive_evidence::{
    DnsAnswer, DnsQuestion, Failure, NotedAnswer, Outcome, Question, RecordType, Source,
};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::cache::Cache;
use crate::flights::Flights;
use crate::inquest::{Answering, Answers};
use crate::metrics::{Metrics, micros};
use crate::name::WireName;
use crate::records;
use crate::reply::{self, Chain, Said};
use crate::servers::Servers;
use crate::settings::Settings;
use crate::system;
use crate::zone::{Zone, no_such_name, unix_now};

/// The longest that a failure is kept, in seconds (RFC 2308 section 7.1).
const FAILURE_TTL_MAX: u32 = 300;

/// A zone says the same for as long as there is one.
const ZONE_LIFE: Duration = Duration::from_secs(86_400 * 365);

/// Answers DNS questions. A handle: clones share everything.
#[derive(Clone)]
pub struct Resolver(Arc<World>);

/// Why there is no resolver.
#[derive(Debug, Error)]
pub enum Error {
    /// The system's list of name servers cannot be read.
    #[error("cannot read {}: {source}; name the DNS servers to ask yourself", system::RESOLV_CONF)]
    Unreadable {
        /// Why.
        source: std::io::Error,
    },
    /// The system's list of name servers names none.
    #[error("{} names no DNS server; name the servers to ask yourself", system::RESOLV_CONF)]
    NoServers,
}

enum World {
    Network(Network),
    Zone(Zone),
}

struct Network {
    asker: Arc<Asker>,
    cache: Arc<Cache>,
    flights: Arc<Flights>,
}

/// What a flight needs.
struct Asker {
    servers: Servers,
    settings: Settings,
    on_the_wire: Semaphore,
}

impl Resolver {
    /// A resolver that asks these name servers, the first of them first.
    pub fn from_servers(servers: &[SocketAddr], settings: Settings) -> Self {
        let cache = Arc::new(Cache::new(&settings));
        let asker = Asker {
            servers: Servers::new(servers, &settings),
            on_the_wire: Semaphore::new(settings.questions_at_once_max),
            settings,
        };
        let flights = Arc::default();
        Self(Arc::new(World::Network(Network { asker: Arc::new(asker), cache, flights })))
    }

    /// A resolver that asks the system's name servers. Of the system's settings nothing else
    /// counts: no search list, no options, no hosts file.
    ///
    /// # Errors
    /// There is no list of name servers, or none in it.
    pub fn from_system(settings: Settings) -> Result<Self, Error> {
        let servers = system::name_servers().map_err(|source| Error::Unreadable { source })?;
        if servers.is_empty() {
            return Err(Error::NoServers);
        }
        Ok(Self::from_servers(&servers, settings))
    }

    /// A resolver that knows one zone file's worth of DNS, and asks nobody.
    pub fn from_zone(zone: Zone) -> Self {
        Self(Arc::new(World::Zone(zone)))
    }

    /// The answer, if it is known without asking. A zone always knows it.
    pub fn cached(&self, question: &DnsQuestion) -> Option<DnsAnswer> {
        match &*self.0 {
            World::Zone(zone) => Some(zone.answer(question)),
            World::Network(network) => network.cache.get(question),
        }
    }

    /// The answer. Failure is an answer too.
    ///
    /// Runs in a tokio runtime. It ends within `attempts` times `attempt_timeout`.
    pub async fn answer(&self, question: &DnsQuestion) -> DnsAnswer {
        match &*self.0 {
            World::Zone(zone) => zone.answer(question),
            World::Network(network) => network.answer(question).await,
        }
    }

    /// Until when this answer to a question is the one that is given; none where it is no more.
    pub(crate) fn good_until(&self, question: &DnsQuestion, answer: &DnsAnswer) -> Option<Instant> {
        match &*self.0 {
            World::Zone(_) => Some(Instant::now() + ZONE_LIFE),
            World::Network(network) => network.cache.good_until(question, answer),
        }
    }

    /// What was asked and answered since the resolver was made; all zero for a zone.
    pub fn metrics(&self) -> Metrics {
        match &*self.0 {
            World::Zone(_) => Metrics::default(),
            World::Network(network) => Metrics {
                servers: network.asker.servers.metrics(),
                cache_hits: network.cache.hits.get(),
                cache_misses: network.cache.misses.get(),
                cache_entries: network.cache.len(),
                joined_flights: network.flights.joined.get(),
                flights: network.flights.len() as u64,
            },
        }
    }
}

impl Answers for Resolver {
    fn ask(&self, question: &Question) -> Answering {
        let Question::Dns(question) = question else { return Answering::Nobody };
        if let Some(answer) = self.cached(question) {
            return Answering::Known(NotedAnswer::Dns(answer));
        }
        let (resolver, question) = (self.clone(), question.clone());
        Answering::OnItsWay(Box::pin(
            async move { NotedAnswer::Dns(resolver.answer(&question).await) },
        ))
    }
}

impl Network {
    async fn answer(&self, question: &DnsQuestion) -> DnsAnswer {
        if let Some(answer) = self.cache.get(question) {
            return answer;
        }
        let record_type = question.record_type;
        let Some(name) = WireName::from_text(&question.name) else {
            return no_such_name(record_type);
        };
        let mut landing = self.flights.board(question, || {
            let (asker, cache, question) =
                (self.asker.clone(), self.cache.clone(), question.clone());
            async move {
                // A flight may have landed between the look into the cache and this one's start.
                if let Some(answer) = cache.peek(&question) {
                    return answer;
                }
                let answer = asker.answer(&name, record_type).await;
                debug!(%question, status = answer.status(), server = ?answer.source().server);
                cache.insert(question, answer.clone(), asker.keep(&answer));
                answer
            }
        });
        let landed = landing.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
        // A flight is lost when the runtime goes down.
        landed.unwrap_or_else(|| {
            records::failed(record_type, Failure::Unreachable, Source::default())
        })
    }
}

impl Asker {
    /// Asks until the alias chain ends, all within the time of one question.
    async fn answer(&self, name: &WireName, record_type: RecordType) -> DnsAnswer {
        let asked_at = Instant::now();
        let source = |server, (authenticated, trusted), ttl| Source {
            server,
            authenticated,
            trusted,
            ttl,
            noted_at: unix_now(),
            micros: u32::try_from(micros(asked_at.elapsed())).unwrap_or(u32::MAX),
        };
        let failed = |failure, server| {
            records::failed(record_type, failure, source(server, (false, false), 0))
        };
        let deadline = asked_at + self.settings.budget();
        let Ok(Ok(_permit)) = timeout_at(deadline, self.on_the_wire.acquire()).await else {
            return failed(Failure::Timeout, None);
        };
        let wire_type = WireType::from(record_type.number());
        let mut chain = Chain::new(wire_name(name));
        let mut authenticated = (true, true);
        loop {
            let reply = match self.servers.ask(chain.end(), wire_type, deadline).await {
                Ok(reply) => reply,
                Err((failure, server)) => return failed(failure, server),
            };
            authenticated.0 &= reply.response.metadata.authentic_data;
            authenticated.1 &= self.settings.trust_ad.contains(&reply.server);
            let server = Some(reply.server);
            let settings = &self.settings;
            let (outcome, ttl) = match reply::read(&reply.response, wire_type, &mut chain) {
                Ok(Said::Records(records, ttl)) => {
                    let source = source(server, authenticated, settings.bound(ttl));
                    return records::answer(record_type, records.iter(), source);
                }
                Ok(Said::NoData(ttl)) => (Outcome::NoData, ttl),
                Ok(Said::NoName(ttl)) => (Outcome::NoName, ttl),
                Ok(Said::AskOn) => continue,
                Err(failure) => return failed(failure, server),
            };
            let source = source(server, authenticated, settings.bound_negative(ttl));
            return DnsAnswer::without_records(record_type, outcome, source);
        }
    }

    /// How many seconds an answer is kept.
    fn keep(&self, answer: &DnsAnswer) -> u32 {
        match answer.failure() {
            Some(_) => self.settings.failure_ttl.min(FAILURE_TTL_MAX),
            None => answer.source().ttl,
        }
    }
}

fn wire_name(name: &WireName) -> Name {
    Name::from_labels(name.labels()).expect("a wire name's labels are labels and few enough")
}
