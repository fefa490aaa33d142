//! A From field that its client may not write, written anew (RFC 6409 section 8).

use quivive_evidence::{Facts, Finding, FindingResult, Identity, Method, Octets};
use quivive_mail::{AddressList, Charset, NamedMailbox, encoded_word};

use crate::{HeaderEdit, Mode, Policy, Repair};

/// What a From field can be mended of: it was read, and its addresses are not the client's.
const MENDABLE: &[&str] = &[
    "from-missing",
    "not-granted",
    "owned-by-another",
    "scope-not-granted",
    "grant-expired",
    "detail-not-granted",
];

/// The fields that take the place of others; none where nothing is mended.
pub(crate) fn edits(policy: &Policy, findings: &[&Finding], facts: &Facts) -> Vec<HeaderEdit> {
    if !mends(policy, findings, facts) {
        return Vec::new();
    }
    let own = &facts.reverse_path;
    vec![match policy.repair {
        Repair::AddSender => HeaderEdit { name: "Sender".to_owned(), value: format!(" <{own}>") },
        _ => HeaderEdit { name: "From".to_owned(), value: rewritten(facts, own) },
    }]
}

/// Whether the From field is mended, so that its finding refuses nothing.
pub(crate) fn mends(policy: &Policy, findings: &[&Finding], facts: &Facts) -> bool {
    let of = |identity, result| {
        let mut of_binding = findings.iter().filter(|finding| finding.method == Method::Binding);
        of_binding.find(move |finding| finding.identity == identity && finding.result == result)
    };
    let from = of(Identity::From, FindingResult::Fail);
    let can = from.is_some_and(|finding| match policy.repair {
        Repair::Nothing => false,
        Repair::RewriteFrom => MENDABLE.contains(&&*finding.cause),
        // Without an author nobody writes for anybody.
        Repair::AddSender => MENDABLE[1..].contains(&&*finding.cause),
    });
    // What is written must be the client's own, and readable for everybody.
    let own = of(Identity::Mailfrom, FindingResult::Pass)
        .is_some_and(|finding| matches!(&*finding.cause, "granted" | "own-address"));
    can && own
        && policy.mode(Method::Binding) == Mode::Enforce
        && !facts.reverse_path.is_empty()
        && facts.reverse_path.is_ascii()
}

/// The value of a From field with this address in it. A sole author keeps the name, unless it is
/// an address itself.
fn rewritten(facts: &Facts, own: &str) -> String {
    let field = facts.header.as_ref().and_then(|header| header.all("From").next());
    let kept = field.and_then(|field| {
        let Octets(value) = &field.value;
        let list = AddressList::parse(value, Charset::Utf8).ok()?;
        let NamedMailbox { display_name, span, .. } = list.sole_mailbox()?;
        let shows_none = |name: &&str| {
            encoded_word::is_readable(name) && !encoded_word::decoded(name).contains('@')
        };
        let name = display_name.as_deref().filter(shows_none)?;
        let value = std::str::from_utf8(value).ok()?;
        let (before, after) = (value.get(..span.0)?, value.get(span.1..)?);
        (!name.is_empty() && list.comments.is_empty()).then(|| [before, own, after].concat())
    });
    kept.unwrap_or_else(|| format!(" <{own}>"))
}
