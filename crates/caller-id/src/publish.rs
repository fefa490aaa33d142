//! The generator of documents.

use ipnet::IpNet;
use quivive_evidence::{Method, Publication, Publish, Senders, Stance, ZoneRecord};

use crate::NAMESPACE;
use crate::published::owner_name;

/// How long a record may get, in octets (draft-atkinson-callerid-00 section 3.1).
pub const RECORD_OCTETS_MAX: usize = 2000;

/// Writes a document at `_ep.DOMAIN`, in as many records as it needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallerIdPublish;

impl Publish for CallerIdPublish {
    fn method(&self) -> Method {
        Method::CallerId
    }

    fn publish(&self, senders: &Senders) -> Publication {
        let name = owner_name(&senders.domain);
        // Who is not sure yet only tries it out: a document has no softer word.
        let testing = senders.everybody_else != Stance::Fail;
        let document = document(senders, testing);
        let mut warnings = Vec::new();
        if testing {
            warnings.push(
                "Caller ID has no softer word than no: the document says `testing`, which receivers \
                 take as if it were not there"
                    .to_owned(),
            );
        }
        let records = match document.len() <= RECORD_OCTETS_MAX {
            true => vec![ZoneRecord::txt(&name, document)],
            false => numbered(&name, &document),
        };
        Publication { records, warnings }
    }
}

fn document(senders: &Senders, testing: bool) -> String {
    let mut own = String::new();
    for network in IpNet::aggregate(&senders.networks) {
        match network.prefix_len() == network.max_prefix_len() {
            true => own.push_str(&format!("<a>{}</a>", network.addr())),
            false => own.push_str(&format!("<r>{network}</r>")),
        }
    }
    senders.hosts.iter().for_each(|host| own.push_str(&format!("<a>{host}</a>")));
    if senders.mail_exchangers {
        own.push_str("<mx/>");
    }
    let others = senders.includes.iter();
    let indirect: String =
        others.map(|domain| format!("<m><indirect>{domain}</indirect></m>")).collect();
    let out = match (&*own, senders.is_nobody()) {
        (_, true) => "<noMailServers/>".to_owned(),
        ("", false) => indirect,
        (own, false) => format!("<m>{own}</m>{indirect}"),
    };
    let testing = if testing { " testing='true'" } else { "" };
    format!("<ep xmlns='{NAMESPACE}'{testing}><out>{out}</out></ep>")
}

/// Parts with two digits before each.
fn numbered(name: &str, document: &str) -> Vec<ZoneRecord> {
    // A document of ours is ASCII.
    let parts = document.as_bytes().chunks(RECORD_OCTETS_MAX - 2);
    parts
        .zip(1..)
        .map(|(part, number)| {
            ZoneRecord::txt(name, format!("{number:02}{}", String::from_utf8_lossy(part)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use quivive_evidence::ZoneData;

    use super::*;
    use crate::{Published, Servers};

    fn read(publication: &Publication) -> crate::Document {
        let texts = publication.records.iter().map(|record| match &record.data {
            ZoneData::Txt(text) => text.as_bytes(),
            other => panic!("{other:?}"),
        });
        match Published::read(&texts.collect::<Vec<_>>()) {
            Published::One(document) => document,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn documents_are_read_again() {
        let nobody = CallerIdPublish.publish(&Senders::nobody("example.com"));
        assert_eq!(read(&nobody).outgoing.unwrap().servers, Servers::Nobody);
        let mut senders = Senders::nobody("example.com");
        senders.networks =
            vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::1/128".parse().unwrap()];
        senders.hosts.push("out.example.com".to_owned());
        senders.includes.push("provider.example".to_owned());
        senders.mail_exchangers = true;
        let publication = CallerIdPublish.publish(&senders);
        assert_eq!(
            publication.records[0].to_string(),
            "_ep.example.com. TXT \"<ep xmlns='http://ms.net/1'><out><m><r>192.0.2.0/24</r>\
             <a>2001:db8::1</a><a>out.example.com</a><mx/></m><m><indirect>provider.example\
             </indirect></m></out></ep>\""
        );
        senders.everybody_else = Stance::Softfail;
        assert!(read(&CallerIdPublish.publish(&senders)).testing);
    }

    #[test]
    fn long_documents_are_in_several_records() {
        let mut senders = Senders::nobody("example.com");
        senders.hosts = (0..200).map(|index| format!("h{index}.example.com")).collect();
        let publication = CallerIdPublish.publish(&senders);
        assert!(publication.records.len() > 1);
        let Servers::Sets(sets) = read(&publication).outgoing.unwrap().servers else { panic!() };
        assert_eq!(sets[0].parts.len(), 200);
    }
}
