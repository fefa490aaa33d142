//! What a client hears of Sender ID (RFC 4406 section 5) and SUBMITTER (RFC 4405 section 4.2).

use quivive_evidence::{Facts, Finding, FindingResult, Identity};
use quivive_mail::EnhancedStatus;
use quivive_sender_id::SUBMITTER_PROPERTY;

use super::{clean, explained};
use crate::VerdictReply;

/// The reply to a refusal of this class, 5 for good or 4 for now.
pub(super) fn reply(finding: &Finding, facts: &Facts, class: u8) -> VerdictReply {
    let (code, detail, text) = match (finding.result, &*finding.cause) {
        (FindingResult::Temperror, _) if class == 4 => {
            let text = "Sender ID check is temporarily unavailable".to_owned();
            let enhanced = EnhancedStatus(4, 4, 3);
            return VerdictReply { code: 450, enhanced, text };
        }
        (_, "submitter-mismatch") => (50, 1, "Submitter does not match header.".to_owned()),
        (_, "no-pra-for-submitter") => (54, 7, "Cannot verify submitter address.".to_owned()),
        (_, "no-pra" | "header-too-large") => {
            (50, 1, format!("Missing Purported Responsible Address ({})", finding.cause))
        }
        (FindingResult::Fail, _) if is_of_submitter(finding) => {
            (50, 1, format!("Submitter not allowed. {}", refusal(finding, facts)))
        }
        _ => (50, 1, refusal(finding, facts)),
    };
    let code = if class == 5 { 500 + code } else { 451 };
    VerdictReply { code, enhanced: EnhancedStatus(class, 7, detail), text }
}

fn is_of_submitter(finding: &Finding) -> bool {
    finding.properties.iter().any(|property| property.name == SUBMITTER_PROPERTY)
}

/// `Sender ID (PRA) REASON - EXPLANATION`
fn refusal(finding: &Finding, facts: &Facts) -> String {
    let scope = match finding.identity {
        Identity::Mailfrom => "MAIL FROM",
        _ => "PRA",
    };
    let reason = match (finding.result, &*finding.cause) {
        (FindingResult::Fail, "no-such-domain") => "Domain Does Not Exist".to_owned(),
        (FindingResult::Fail, _) => "Not Permitted".to_owned(),
        (result, cause) => format!("{result} ({cause})"),
    };
    let domain = clean(&finding.domain, super::NAME_OCTETS_MAX);
    let address = facts.client_address;
    let explanation =
        format!("{address} does not send for {domain}{}", explained(finding, &domain));
    format!("Sender ID ({scope}) {reason} - {explanation}")
}
