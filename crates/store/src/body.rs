//! What a case has to itself, as JSON and back.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use quivive_evidence::{Facts, Header};
use quivive_verdict::{
    Action, Case, Cost, Headers, Judgement, RecipientVerdict, Rewrite, Verdict, VerdictReply,
};
use serde::{Deserialize, Serialize};

/// What almost all parts and bodies fit into as JSON.
const JSON_OCTETS: usize = 64 * 1024;

/// What a case has to itself: all but its findings and its evidence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) door: &'a str,
    pub(crate) verdict: &'a Verdict,
    pub(crate) headers: &'a Headers,
    pub(crate) cost: Cost,
    pub(crate) outcome: &'a str,
    pub(crate) cut: &'a [String],
    /// The verdict for each recipient of the facts is that for the message.
    pub(crate) alike: bool,
}

#[derive(Serialize)]
struct BodyRef<'a> {
    facts: FactsRef<'a>,
    door: &'a str,
    verdict: VerdictRef<'a>,
    headers: &'a Headers,
    cost: Cost,
    outcome: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    cut: &'a [String],
    /// Then they are left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    alike: bool,
}

/// [`Facts`] without what other columns have, and without what is not there: a page of the file has
/// room for three cases then, not for two.
#[derive(Serialize)]
struct FactsRef<'a> {
    client_address: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<IpAddr>,
    helo: &'a str,
    reverse_path: &'a str,
    recipients: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submitter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'a Header>,
    receiver: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    public_id: &'a str,
    now: u64,
}

/// A [`Verdict`].
#[derive(Serialize)]
struct VerdictRef<'a> {
    action: Action,
    reply: &'a VerdictReply,
    reasons: &'a [String],
    #[serde(skip_serializing_if = "<[RecipientVerdict]>::is_empty")]
    recipients: &'a [RecipientVerdict],
    #[serde(skip_serializing_if = "<[Rewrite]>::is_empty")]
    rewrites: &'a [Rewrite],
}

/// What was read.
#[derive(Deserialize)]
pub(crate) struct Body {
    pub(crate) facts: Facts,
    pub(crate) door: String,
    pub(crate) verdict: Verdict,
    pub(crate) headers: Headers,
    pub(crate) cost: Cost,
    pub(crate) outcome: String,
    #[serde(default)]
    pub(crate) cut: Vec<String>,
    #[serde(default)]
    pub(crate) alike: bool,
}

impl<'a> Own<'a> {
    pub(crate) fn of_judgement(judgement: &'a Judgement, door: &'a str, outcome: &'a str) -> Self {
        let Judgement { facts, findings: _, verdict, headers, notebook: _, cost } = judgement;
        let alike = verdict.recipients.is_empty() || verdict.is_for_each(&facts.recipients);
        Self { facts, door, verdict, headers, cost: *cost, outcome, cut: &[], alike }
    }

    pub(crate) fn of_case(case: &'a Case) -> Self {
        let Case { facts, door, findings: _, verdict, headers, evidence: _, cost, outcome, cut } =
            case;
        let alike = verdict.is_for_each(&facts.recipients);
        Self { facts, door, verdict, headers, cost: *cost, outcome, cut, alike }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Arc<str> {
        let Verdict { action, reply, reasons, recipients, rewrites } = self.verdict;
        let recipients: &[RecipientVerdict] = if self.alike { &[] } else { recipients };
        json(&BodyRef {
            facts: FactsRef::of(self.facts),
            door: self.door,
            verdict: VerdictRef { action: *action, reply, reasons, recipients, rewrites },
            headers: self.headers,
            cost: self.cost,
            outcome: self.outcome,
            cut: self.cut,
            alike: self.alike,
        })
    }
}

impl Body {
    /// Reads what [`Own::json`] has written, or an earlier version.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub(crate) fn read(json: &str) -> Result<Self, String> {
        let mut body: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if body.alike {
            body.verdict.recipients = body.verdict.for_each(&body.facts.recipients);
        }
        Ok(body)
    }
}

impl<'a> FactsRef<'a> {
    fn of(facts: &'a Facts) -> Self {
        // Every field by its name: a new one is not forgotten. The case's id and the nonce are
        // columns.
        let Facts {
            client_address,
            upstream,
            helo,
            reverse_path,
            recipients,
            auth_user,
            certificate,
            submitter,
            header,
            receiver,
            case_id: _,
            public_id,
            now,
            nonce: _,
        } = facts;
        Self {
            client_address: *client_address,
            upstream: *upstream,
            helo,
            reverse_path,
            recipients,
            auth_user: auth_user.as_deref(),
            certificate: certificate.as_deref(),
            submitter: submitter.as_deref(),
            header: header.as_ref(),
            receiver,
            public_id,
            now: *now,
        }
    }
}

/// As JSON, in no more memory than it takes; shared with what writes it.
pub(crate) fn json(value: &impl Serialize) -> Arc<str> {
    thread_local! {
        static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    TEXT.with_borrow_mut(|text| {
        text.clear();
        serde_json::to_writer(&mut *text, value).expect("strings, numbers and lists are JSON");
        let json = str::from_utf8(text).expect("JSON is text").into();
        text.shrink_to(JSON_OCTETS);
        json
    })
}
