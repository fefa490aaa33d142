//! A case as it stands in the file, and back.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use quivive_evidence::{Facts, Finding, Header, Nonce, Recorded};
use quivive_verdict::{
    Action, Case, Cost, Headers, RecipientVerdict, Rewrite, Verdict, VerdictReply,
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::cut::{self, CASE_OCTETS_MAX};
use crate::known::{Known, Parts};
use crate::words;

/// How many octets of a digest are kept. It is keyed, so that nobody outside can look for two
/// contents with the same.
const DIGEST_OCTETS: usize = 16;

/// More than JSON has around a part of a case, or around all of them.
const SEPARATORS: usize = 64;

/// What most parts and bodies fit into as JSON.
const JSON_OCTETS: usize = 2048;

/// The secret of a file: digests of parts and of addresses are made with it.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) [u8; 32]);

/// A part's digest.
pub(crate) type Digest = [u8; DIGEST_OCTETS];

/// A case ready to be written.
pub(crate) struct Encoded<'c> {
    pub(crate) case: Cow<'c, Case>,
    pub(crate) body: String,
    /// The places of its parts in the batch's list.
    pub(crate) findings: Vec<usize>,
    pub(crate) evidence: Vec<usize>,
}

/// What may be equal in many cases.
pub(crate) struct Part {
    pub(crate) digest: Digest,
    pub(crate) content: String,
}

/// What a case has to itself.
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
    /// The verdict for each recipient of the facts is that for the message, and is left out.
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

#[derive(Deserialize)]
struct Body {
    facts: Facts,
    door: String,
    verdict: Verdict,
    headers: Headers,
    cost: Cost,
    outcome: String,
    #[serde(default)]
    cut: Vec<String>,
    #[serde(default)]
    alike: bool,
}

/// A row of the file, with the parts of several.
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) nonce: Vec<u8>,
    pub(crate) findings: String,
    pub(crate) evidence: String,
    pub(crate) body: String,
}

/// The contents of parts by their ids.
pub(crate) type Contents = HashMap<i64, String>;

impl Key {
    /// A digest under this key. `purpose` keeps digests of different kinds apart.
    pub(crate) fn digest(&self, purpose: u8, content: &[u8]) -> Digest {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&[purpose]);
        mac.update(content);
        let full = mac.finalize().into_bytes();
        let mut digest = [0; DIGEST_OCTETS];
        digest.copy_from_slice(&full[..DIGEST_OCTETS]);
        digest
    }
}

impl<'c> Encoded<'c> {
    /// The case, within [`CASE_OCTETS_MAX`]; its parts are listed.
    pub(crate) fn new(case: &'c Case, key: &Key, known: &mut Known, parts: &mut Parts) -> Self {
        let encoded = Self::whole(Cow::Borrowed(case), key, known, parts);
        let of_parts = encoded.parts().map(|place| parts.at(place).octets + SEPARATORS);
        let octets = encoded.body.len() + of_parts.sum::<usize>();
        if octets + SEPARATORS <= CASE_OCTETS_MAX {
            return encoded;
        }
        parts.take_back(&encoded.parts().collect::<Vec<_>>());
        Self::whole(Cow::Owned(cut::within_bound(case.clone())), key, known, parts)
    }

    fn whole(case: Cow<'c, Case>, key: &Key, known: &mut Known, parts: &mut Parts) -> Self {
        let findings = case.findings.iter().map(|finding| known.list(finding, key, parts));
        let findings = findings.collect();
        let evidence = case.evidence.iter().map(|answer| known.list(answer, key, parts)).collect();
        Self { body: body(&case), findings, evidence, case }
    }

    /// The id under which the explanation of a refusal is public.
    pub(crate) fn public_id(&self) -> Option<&str> {
        let refused = matches!(self.case.verdict.action, Action::Reject | Action::Defer);
        Some(&*self.case.facts.public_id).filter(|id| refused && !id.is_empty())
    }

    /// The places of all its parts.
    fn parts(&self) -> impl Iterator<Item = usize> {
        self.findings.iter().chain(&self.evidence).copied()
    }
}

