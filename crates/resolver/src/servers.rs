//! The name servers: which is asked, and who is asked next.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsHandle, DnsRequestSender, FirstAnswer};
use hickory_resolver::proto::op::{
    DnsRequest, DnsRequestOptions, DnsResponse, Query, ResponseCode,
};
use hickory_resolver::proto::rr::{Name, RecordType as WireType};
use quivive_evidence::Failure;
use tokio::time::{Instant, timeout_at};

use crate::metrics::{ServerCounters, ServerMetrics, micros};
use crate::reply;
use crate::settings::Settings;

/// The UDP payload that is announced with EDNS, which no path cuts into fragments (RFC 9715 section
/// 3.1).
pub const EDNS_PAYLOAD_OCTETS: u16 = 1_232;

/// Name servers in the order of preference.
pub(crate) struct Servers {
    servers: Vec<Server>,
    /// The one to ask first: the last that answered when the one before it did not.
    first: AtomicUsize,
    provider: TokioRuntimeProvider,
    attempt_timeout: Duration,
    attempts: u32,
}

struct Server {
    address: SocketAddr,
    counters: ServerCounters,
}

/// A usable reply, and whose it is.
pub(crate) struct Reply {
    pub(crate) response: DnsResponse,
    pub(crate) server: SocketAddr,
}

impl Servers {
    pub(crate) fn new(addresses: &[SocketAddr], settings: &Settings) -> Self {
        let server = |address: &SocketAddr| Server {
            address: *address,
            counters: ServerCounters::default(),
        };
        Self {
            servers: addresses.iter().map(server).collect(),
            first: AtomicUsize::new(0),
            provider: TokioRuntimeProvider::new(),
            attempt_timeout: settings.attempt_timeout,
            attempts: settings.attempts,
        }
    }

    /// Asks until a server answers.
    ///
    /// A server that answers with an error is not asked again, the next is. A try without a reply
    /// goes on to the next server too, or to the same if it is the only one, and there are only so
    /// many of those. All ends at the deadline.
    ///
    /// # Errors
    /// The last failure; with its server, if one was asked.
    pub(crate) async fn ask(
        &self,
        name: &Name,
        record_type: WireType,
        deadline: Instant,
    ) -> Result<Reply, (Failure, Option<SocketAddr>)> {
        let first = self.first.load(Ordering::Relaxed);
        let count = self.servers.len();
        let mut candidates: Vec<_> = (0..count).map(|step| (first + step) % count).collect();
        let nobody = if count == 0 { Failure::Unreachable } else { Failure::Timeout };
        let mut last = (nobody, None);
        let mut silent = 0;
        let mut turn = 0;
        while silent < self.attempts && !candidates.is_empty() && Instant::now() < deadline {
            turn %= candidates.len();
            let index = candidates[turn];
            let server = &self.servers[index];
            match self.try_server(server, name, record_type, deadline).await {
                Ok(response) => {
                    if silent > 0 {
                        self.first.store(index, Ordering::Relaxed);
                    }
                    return Ok(Reply { response, server: server.address });
                }
                Err(failure) => {
                    last = (failure, Some(server.address));
                    if matches!(failure, Failure::Timeout | Failure::Malformed) {
                        silent += 1;
                        turn += 1;
                    } else {
                        candidates.remove(turn);
                    }
                }
            }
        }
        Err(last)
    }

    pub(crate) fn metrics(&self) -> Vec<ServerMetrics> {
        self.servers.iter().map(|server| server.counters.read(server.address)).collect()
    }

    async fn try_server(
        &self,
        server: &Server,
        name: &Name,
        record_type: WireType,
        deadline: Instant,
    ) -> Result<DnsResponse, Failure> {
        let counters = &server.counters;
        let asked_at = Instant::now();
        counters.questions.add(1);
        let limit = deadline.min(asked_at + self.attempt_timeout);
        let result = timeout_at(limit, self.exchange(server, name, record_type)).await;
        let result = result.unwrap_or(Err(Failure::Timeout));
        if !matches!(result, Err(Failure::Timeout)) {
            counters.micros.add(micros(asked_at.elapsed()));
        }
        match &result {
            Ok(_) => &counters.answers,
            Err(Failure::Timeout) => &counters.timeouts,
            Err(Failure::ServerFailure) => &counters.servfails,
            Err(_) => &counters.other_failures,
        }
        .add(1);
        result
    }

    /// One question over UDP; over TCP if the reply is truncated (RFC 2181 section 9), without EDNS
    /// if the server does not know it (RFC 6891 section 7).
    async fn exchange(
        &self,
        server: &Server,
        name: &Name,
        record_type: WireType,
    ) -> Result<DnsResponse, Failure> {
        let mut request = request(name, record_type, true);
        let mut response = self.over_udp(server.address, request.clone()).await?;
        if matches!(
            response.metadata.response_code,
            ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS
        ) {
            request = self::request(name, record_type, false);
            response = self.over_udp(server.address, request.clone()).await?;
        }
        if response.metadata.truncation {
            server.counters.truncated.add(1);
            response = self.over_tcp(server.address, request).await?;
            if response.metadata.truncation {
                return Err(Failure::Malformed);
            }
        }
        reply::check(&response, name, record_type)?;
        Ok(response)
    }

    /// Each question has a socket of its own with a random port (RFC 5452 section 9.2).
    async fn over_udp(
        &self,
        address: SocketAddr,
        request: DnsRequest,
    ) -> Result<DnsResponse, Failure> {
        UdpClientStream::builder(address, self.provider.clone())
            .with_timeout(Some(self.attempt_timeout))
            .with_max_retries(0)
            .build()
            .send_message(request)
            .first_answer()
            .await
            .map_err(|error| failure(&error))
    }

    async fn over_tcp(
        &self,
        address: SocketAddr,
        request: DnsRequest,
    ) -> Result<DnsResponse, Failure> {
        let limit = self.attempt_timeout;
        let provider = self.provider.clone();
        let connection = TcpClientStream::exchange(address, None, limit, None, provider);
        let connection = connection.await.map_err(|error| failure(&error))?;
        connection.send(request).first_answer().await.map_err(|error| failure(&error))
    }
}

fn request(name: &Name, record_type: WireType, use_edns: bool) -> DnsRequest {
    let mut options = DnsRequestOptions::default();
    options.use_edns = use_edns;
    options.edns_payload_len = EDNS_PAYLOAD_OCTETS;
    options.recursion_desired = true;
    let mut request = DnsRequest::from_query(Query::query(name.clone(), record_type), options);
    // Asks for the AD bit in the reply (RFC 6840 section 5.7).
    request.metadata.authentic_data = true;
    request
}

fn failure(error: &NetError) -> Failure {
    match error {
        NetError::Timeout => Failure::Timeout,
        NetError::Proto(_) | NetError::QueryCaseMismatch => Failure::Malformed,
        NetError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Failure::Timeout,
        _ => Failure::Unreachable,
    }
}
