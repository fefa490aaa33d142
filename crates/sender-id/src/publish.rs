//! The generator of Sender ID records: SPF's, for the scopes of Sender ID.

use quivive_evidence::{Method, Publication, Publish, Senders, ZoneData, ZoneRecord};
use quivive_spf::SpfPublish;

/// What SPF's records begin with, and what Sender ID's do (RFC 4406 section 3.1).
const VERSIONS: (&str, &str) = ("v=spf1", "spf2.0/mfrom,pra");

/// Writes `spf2.0/mfrom,pra` records: what SPF says, for both addresses of Sender ID.
#[derive(Debug, Clone, Copy, Default)]
pub struct SenderIdPublish;

impl Publish for SenderIdPublish {
    fn method(&self) -> Method {
        Method::SenderId
    }

    fn publish(&self, senders: &Senders) -> Publication {
        let Publication { records, mut warnings } = SpfPublish.publish(senders);
        warnings.push(
            "mailing lists and forwarders that add no Sender or Resent-From fail for the \
             responsible address; `spf2.0/pra ?all` beside SPF's record says nothing of it"
                .to_owned(),
        );
        Publication { records: records.into_iter().map(in_scopes).collect(), warnings }
    }
}

fn in_scopes(record: ZoneRecord) -> ZoneRecord {
    let ZoneRecord { name, data } = record;
    let data = match data {
        ZoneData::Txt(text) => ZoneData::Txt(text.replacen(VERSIONS.0, VERSIONS.1, 1)),
        other => other,
    };
    ZoneRecord { name, data }
}
