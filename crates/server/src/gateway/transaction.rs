use quivive_evidence::Facts;
use quivive_mail::ForwardPath;
use quivive_smtp::{Mail, Reply};
use quivive_verdict::Stage;

use super::Gateway;
use super::client::Client;
use super::destination::{Trail, Way};
use crate::facts;
use crate::judging::Judging;
use crate::spool::SpoolWriter;

/// What a client began by MAIL.
pub(super) struct Transaction {
    /// Our id of the message.
    pub(super) id: String,
    pub(super) mail: Mail,
    /// Those that were accepted.
    pub(super) recipients: Vec<ForwardPath>,
    pub(super) recipients_refused: usize,
    /// The first of those that were refused.
    pub(super) refused: Vec<ForwardPath>,
    /// How the last of them was refused.
    pub(super) refusal: Option<Reply>,
    /// Where those go that were accepted; none before the first.
    pub(super) way: Option<Way>,
    /// Where the last one was offered.
    pub(super) tried: Option<Way>,
    pub(super) trail: Trail,
    pub(super) judging: Judging,
    pub(super) spool: Option<SpoolWriter>,
    /// When it began, in seconds since 1970.
    pub(super) now: u64,
}

impl Transaction {
    /// Begins, and has the sender judged from now on.
    pub(super) async fn begin(gateway: &Gateway, client: &Client, mail: Mail) -> Self {
        gateway.ledger.room().await;
        let mut facts = Facts::new(client.address);
        facts.helo = client.helo.clone();
        facts.reverse_path = mail.reverse_path.address();
        facts.auth_user = client.login.clone();
        facts.submitter.clone_from(&mail.parameters.submitter);
        facts.certificate = client.certificate.clone();
        let hostname = &gateway.settings.hostname;
        let facts = facts::noted(facts, hostname, gateway.checker.policy());
        let (id, now) = (facts.case_id.clone(), facts.now);
        Self {
            id,
            mail,
            recipients: Vec::new(),
            recipients_refused: 0,
            refused: Vec::new(),
            refusal: None,
            way: None,
            tried: None,
            trail: Trail::default(),
            judging: Judging::begin(gateway.checker.examine(facts), Stage::Mail).await,
            spool: None,
            now,
        }
    }
}
