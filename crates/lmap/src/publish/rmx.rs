use std::net::IpAddr;

use ipnet::IpNet;
use quivive_evidence::{Method, Publication, Publish, Senders, ZoneData, ZoneRecord};

use super::only_fails;
use crate::rmx::{Entry, Rule, Settings, owner_name};

/// Writes a TXT record at `_rmx.DOMAIN`, and the same under the type of its own.
#[derive(Debug, Clone, Copy)]
pub struct RmxPublish {
    settings: Settings,
}

impl RmxPublish {
    /// With the type number of these settings; without one there is TXT alone.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Publish for RmxPublish {
    fn method(&self) -> Method {
        Method::Rmx
    }

    fn publish(&self, senders: &Senders) -> Publication {
        let mut warnings = Vec::new();
        only_fails(senders, "RMX", &mut warnings);
        let networks = IpNet::aggregate(&senders.networks);
        let mut rules: Vec<Rule> = networks.into_iter().map(network).collect();
        rules.extend(senders.hosts.iter().map(|host| Rule::Host(host.as_str().into())));
        if senders.mail_exchangers {
            rules.push(Rule::Mx { numbered: false });
        }
        if !senders.includes.is_empty() {
            warnings.push(format!(
                "RMX cannot refer to the senders of {}; name their networks or hosts",
                senders.includes.join(", ")
            ));
        }
        if senders.is_nobody() {
            rules.push(Rule::Unused);
        }
        let name = owner_name(&senders.domain);
        let entries: Vec<Entry> = rules.into_iter().map(Entry::permits).collect();
        let words: Vec<String> = entries.iter().map(ToString::to_string).collect();
        let mut records = vec![ZoneRecord::txt(&name, words.join(" "))];
        if let Some(number) = self.settings.type_number {
            let has_mx = entries.iter().any(|entry| matches!(entry.rule, Rule::Mx { .. }));
            let mut rdata = Vec::new();
            let written = entries.iter().all(|entry| entry.write_rdata(&mut rdata));
            if written && (!has_mx || self.settings.mx_entry_type) {
                records.push(ZoneRecord { name, data: ZoneData::Other(number, rdata) });
            } else {
                warnings.push(
                    "`mx` has no number in the drafts, so that there is no record of RMX's own \
                     type; name the hosts instead"
                        .to_owned(),
                );
            }
        }
        Publication { records, warnings }
    }
}

fn network(network: IpNet) -> Rule {
    match network.addr() {
        IpAddr::V4(address) => Rule::Ipv4(address, network.prefix_len()),
        IpAddr::V6(address) => Rule::Ipv6(address, network.prefix_len()),
    }
}
