use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use quivive_evidence::{Method, Publication, Publish, Senders, ZoneData, ZoneRecord};

use super::{only_fails, single_addresses};
use crate::drip::{LABELS, client_name};

/// Writes address records below a HELO name: one for each address, and what refuses all others.
#[derive(Debug, Clone, Copy, Default)]
pub struct DripPublish;

impl Publish for DripPublish {
    fn method(&self) -> Method {
        Method::Drip
    }

    fn needs_networks(&self) -> bool {
        true
    }

    fn publish(&self, senders: &Senders) -> Publication {
        let helo = &senders.domain;
        let mut warnings = vec![format!(
            "DRIP is about HELO names: these records are those of hosts that call themselves {helo}"
        )];
        only_fails(senders, "DRIP", &mut warnings);
        let record = |name: String, address: IpAddr| ZoneRecord {
            name,
            data: match address {
                IpAddr::V4(address) => ZoneData::A(address),
                IpAddr::V6(address) => ZoneData::Aaaa(address),
            },
        };
        let mut records = vec![
            record(format!("*.ipv4.{LABELS}.{helo}"), Ipv4Addr::UNSPECIFIED.into()),
            record(format!("*.ipv6.{LABELS}.{helo}"), Ipv6Addr::UNSPECIFIED.into()),
        ];
        let (addresses, wide) = single_addresses(&senders.networks);
        records.extend(
            addresses.into_iter().map(|address| record(client_name(address, helo), address)),
        );
        if !wide.is_empty() {
            let wide: Vec<String> = wide.iter().map(ToString::to_string).collect();
            warnings.push(format!(
                "DRIP lists single addresses alone, and so not {}; name the hosts",
                wide.join(", ")
            ));
        }
        Publication { records, warnings }
    }
}
