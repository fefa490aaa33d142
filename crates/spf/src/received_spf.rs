use quivive_evidence::{Facts, Finding, FindingResult, Identity};
use quivive_mail::{Charset, FieldBody};

use crate::BEST_GUESS;

/// The value of a Received-SPF field (RFC 7208 section 9.1) for an SPF finding, folded.
///
/// Nothing a peer chose can end it or begin another: see [`FieldBody`].
pub fn received_spf(finding: &Finding, facts: &Facts) -> String {
    let mut body = FieldBody::new("Received-SPF", Charset::Ascii);
    body.word(finding.result.word());
    let address = facts.client_address.to_string();
    body.comment(&comment(finding, facts, &address));
    let mut pairs = vec![("receiver", &*facts.receiver), ("client-ip", &*address)];
    if finding.identity == Identity::Mailfrom {
        pairs.push(("envelope-from", &facts.reverse_path));
    }
    pairs.push(("helo", &facts.helo));
    pairs.push(("identity", finding.identity.word()));
    pairs.push(match finding.result {
        FindingResult::Temperror | FindingResult::Permerror => ("problem", &*finding.cause),
        _ => ("mechanism", finding.decided_by.as_deref().unwrap_or("default")),
    });
    for (key, value) in pairs {
        body.pair(key, value);
        body.syntax(";");
    }
    body.finish()
}

/// What the result means, in the manner of the RFC's examples.
fn comment(finding: &Finding, facts: &Facts, address: &str) -> String {
    let subject = match finding.identity {
        Identity::Helo => ["HELO name ", &facts.helo],
        _ if facts.reverse_path.is_empty() => ["domain of postmaster@", &facts.helo],
        _ => ["domain of ", &facts.reverse_path],
    };
    let statement = match finding.result {
        FindingResult::Pass => ["designates ", address, " as permitted sender"],
        FindingResult::Fail => ["does not designate ", address, " as permitted sender"],
        FindingResult::Softfail => {
            ["probably does not designate ", address, " as permitted sender"]
        }
        FindingResult::Neutral if finding.cause == BEST_GUESS => {
            ["publishes nothing, and ", address, " is its by best guess"]
        }
        FindingResult::Neutral => ["says nothing definite about ", address, ""],
        FindingResult::Temperror => ["gives no answer at this time", "", ""],
        FindingResult::Permerror => ["publishes a record that cannot be used", "", ""],
        FindingResult::None | FindingResult::Policy => {
            ["does not designate permitted sender hosts", "", ""]
        }
    };
    [&[&*facts.receiver, ": "], &subject[..], &[" "], &statement[..]].concat().concat()
}

#[cfg(test)]
mod tests {
    use quivive_evidence::Method;

    use super::*;

    fn facts() -> Facts {
        let mut facts = Facts::new([192, 0, 2, 1].into());
        facts.helo = "foo.example.com".to_owned();
        facts.reverse_path = "myname@example.com".to_owned();
        facts.receiver = "mybox.example.org".to_owned();
        facts
    }

    fn finding(result: FindingResult, decided_by: Option<&str>) -> Finding {
        Finding {
            method: Method::Spf,
            identity: Identity::Mailfrom,
            domain: "example.com".to_owned(),
            result,
            cause: "match".into(),
            decided_by: decided_by.map(str::to_owned),
            explanation: None,
            properties: Vec::new(),
            trace: Vec::new(),
            needed: Vec::new(),
        }
    }

    fn unfolded(finding: &Finding, facts: &Facts) -> String {
        quivive_mail::header::unfold(&received_spf(finding, facts))
    }

    #[test]
    fn a_pass_in_the_manner_of_the_rfc() {
        assert_eq!(
            unfolded(&finding(FindingResult::Pass, Some("mx")), &facts()),
            "pass (mybox.example.org: domain of myname@example.com designates 192.0.2.1 as \
             permitted sender) receiver=mybox.example.org; client-ip=192.0.2.1; \
             envelope-from=\"myname@example.com\"; helo=foo.example.com; identity=mailfrom; \
             mechanism=mx;"
        );
    }

    #[test]
    fn nothing_breaks_out() {
        let mut facts = facts();
        facts.helo = "x\r\nX-Forged: 1) ; mechanism=a \"\\".to_owned();
        facts.reverse_path = "\"a)\r\n(b\"@example.com".to_owned();
        let value = received_spf(&finding(FindingResult::Neutral, None), &facts);
        assert_eq!(
            quivive_mail::header::unfold(&value),
            "neutral (mybox.example.org: domain of 'a]??[b'@example.com says nothing definite \
             about 192.0.2.1) receiver=mybox.example.org; client-ip=192.0.2.1; \
             envelope-from=\"\\\"a)??(b\\\"@example.com\"; \
             helo=\"x??X-Forged: 1) ; mechanism=a \\\"\\\\\"; identity=mailfrom; \
             mechanism=default;"
        );
    }
}
