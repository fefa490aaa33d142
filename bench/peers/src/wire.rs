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
    let new = |cache_size| {
        let authenticator = runtime.block_on(async { authenticator(server, cache_size) })?;
        Ok::<_, Box<dyn Error>>(Library::of(Arc::new(authenticator), has_caches))
    };
    let cache_size = if has_caches { 0 } else { CACHE_SIZE };
    let mut library = new(cache_size)?;
    // It takes milliseconds to make one: for checks that are to know nothing one keeps nothing.
    let forgetful = new(0)?.authenticator;
    Ok(serve_wire(|request| {
        if request.start == Start::Cold {
            let failed = |error: Box<dyn Error>| std::io::Error::other(error.to_string());
            library = new(cache_size).map_err(failed)?;
        }
        let kept = (request.start != Start::Fresh).then(|| library.clone());
        let forgetful = forgetful.clone();
        let subject =
            move || kept.clone().unwrap_or_else(|| Library::of(forgetful.clone(), has_caches));
        let check = |library: Library, queries: Arc<[Query]>, place: usize| async move {
            (library.check(&queries[place]).await, 0)
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
    fn of(authenticator: Arc<MessageAuthenticator>, has_caches: bool) -> Self {
        Self { authenticator, caches: has_caches.then(Arc::default) }
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
