//! What is written on top of a message, from the top: Authentication-Results, Received-SPF,
//! Received.

use quivive_mail::{Protocol, Received};

use super::client::Client;
use super::transaction::Transaction;
use crate::check::Judgement;

/// The new fields of a message. RFC 8601 section 5: results stand above the `Received` of the host
/// that wrote them, so that a reader knows whose they are.
pub(super) fn fields(
    hostname: &str,
    client: &Client,
    transaction: &Transaction,
    judgement: &Judgement,
) -> Vec<(String, String)> {
    let headers = &judgement.headers;
    let recipients: Vec<String> =
        transaction.recipients.iter().map(|recipient| recipient.address()).collect();
    let received = Received {
        helo: &client.helo,
        client_address: client.address,
        client_name: client.name.as_deref(),
        hostname,
        protocol: Protocol {
            lmtp: false,
            extended: client.extended,
            smtputf8: transaction.mail.parameters.smtputf8,
            tls: client.tls,
            authenticated: client.login.is_some(),
        },
        id: &transaction.id,
        recipients: &recipients,
        now: transaction.now,
    };
    let own = headers.fields().map(|(name, value)| (name, value.to_owned()));
    let own = own.chain([(Received::NAME, received.value())]);
    // What takes the place of the message's own fields stands where those are: below ours.
    let edits = headers.edits.iter().map(|edit| (&*edit.name, edit.value.trim_start().to_owned()));
    own.chain(edits).map(|(name, value)| (name.to_owned(), value)).collect()
}
