use quivive_lists::List;
use quivive_lmap::{dmp, drip, mail_from_mx, rmx};

/// What the documents of methods leave to the receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodSettings {
    /// Of MAIL-FROM MX.
    pub mail_from_mx: mail_from_mx::Settings,
    /// Of RMX.
    pub rmx: rmx::Settings,
    /// Whether a client that no entry of an RMX record matches is dealt with as the actions say;
    /// otherwise that only marks, and a client has to be denied by an entry.
    pub rmx_not_listed_acts: bool,
    /// Of DMP.
    pub dmp: dmp::Settings,
    /// Of DRIP.
    pub drip: drip::Settings,
    /// Whether SUBMITTER is offered where Sender ID runs.
    pub sender_id_submitter: bool,
    /// The block lists that are asked.
    pub dnsbl: Vec<List>,
    /// The white lists that are asked.
    pub dnswl: Vec<List>,
}

impl Default for MethodSettings {
    fn default() -> Self {
        Self {
            mail_from_mx: mail_from_mx::Settings::default(),
            rmx: rmx::Settings::default(),
            rmx_not_listed_acts: true,
            dmp: dmp::Settings::default(),
            drip: drip::Settings::default(),
            sender_id_submitter: true,
            dnsbl: Vec::new(),
            dnswl: Vec::new(),
        }
    }
}
