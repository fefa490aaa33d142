//! Where the configuration says that grants are.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quivive_binding::{GRANTS, GrantTable, TABLE_OCTETS_MAX, USAGE};
use quivive_config::Binding;
use quivive_server::grants::{DatabaseGrants, ServiceGrants, ServiceSettings, TableGrants, Usage};
use quivive_server::tables::{Table, Tables};

use crate::error::Error;
use crate::input::read_bounded;

/// How long a token of a service may be, in octets.
const TOKEN_OCTETS_MAX: u64 = 8192;

/// The permission of everybody to write.
const EVERYBODY_WRITES: u32 = 0o002;

/// The tables that binding asks: grants from the source that is named, an empty one where none is,
/// and the counter.
pub(crate) async fn tables(config: &Binding, usage: Arc<Usage>) -> Result<Tables, Error> {
    let rules = Arc::new(config.rules());
    usage.alarm_beyond(rules.new_domains_max);
    let grants: Arc<dyn Table> = match (&config.grants, &config.sqlite, &config.url) {
        (Some(path), _, _) => {
            let text = read(path, TABLE_OCTETS_MAX as u64)?;
            ours(path)?;
            let table = GrantTable::parse(&text, &rules).map_err(unusable(path))?;
            Arc::new(TableGrants::new(table, rules))
        }
        (None, Some(path), _) => {
            let opened = DatabaseGrants::open(path, &config.query, rules).await;
            Arc::new(opened.map_err(|error| Error::Serve(error.to_string()))?)
        }
        (None, None, Some(url)) => {
            let token = config.token_file.as_deref().map(|path| read(path, TOKEN_OCTETS_MAX));
            let settings = ServiceSettings {
                url: url.as_str().to_owned(),
                token: token.transpose()?.map(|token| token.trim().to_owned()),
                ca_file: config.ca_file.clone(),
                keep: Duration::from_secs(config.cache_seconds as u64),
            };
            let service = ServiceGrants::new(&settings, rules);
            Arc::new(service.map_err(|error| Error::Serve(error.to_string()))?)
        }
        (None, None, None) => Arc::new(TableGrants::new(GrantTable::default(), rules)),
    };
    Ok(Tables::default().with(GRANTS, grants).with(USAGE, usage))
}

fn read(path: &Path, octets_max: u64) -> Result<String, Error> {
    let octets = read_bounded(path, octets_max)?;
    String::from_utf8(octets).map_err(|_| unusable(path)("it is not UTF-8"))
}

/// Whoever may write into the file may send as anybody.
fn ours(path: &Path) -> Result<(), Error> {
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & EVERYBODY_WRITES == 0 {
        return Ok(());
    }
    let path_text = path.display();
    let mode = mode & 0o777;
    Err(unusable(path)(format!(
        "everybody may write into them (mode {mode:03o}); say: chmod o-w {path_text}"
    )))
}

fn unusable<E: fmt::Display>(path: &Path) -> impl FnOnce(E) -> Error {
    let path = path.display().to_string();
    move |error| Error::Serve(format!("the grants in {path} cannot be used: {error}"))
}
