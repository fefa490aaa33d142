//! The settings of Quivive: one table, TOML with exact error positions.
//!
//! A setting is one row of a `settings!` block: name, type, default, whether a reload takes it,
//! whether this version has it, and a line of prose, which is the documentation of its field. The
//! parser, [`sample`], [`show`] and [`reference_markdown`] are made from the rows.
//!
//! ```
//! use std::path::Path;
//! use quivive_config::Config;
//!
//! let errors = Config::parse("[resolver]\nserver = []\n", Path::new("/etc/quivive")).unwrap_err();
//! assert_eq!(errors[0].to_string(), "2:1: unknown key `server`; did you mean `servers`?");
//! ```

mod actions;
mod address;
mod asked;
mod binding;
mod config;
mod document;
mod domain;
mod exception;
mod forwarding;
mod listen;
mod lists;
mod lmap;
mod methods;
mod milter_srs;
mod network;
mod next_hop;
mod outgoing;
mod place;
mod practice;
mod problem;
mod reading;
mod resolver;
mod section;
mod sender_id;
mod service;
mod service_url;
mod settings;
mod socket_mode;
mod spf;
mod srs;
mod store;
#[cfg(test)]
mod tests;
mod tls;
mod url;
mod value;
mod write;

pub use address::Address;
pub use asked::{FIELD_PREFIX_OCTETS_MAX, FieldPrefix, Map, Prepend};
pub use binding::Binding;
pub use config::{Config, FILE_OCTETS_MAX};
pub use document::{reference_markdown, sample, show};
pub use domain::{AuthservId, Domain};
pub use exception::{EXCEPTIONS_MAX, Exception};
pub use forwarding::Forwarding;
pub use listen::{Door, LISTENERS_MAX, Listen};
pub use lists::{Dnsbl, Dnswl, LISTS_MAX};
pub use lmap::{Dmp, Drip, MailFromMx, Rmx};
pub use methods::Methods;
pub use milter_srs::MilterSrs;
pub use next_hop::NextHop;
pub use outgoing::{Outgoing, RelayTls};
pub use place::Place;
pub use practice::{GuessedRecord, Local, Refusal};
pub use problem::{Doubt, ERRORS_MAX, Error, Problem, Warning};
pub use resolver::Resolver;
pub use sender_id::SenderId;
pub use service::Service;
pub use service_url::ServiceUrl;
pub use settings::{Built, Reload, Row, table};
pub use socket_mode::SocketMode;
pub use spf::Spf;
pub use srs::Srs;
pub use store::{Database, Store};
pub use tls::{Tls, TlsMode};
pub use url::Url;
pub use value::LIST_MAX;
