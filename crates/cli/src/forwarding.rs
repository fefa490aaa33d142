//! How mail is forwarded, as a configuration describes it: aliases, the rewriter, the way out.

use std::path::Path;
use std::sync::Arc;

use quivive_config::{Config, NextHop, Outgoing, RelayTls};
use quivive_mail::Aliases;
use quivive_mail::aliases::TABLE_OCTETS_MAX;
use quivive_server::gateway::Forwarding;
use quivive_server::next_hop::{ClientTls, Dialect, Login, Place, Security, ServerName, Target};
use quivive_server::srs::Rewriter;
use quivive_server::tls;

use crate::error::Error;
use crate::secret_file;

/// What the configuration has of it. Files are read now.
pub(crate) fn forwarding(
    config: &Config,
    rewriter: Option<&Rewriter>,
) -> Result<Forwarding, Error> {
    let aliases = aliases(config)?;
    let relay = relay(&config.outgoing)?;
    if !aliases.is_empty() && relay.is_some() && rewriter.is_none() {
        tracing::warn!(
            "mail is forwarded under its senders' own addresses, and will fail their SPF; let \
             [srs] rewrite them"
        );
    }
    Ok(Forwarding { aliases, rewriter: rewriter.cloned(), relay })
}

/// The alias table; without one no address stands for another.
pub(crate) fn aliases(config: &Config) -> Result<Arc<Aliases>, Error> {
    let aliases = config.forwarding.alias_file.as_deref().map(read_aliases).transpose()?;
    Ok(Arc::new(aliases.unwrap_or_default()))
}

fn read_aliases(path: &Path) -> Result<Aliases, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let octets = std::fs::metadata(path).map_err(unreadable)?.len();
    if octets > TABLE_OCTETS_MAX as u64 {
        return Err(Error::TooLarge { path: path.to_owned(), octets_max: TABLE_OCTETS_MAX as u64 });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Aliases::parse(&text).map_err(|error| Error::Serve(format!("{}, {error}", path.display())))
}

fn relay(outgoing: &Outgoing) -> Result<Option<(Target, Security)>, Error> {
    let Some(NextHop::Smtp { host, port }) = &outgoing.relay else { return Ok(None) };
    let target = Target { dialect: Dialect::Smtp, place: Place::Tcp(host.clone(), *port) };
    let login = match (&outgoing.user, &outgoing.password_file) {
        (Some(user), Some(path)) => {
            Some(Login { user: user.clone(), password: secret_file::read_password(path)? })
        }
        _ => None,
    };
    let tls = match outgoing.tls {
        RelayTls::Off => None,
        RelayTls::StartTls => Some(client_tls(host, outgoing, false)?),
        RelayTls::Implicit => Some(client_tls(host, outgoing, true)?),
    };
    Ok(Some((target, Security { tls, login })))
}

fn client_tls(host: &str, outgoing: &Outgoing, implicit: bool) -> Result<ClientTls, Error> {
    let unusable = |error: &dyn std::fmt::Display| Error::Serve(error.to_string());
    let connector =
        tls::connector(outgoing.ca_file.as_deref()).map_err(|error| unusable(&error))?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| unusable(&error))?;
    Ok(ClientTls { connector, name, implicit })
}