impl Part {
    pub(crate) fn new(value: &impl Serialize, key: &Key) -> Self {
        let content = json(value);
        Self { digest: key.digest(b'p', content.as_bytes()), content }
    }
}

impl Row {
    /// The ids of all its parts.
    pub(crate) fn part_ids(&self) -> impl Iterator<Item = i64> {
        ids(&self.findings).chain(ids(&self.evidence))
    }

    /// The words of it that are found by their beginnings.
    pub(crate) fn plain_words(&self) -> BTreeSet<String> {
        #[derive(Deserialize)]
        struct OnlyAddresses {
            facts: Facts,
            verdict: Verdict,
        }
        let body = serde_json::from_str::<OnlyAddresses>(&self.body);
        body.map_or_else(
            |_| BTreeSet::new(),
            |body| words::plain_words_of(&body.facts, &body.verdict),
        )
    }

    /// The case, with its nonce.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub(crate) fn case(&self, parts: &Contents) -> Result<Case, String> {
        let body: Body = serde_json::from_str(&self.body).map_err(|error| error.to_string())?;
        let (mut facts, mut verdict) = (body.facts, body.verdict);
        facts.case_id.clone_from(&self.id);
        if body.alike {
            let Verdict { action, reply, .. } = &verdict;
            let to = |recipient: &String| RecipientVerdict {
                recipient: recipient.clone(),
                action: *action,
                reply: reply.clone(),
            };
            verdict.recipients = facts.recipients.iter().map(to).collect();
        }
        facts.nonce = Nonce(
            self.nonce
                .as_slice()
                .try_into()
                .map_err(|_| "its nonce is not 16 octets".to_owned())?,
        );
        Ok(Case {
            facts,
            door: body.door,
            findings: self.findings(parts)?,
            verdict,
            headers: body.headers,
            evidence: read_all::<Recorded>(&self.evidence, parts)?,
            cost: body.cost,
            outcome: body.outcome,
            cut: body.cut,
        })
    }

    fn findings(&self, parts: &Contents) -> Result<Vec<Finding>, String> {
        read_all(&self.findings, parts)
    }
}

/// The ids in a column.
pub(crate) fn ids(column: &str) -> impl Iterator<Item = i64> {
    column.split_ascii_whitespace().filter_map(|id| id.parse().ok())
}

/// Reads each part of a column.
pub(crate) fn read_all<'p, T: Deserialize<'p>>(
    column: &str,
    parts: &'p Contents,
) -> Result<Vec<T>, String> {
    ids(column)
        .map(|id| {
            let content = parts.get(&id).ok_or_else(|| format!("its part {id} is not there"))?;
            serde_json::from_str(content).map_err(|error| error.to_string())
        })
        .collect()
}

fn body(case: &Case) -> String {
    let alike = are_alike(case);
    let Verdict { action, reply, reasons, recipients, rewrites } = &case.verdict;
    let recipients: &[RecipientVerdict] = if alike { &[] } else { recipients };
    json(&BodyRef {
        facts: FactsRef::of(&case.facts),
        door: &case.door,
        verdict: VerdictRef { action: *action, reply, reasons, recipients, rewrites },
        headers: &case.headers,
        cost: case.cost,
        outcome: &case.outcome,
        cut: &case.cut,
        alike,
    })
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

/// Whether the verdict for each recipient follows from that for the message.
fn are_alike(case: &Case) -> bool {
    let Verdict { action, reply, recipients, .. } = &case.verdict;
    let named = case.facts.recipients.iter();
    recipients.len() == named.len()
        && recipients.iter().zip(named).all(|(one, named)| {
            one.recipient == *named && one.action == *action && one.reply == *reply
        })
}

/// As JSON.
pub(crate) fn json(value: &impl Serialize) -> String {
    let mut text = Vec::with_capacity(JSON_OCTETS);
    serde_json::to_writer(&mut text, value).expect("strings, numbers and lists are JSON");
    String::from_utf8(text).expect("JSON is text")
}
