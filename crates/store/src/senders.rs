//! Who sent mail of a domain, as the cases have it.

use quivive_evidence::{Identity, Method};
use quivive_verdict::simulation::{Sender, Traffic};

use crate::error::Error;
use crate::filter::Filter;
use crate::store::Store;

/// How many cases are looked at for a domain's senders: the newest.
pub const SENDERS_CASES_MAX: u64 = 50_000;

/// The clients of a domain's mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedSenders {
    /// Each client once, with the number of its messages; the newest stands for the others.
    pub traffic: Traffic,
    /// How many messages there are of them.
    pub messages: u64,
    /// There are older ones that were not looked at.
    pub more: bool,
}

impl Store {
    /// The clients of the messages whose reverse-path, or HELO for a null one, is of this very
    /// domain; of those that came at `since` or later, in seconds since 1970.
    ///
    /// # Errors
    /// The file cannot be used, or what it has cannot be read.
    pub async fn senders(
        &self,
        domain: &str,
        since: Option<u64>,
    ) -> Result<RecordedSenders, Error> {
        let mut filter = Filter {
            domain: Some(domain.to_owned()),
            method: Some(Method::Spf),
            identity: Some(Identity::Mailfrom),
            since,
            limit: crate::filter::LIMIT_MAX,
            ..Filter::default()
        };
        let mut senders = Vec::new();
        let mut messages = 0;
        let more = loop {
            let page = self.list(&filter).await?;
            for line in page.lines {
                let is_of_spf = |finding: &&crate::FindingLine| {
                    finding.method == Method::Spf && finding.identity == Identity::Mailfrom
                };
                let finding = line.findings.iter().find(is_of_spf);
                if finding.is_some_and(|finding| finding.domain == domain) {
                    let (helo, reverse_path) = (line.helo, line.reverse_path);
                    senders.push(Sender { helo, reverse_path, ..Sender::new(line.client, 1) });
                    messages += 1;
                }
            }
            match page.next {
                None => break false,
                Some(_) if messages >= SENDERS_CASES_MAX => break true,
                before => filter.before = before,
            }
        };
        // Fewer cases than a traffic may have senders.
        let traffic = Traffic::of(senders).unwrap_or_default();
        Ok(RecordedSenders { traffic, messages, more })
    }
}
