use std::net::IpAddr;

use quivive_evidence::{Method, Publication, Publish, Senders, ZoneData, ZoneRecord};

use super::{only_fails, single_addresses};
use crate::mail_from_mx::{HOSTS_MAX, LABEL, owner_name};

/// Writes MX records at `MAIL-FROM.DOMAIN`. Addresses without a name get one below it.
#[derive(Debug, Clone, Copy, Default)]
pub struct MailFromMxPublish;

impl Publish for MailFromMxPublish {
    fn method(&self) -> Method {
        Method::MailFromMx
    }

    fn publish(&self, senders: &Senders) -> Publication {
        let owner = owner_name(&senders.domain);
        let mx = |exchange: &str| ZoneRecord {
            name: owner.clone(),
            data: ZoneData::Mx(0, exchange.to_owned()),
        };
        let mut warnings = Vec::new();
        only_fails(senders, "MAIL-FROM MX", &mut warnings);
        let (addresses, wide) = single_addresses(&senders.networks);
        let mut records: Vec<ZoneRecord> = senders.hosts.iter().map(|host| mx(host)).collect();
        let mut of_addresses = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            let name = format!("out{}.{LABEL}.{}", index + 1, senders.domain);
            records.push(mx(&name));
            let data = match address {
                IpAddr::V4(address) => ZoneData::A(*address),
                IpAddr::V6(address) => ZoneData::Aaaa(*address),
            };
            of_addresses.push(ZoneRecord { name, data });
        }
        let cannot: Vec<String> = wide.iter().map(ToString::to_string).collect();
        let others = senders.includes.iter().cloned();
        let own = senders.mail_exchangers.then(|| "the domain's mail exchangers".to_owned());
        let cannot: Vec<String> = cannot.into_iter().chain(others).chain(own).collect();
        if !cannot.is_empty() {
            warnings.push(format!(
                "MAIL-FROM MX lists hosts alone, and so not {}; name their hosts",
                cannot.join(", ")
            ));
        }
        if records.len() > HOSTS_MAX {
            warnings.push(format!("more than {HOSTS_MAX} hosts are an error; name fewer"));
        }
        // An empty list would say nothing, and a null MX that nobody sends.
        if senders.is_nobody() {
            records.push(mx(""));
        }
        records.extend(of_addresses);
        Publication { records, warnings }
    }
}
