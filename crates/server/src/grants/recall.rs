//! What identities used before the daemon began, from the cases of their messages.

use quivive_binding::{Client, Rules};
use quivive_evidence::{Facts, Identity, Method};
use quivive_store::{Error, Filter, LIMIT_MAX, Store};

use super::Usage;
use super::usage::KNOWN;

/// How many messages are recalled: the newest.
pub const RECALLED_MAX: usize = 50_000;

/// Recalls the messages that came until `now`, in seconds since 1970, with those of that second.
/// How many there were.
///
/// # Errors
/// The store cannot be read.
pub async fn recall(usage: &Usage, store: &Store, rules: &Rules, now: u64) -> Result<usize, Error> {
    let mut filter = Filter {
        method: Some(Method::Binding),
        identity: Some(Identity::From),
        since: Some(now.saturating_sub(KNOWN)),
        until: Some(now + 1),
        limit: LIMIT_MAX,
        ..Filter::default()
    };
    let mut recalled = 0;
    while recalled < RECALLED_MAX {
        let page = store.list(&filter).await?;
        for line in page.lines {
            let author = line.findings.iter().find(|finding| {
                finding.method == Method::Binding && finding.identity == Identity::From
            });
            let facts = Facts { auth_user: line.login, ..Facts::new(line.client) };
            let client = Client::of(&facts, rules);
            if let (Some(login), Some(author)) = (client.login(), author) {
                usage.recall(login, &author.domain, line.at, now);
                recalled += 1;
            }
        }
        match page.next {
            None => break,
            before => filter.before = before,
        }
    }
    Ok(recalled)
}
