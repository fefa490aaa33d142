use borsh::{BorshDeserialize, BorshSerialize};
use quivive_mail::EnhancedStatus;
use serde::{Deserialize, Serialize};

use crate::{Action, Rewrite};

/// The one answer for a message, and one per recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct Verdict {
    /// What is done: never [`Action::Mark`], which is `Accept` with its results written down.
    pub action: Action,
    /// What the client hears.
    pub reply: VerdictReply,
    /// What decided: the rule and the finding, in words for the operator.
    pub reasons: Vec<String>,
    /// The answer for each recipient, in the order of the facts.
    #[serde(default)]
    pub recipients: Vec<RecipientVerdict>,
    /// The addresses of the envelope that were changed on the way, or that were to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrites: Vec<Rewrite>,
}

/// What the client hears. The text is ASCII without control octets and holds nothing a peer chose
/// unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct VerdictReply {
    /// The reply code of RFC 5321.
    pub code: u16,
    /// The enhanced code of RFC 3463.
    pub enhanced: EnhancedStatus,
    /// One line for people.
    pub text: String,
}

/// The answer for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct RecipientVerdict {
    /// The forward-path, without angle brackets.
    pub recipient: String,
    /// What is done.
    pub action: Action,
    /// What the client hears.
    pub reply: VerdictReply,
}

/// What is written on top of a message, values without field names; and what of its own header is
/// written anew.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize,
)]
pub struct Headers {
    /// One Received-SPF value per identity (RFC 7208 section 9.1).
    pub received_spf: Vec<String>,
    /// The Authentication-Results value (RFC 8601).
    pub authentication_results: String,
    /// The X-RMX value (draft-danisch-dns-rr-smtp-04), where private results are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_rmx: Option<String>,
    /// Fields that take the place of all fields of their name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<HeaderEdit>,
}

/// A field that takes the place of all fields of its name, or is added where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct HeaderEdit {
    /// The name.
    pub name: String,
    /// The value, folding and all; without a line end at its end.
    pub value: String,
}

impl Verdict {
    /// The same for each of these recipients.
    pub fn for_each(&self, recipients: &[String]) -> Vec<RecipientVerdict> {
        let to = |recipient: &String| RecipientVerdict {
            recipient: recipient.clone(),
            action: self.action,
            reply: self.reply.clone(),
        };
        recipients.iter().map(to).collect()
    }

    /// Whether it has the same for each of these recipients.
    pub fn is_for_each(&self, recipients: &[String]) -> bool {
        let alike = |(one, recipient): (&RecipientVerdict, &String)| {
            one.recipient == *recipient && one.action == self.action && one.reply == self.reply
        };
        self.recipients.len() == recipients.len()
            && self.recipients.iter().zip(recipients).all(alike)
    }
}

impl Headers {
    /// The fields, from the top: name and value.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let results = Some(&*self.authentication_results).filter(|results| !results.is_empty());
        let results = results.map(|value| ("Authentication-Results", value));
        let spf = self.received_spf.iter().map(|value| ("Received-SPF", &**value));
        let rmx = self.x_rmx.as_deref().map(|value| ("X-RMX", value));
        results.into_iter().chain(spf).chain(rmx)
    }
}
