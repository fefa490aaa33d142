//! Our own ways over a name server, as measured programs.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quivive_bench_measure::{Query, Start, check_in_lanes, queries_file, read_queries, serve_wire};
use quivive_evidence::{Identity, Notebook};
use quivive_resolver::{Dossiers, Resolver, Settings};
use quivive_server::check::Checker;
use quivive_spf::{Limits, Request, check_host};
use quivive_verdict::Policy;

use crate::corpus::facts;
use crate::spf::subject::{UNKNOWN, number};

/// What the daemon does for a message: session, rounds, verdict, header fields.
pub const DRIVER: &str = "driver";

/// What a program does that uses the library: check_host() over the evidence that is kept.
pub const KEPT: &str = "kept";

/// Measures [`DRIVER`] or [`KEPT`] as asked on standard input, asking the name server at `address`.
///
/// # Errors
/// An unknown name, files that cannot be read, or a request that is not understood.
pub fn serve(name: &str, folder: &Path, address: SocketAddr) -> Result<()> {
    let queries: Arc<[Query]> = read_queries(&queries_file(folder, 0))?.into();
    match name {
        DRIVER => serve_one(&queries, move || checker(address)),
        KEPT => serve_one(&queries, move || Dossiers::new(resolver(address))),
        _ => Err(Error::new(ErrorKind::InvalidInput, format!("no such program: {name}"))),
    }
}

/// Something that checks over a name server; clones share what they know.
trait Subject: Clone + Send + Sync + 'static {
    /// The number of the result, and how often answers were waited for.
    fn check(&self, query: &Query) -> impl Future<Output = (u8, u64)> + Send;
}

fn serve_one<S: Subject>(
    queries: &Arc<[Query]>,
    new: impl Fn() -> S + Clone + Send + 'static,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut kept = new();
    serve_wire(|request| {
        if request.start == Start::Cold {
            kept = new();
        }
        let kept = (request.start != Start::Fresh).then(|| kept.clone());
        let new = new.clone();
        let subject = move || kept.clone().unwrap_or_else(&new);
        let check = |subject: S, queries: Arc<[Query]>, place: usize| async move {
            subject.check(&queries[place]).await
        };
        Ok(runtime.block_on(check_in_lanes(request, queries, subject, check)))
    })
}

/// One identity, as the peers.
fn checker(address: SocketAddr) -> Checker {
    let mut policy = Policy::new("bench.test");
    policy.identities = vec![Identity::Mailfrom];
    Checker::new(Arc::new(policy), resolver(address))
}

fn resolver(address: SocketAddr) -> Resolver {
    Resolver::from_servers(&[address], Settings::default())
}

impl Subject for Checker {
    async fn check(&self, query: &Query) -> (u8, u64) {
        let judgement = Checker::check(self, facts(query)).await;
        let result = judgement.findings.first().map(|finding| number(finding.result));
        (result.unwrap_or(UNKNOWN), judgement.cost.rounds as u64)
    }
}

impl Subject for Dossiers {
    async fn check(&self, query: &Query) -> (u8, u64) {
        let (facts, rounds) = (facts(query), AtomicU64::new(0));
        let request = Request::new(&facts, Identity::Mailfrom);
        let check = |evidence: &Notebook| {
            let outcome = check_host(&request, evidence, Limits::default());
            let outcome = outcome.map(|outcome| number(outcome.result));
            outcome.inspect_err(|_| {
                rounds.fetch_add(1, Ordering::Relaxed);
            })
        };
        let result = self.evaluate(request.domain(), check).await.unwrap_or(UNKNOWN);
        (result, rounds.into_inner())
    }
}
