//! DNS questions answered: by name servers, or by a master file without any network.
//!
//! What is asked is asked as it is: no search list, no hosts file, no name with an answer of its
//! own (localhost, .invalid, the reverse names of loopback addresses). Failure is an answer as
//! well.

mod cache;
mod dossiers;
mod flights;
mod inquest;
mod metrics;
mod name;
mod note;
mod records;
mod reply;
mod resolver;
mod servers;
mod settings;
mod system;
mod zone;

pub use dossiers::{
    DOSSIER_ANSWERS_MAX, DOSSIERS_OCTETS_MAX, Dossiers, QUESTIONS_TIME_MAX, RoundBudget,
};
pub use inquest::{Answering, Answers, Inquest};
pub use metrics::{Metrics, ServerMetrics};
pub use records::{ANSWER_OCTETS_MAX, RECORDS_MAX};
pub use resolver::{Error, Resolver};
pub use servers::EDNS_PAYLOAD_OCTETS;
pub use settings::Settings;
pub use zone::{ALIAS_STEPS_MAX, LookUp, NameError, ZONE_OCTETS_MAX, ZONE_TTL, Zone, ZoneError};
