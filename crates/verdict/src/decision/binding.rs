//! How a client hears that it may not use an address.

use quivive_evidence::{Finding, FindingResult, Identity};
use quivive_mail::EnhancedStatus;

use super::{NAME_OCTETS_MAX, clean};
use crate::VerdictReply;

/// The reply of this class, 4 or 5. It does not tell whether an address is somebody else's or
/// nobody's: whoever asks for names learns nothing.
pub(super) fn reply(finding: &Finding, class: u8) -> VerdictReply {
    let (code, enhanced, text) = match finding.result {
        FindingResult::Temperror => (
            550,
            (3, 0),
            format!("{} cannot be found out now; please try again later", whether(finding)),
        ),
        FindingResult::Permerror if finding.identity == Identity::Mailfrom => {
            (550, (1, 7), "The reverse-path is not an address".to_owned())
        }
        FindingResult::Permerror => (554, (6, 0), unreadable(finding)),
        FindingResult::Policy => (550, (7, 1), too_much(finding)),
        _ => (550, (7, 1), refused(finding)),
    };
    // RFC 6409 sections 5 and 6; for now it is RFC 5321 section 4.2.3.
    let code = if class == 5 { code } else { 451 };
    let text = clean(&text, 2 * NAME_OCTETS_MAX);
    VerdictReply { code, enhanced: EnhancedStatus(class, enhanced.0, enhanced.1), text }
}

fn whether(finding: &Finding) -> String {
    format!("Whether you may use {}", address(finding))
}

fn refused(finding: &Finding) -> String {
    let field = field(finding.identity);
    let address = address(finding);
    match &*finding.cause {
        "not-logged-in" => format!("Log in to send as {address}"),
        "null-sender" => "You may not send without a return address".to_owned(),
        "routed-address" => format!("{address} may be read as a route, and is not taken"),
        "from-missing" => "The message has no From field".to_owned(),
        "from-twice" | "sender-twice" | "reply-to-twice" => {
            format!("There may be only one {field} field")
        }
        "name-of-another" => {
            format!("A name or comment in From shows {address}, which is not yours")
        }
        "name-not-readable" => {
            "A name or comment in From is in a charset that cannot be read; write it in UTF-8"
                .to_owned()
        }
        "header-broken" => {
            "A line of the header is no field: mail servers end the header there, and others read on"
                .to_owned()
        }
        "reply-to-not-granted" => format!("You may not use {address} in the Reply-To field"),
        _ if finding.properties.is_empty() => {
            format!("The {field} field is not written as one that everybody reads alike")
        }
        _ if finding.identity == Identity::Mailfrom => format!("You may not send as {address}"),
        _ => format!("You may not use {address} in the {field} field"),
    }
}

fn unreadable(finding: &Finding) -> String {
    let why = finding.decided_by.as_deref().unwrap_or(&finding.cause);
    format!("The {} field cannot be read: {why}", field(finding.identity))
}

fn too_much(finding: &Finding) -> String {
    match &*finding.cause {
        "new-from-domains" => "Too many new domains in your From fields".to_owned(),
        _ => "Too many messages from your login".to_owned(),
    }
}

fn field(identity: Identity) -> &'static str {
    match identity {
        Identity::Sender => "Sender",
        Identity::Resent => "Resent-From",
        _ => "From",
    }
}

/// What was judged, as the client wrote it.
fn address(finding: &Finding) -> String {
    match finding.properties.first() {
        Some(property) => format!("<{}>", clean(&property.value, NAME_OCTETS_MAX)),
        None => "this address".to_owned(),
    }
}
