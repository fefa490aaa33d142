//! Checks over a name server: so many at once, each of the next query. From check to check answers
//! are kept by hickory-resolver beneath, or by a cache of parsed records above.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use mail_auth::spf::verify::SpfParameters;
use mail_auth::{MessageAuthenticator, Parameters};
use quivive_bench_measure::{Query, Start, check_in_lanes, serve_wire};

use crate::cache::{Caches, Filling};
use crate::{RECEIVER, Result, authenticator, number};

/// How many answers hickory-resolver keeps, where it keeps them.
const CACHE_SIZE: u64 = 1 << 17;

/// Measures as asked on standard input.
pub(crate) fn serve(queries: &[Query], server: SocketAddr, has_caches: bool) -> Result<()> {
    let queries: Arc<[Query]> = queries.into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let new = || Library::new(server, has_caches);
    let mut library = runtime.block_on(async { new() })?;
    Ok(serve_wire(|request| {
        if request.start == Start::Cold {
            let failed = |error: Box<dyn Error>| std::io::Error::other(error.to_string());
            library = runtime.block_on(async { new() }).map_err(failed)?;
        }
        let kept = (request.start != Start::Fresh).then(|| library.clone());
        let subject = move || kept.clone().or_else(|| Library::new(server, has_caches).ok());
        let check = |library: Option<Library>, queries: Arc<[Query]>, place: usize| async move {
            match library {
                Some(library) => (library.check(&queries[place]).await, 0),
                None => (u8::MAX, 0),
            }
        };
        Ok(runtime.block_on(check_in_lanes(request, &queries, subject, check)))
    })?)
}

#[derive(Clone)]
struct Library {
    authenticator: Arc<MessageAuthenticator>,
    caches: Option<Arc<Caches<Filling>>>,
}

impl Library {
    fn new(server: SocketAddr, has_caches: bool) -> Result<Self> {
        let cache_size = if has_caches { 0 } else { CACHE_SIZE };
        let authenticator = Arc::new(authenticator(server, cache_size)?);
        Ok(Self { authenticator, caches: has_caches.then(Arc::default) })
    }

    async fn check(&self, query: &Query) -> u8 {
        let Ok(address) = query.address.parse() else { return u8::MAX };
        let sender = SpfParameters::mail_from(address, &query.helo, RECEIVER, &query.sender);
        let output = match &self.caches {
            Some(caches) => {
                let parameters = Parameters::new(sender).with_cache(&**caches);
                self.authenticator.check_host(parameters).await
            }
            None => self.authenticator.check_host(Parameters::new(sender)).await,
        };
        number(output.result())
    }
}
