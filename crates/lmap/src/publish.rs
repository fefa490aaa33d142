//! Generators: the records by which each scheme says who sends for a domain.

mod dmp;
mod drip;
mod mail_from_mx;
mod rmx;

use ipnet::IpNet;
use quivive_evidence::{Senders, Stance};

pub use dmp::DmpPublish;
pub use drip::DripPublish;
pub use mail_from_mx::MailFromMxPublish;
pub use rmx::RmxPublish;

/// That the scheme has no softer word than no, where one was wanted.
fn only_fails(senders: &Senders, scheme: &str, warnings: &mut Vec<String>) {
    if senders.everybody_else != Stance::Fail {
        warnings.push(format!(
            "{scheme} has no softer word than no: whoever is not listed fails; publish it once the \
             list is whole"
        ));
    }
}

/// The single addresses among networks, without those that another network holds.
fn single_addresses(networks: &[IpNet]) -> (Vec<std::net::IpAddr>, Vec<IpNet>) {
    let networks = IpNet::aggregate(&networks.to_vec());
    let (single, wide): (Vec<IpNet>, Vec<IpNet>) =
        networks.into_iter().partition(|network| network.prefix_len() == network.max_prefix_len());
    (single.iter().map(IpNet::addr).collect(), wide)
}
