use std::time::{SystemTime, UNIX_EPOCH};

use quivive_evidence::{Facts, Nonce};
use quivive_mail::ForwardPath;
use quivive_smtp::{Mail, Reply};
use quivive_verdict::Stage;

use super::Gateway;
use super::client::Client;
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
    pub(super) judging: Judging,
    pub(super) spool: Option<SpoolWriter>,
    /// When it began, in seconds since 1970.
    pub(super) now: u64,
}

impl Transaction {
    /// Begins, and has the sender judged from now on.
    pub(super) async fn begin(gateway: &Gateway, client: &Client, mail: Mail) -> Self {
        let mut random = [0; 40];
        // Without randomness nothing here is safe; the system has it from its first second.
        getrandom::fill(&mut random).expect("the system has randomness");
        let (nonce, ids) = random.split_at(16);
        let (id, public_id) = ids.split_at(8);
        let id = hexadecimal(id);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut facts = Facts::new(client.address);
        facts.helo = client.helo.clone();
        facts.reverse_path = mail.reverse_path.address();
        facts.auth_user = client.login.clone();
        facts.receiver = gateway.settings.hostname.clone();
        facts.case_id = id.clone();
        if gateway.checker.policy().public_url.is_some() {
            facts.public_id = hexadecimal(public_id);
        }
        facts.now = now;
        facts.nonce = Nonce(nonce.try_into().unwrap_or_default());
        Self {
            id,
            mail,
            recipients: Vec::new(),
            recipients_refused: 0,
            refused: Vec::new(),
            refusal: None,
            judging: Judging::begin(gateway.checker.examine(facts), Stage::Mail).await,
            spool: None,
            now,
        }
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
