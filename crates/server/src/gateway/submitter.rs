//! Who submitted a message, as the next hop is told (RFC 4954 section 5).

use quivive_binding::Client as Identity;
use quivive_evidence::Facts;
use quivive_smtp::{Mail, NO_SUBMITTER, xtext};

use super::client::Client;
use super::{Conversation, Gateway, lists};

impl Conversation {
    /// The value of AUTH as it goes on: what a client states that is believed, else the address of
    /// its login, else that nobody is known.
    pub(super) fn submitter(&self, mail: &Mail) -> String {
        let stated = mail.parameters.auth.as_deref();
        let is_believed = lists(&self.gateway.settings.auth_from, self.peer);
        match stated {
            Some(stated) if is_believed => stated.to_owned(),
            // Whoever says that nobody is known, or somebody else, is not credited with it itself.
            Some(_) => NO_SUBMITTER.to_owned(),
            None => own_address(&self.gateway, &self.client)
                .map_or_else(|| NO_SUBMITTER.to_owned(), |own| xtext::encode(own.as_bytes())),
        }
    }
}

/// The address of a client's login, where it is one that every server can read.
fn own_address(gateway: &Gateway, client: &Client) -> Option<String> {
    let rules = &gateway.checker.policy().binding;
    let facts = Facts { auth_user: client.login.clone(), ..Facts::new(client.address) };
    let own = Identity::of(&facts, rules).own_address(rules)?.to_string();
    own.is_ascii().then_some(own)
}
