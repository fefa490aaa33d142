//! The files that a configuration names: whether `serve` can start with them as they are.

use std::path::Path;
use std::sync::Arc;

use quivive_config::{Config, Door, Listen};
use quivive_server::http::tokens;
use quivive_server::logins::Logins;
use quivive_server::tables::Tables;
use quivive_server::tls;

use crate::error::Error;
use crate::{forwarding, grants, listeners, srs, world};

/// What would keep `serve` from starting, each once, in words that name the file and the cure.
/// Nothing is made, bound or connected to.
pub(super) async fn problems(config: &Config) -> Vec<String> {
    let mut problems = Problems(Vec::new());
    if let Some(path) = &config.resolver.zone {
        problems.note(world::from_zone(path.clone()).map(drop));
    }
    problems.note(srs::forwarder(config).map(drop));
    if config.listen.iter().any(|listen| matches!(listen.door, Door::Gateway | Door::Milter)) {
        problems.note(forwarding::forwarding(config, None).map(drop));
    }
    problems.note(grants::tables(&config.binding, Arc::default()).await.map(drop));
    for listen in &config.listen {
        problems.note(certificates(listen));
        problems.note(door(config, listen));
    }
    problems.0
}

struct Problems(Vec<String>);

impl Problems {
    fn note(&mut self, result: Result<(), Error>) {
        let Err(error) = result else { return };
        let text = error.to_string();
        if !self.0.contains(&text) {
            self.0.push(text);
        }
    }
}

fn certificates(listen: &Listen) -> Result<(), Error> {
    let Some(tls) = &listen.tls else { return Ok(()) };
    let authorities = listen.client_ca_file.as_deref();
    let acceptor = tls::acceptor_of_clients(&tls.certificate, &tls.key, authorities);
    acceptor.map(drop).map_err(|error| Error::Serve(error.to_string()))
}

/// What only one kind of listener reads.
fn door(config: &Config, listen: &Listen) -> Result<(), Error> {
    match listen.door {
        Door::Submission => {
            listeners::logins(config, listen, &Tables::default(), &Logins::tries()).map(drop)
        }
        Door::Console => listeners::password(listen).map(drop),
        Door::Http => {
            let path = listen.token_file.as_deref().unwrap_or(Path::new(""));
            Ok(tokens::read(path).map(drop)?)
        }
        _ => Ok(()),
    }
}
