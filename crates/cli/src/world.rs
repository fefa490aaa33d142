use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use quivive_config::Config;
use quivive_resolver::{Resolver, Settings, Zone};
use quivive_server::Ledger;
use quivive_store::Store;

use crate::command_line::Global;
use crate::error::Error;

/// The configuration that the flags name, or the defaults.
pub(crate) fn config(global: &Global) -> Result<Config, Error> {
    match &global.config {
        Some(path) => Config::read(path).map_err(Error::Config),
        None => Ok(Config::default()),
    }
}

/// Who answers DNS questions: what the flags name, or else what the configuration names, or else
/// the system's name servers.
pub(crate) fn resolver(global: &Global, config: &Config) -> Result<Resolver, Error> {
    let of_config = &config.resolver;
    let settings = Settings { trust_ad: of_config.trust_ad.clone(), ..Settings::default() };
    match (&global.zone, global.resolver) {
        (Some(_), Some(_)) => {
            Err(Error::Usage("--zone answers instead of --resolver; leave out one of them"))
        }
        (Some(zone), None) => from_zone(zone.clone()),
        (None, Some(server)) => Ok(Resolver::from_servers(&[server], settings)),
        (None, None) => match &of_config.zone {
            Some(zone) => from_zone(zone.clone()),
            None if of_config.servers.is_empty() => Ok(Resolver::from_system(settings)?),
            None => Ok(Resolver::from_servers(&of_config.servers, settings)),
        },
    }
}

/// Where what is judged is written down.
pub(crate) async fn ledger(config: &quivive_config::Store) -> Result<Ledger, Error> {
    let Some(settings) = store_settings(config) else { return Ok(Ledger::default()) };
    let store = Store::open(settings).await.map_err(|error| Error::Serve(error.to_string()))?;
    Ok(Ledger { store: Some(store), ..Ledger::default() })
}

/// Where cases are kept, if they are.
pub(crate) fn store_settings(config: &quivive_config::Store) -> Option<quivive_store::Settings> {
    Some(settings_of(config.path.0.clone()?, config))
}

/// The settings of a store in this file.
pub(crate) fn settings_of(
    path: PathBuf,
    config: &quivive_config::Store,
) -> quivive_store::Settings {
    let bounded = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    quivive_store::Settings {
        path,
        retain_days: bounded(config.retain_days),
        retain_mib: config.retain_mib as u64,
        hash_addresses_after_days: bounded(config.hash_addresses_after_days),
    }
}

/// Answers from a master file.
pub(crate) fn from_zone(path: PathBuf) -> Result<Resolver, Error> {
    match Zone::read(&path) {
        Ok(zone) => Ok(Resolver::from_zone(zone)),
        Err(error) => Err(Error::Zone { path, error }),
    }
}

/// What the daemon goes by: the configuration that the flags name, or one that keeps everything in
/// the user's data folder (XDG Base Directory). What is doubtful in it is logged.
pub(crate) fn daemon_config(global: &Global) -> Result<Config, Error> {
    let Some(path) = &global.config else {
        let folder = data_folder()?;
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        return Ok(Config::default_for(&folder));
    };
    let (config, warnings) = Config::read_with_warnings(path).map_err(Error::Config)?;
    for warning in warnings {
        tracing::warn!("{}: {}", warning.place, warning.doubt);
    }
    Ok(config)
}

/// As [`daemon_config`], for looking at what a daemon keeps: nothing is made or logged.
pub(crate) fn kept_config(global: &Global) -> Result<Config, Error> {
    match &global.config {
        Some(_) => config(global),
        None => Ok(Config::default_for(&data_folder()?)),
    }
}

fn data_folder() -> Result<PathBuf, Error> {
    let absolute = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|folder| folder.join("quivive"))
        .ok_or(Error::Usage("there is no home folder to keep data in; name a --config"))
}
