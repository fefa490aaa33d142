use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::{SystemTime, UNIX_EPOCH};

use quivive_evidence::{Facts, Nonce};
use quivive_mail::{EnhancedStatus, ForwardPath};
use quivive_smtp::{Mail, Reply};
use quivive_verdict::Action;
use tokio::task::JoinHandle;

use super::Gateway;
use super::client::Client;
use crate::check::{Checker, Judgement};
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

/// A judgement on its way.
pub(super) enum Judging {
    Running(JoinHandle<Judgement>),
    Done(Box<Judgement>),
    /// The judge was lost: a fault of ours, for which no message is let through or thrown away.
    Lost,
}

const JUDGE_LOST: Reply = Reply::new(
    451,
    EnhancedStatus(4, 3, 0),
    "The sender could not be checked; please try again later",
);

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
            judging: Judging::begin(gateway.checker.clone(), facts).await,
            spool: None,
            now,
        }
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl Judging {
    /// What is known already is judged at once; else it goes on by itself.
    async fn begin(checker: Checker, facts: Facts) -> Self {
        let mut check = Box::pin(async move { checker.check(facts).await });
        match poll_fn(|context| Poll::Ready(check.as_mut().poll(context))).await {
            Poll::Ready(judgement) => Self::Done(Box::new(judgement)),
            Poll::Pending => Self::Running(tokio::spawn(check)),
        }
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_finished(&self) -> bool {
        match self {
            Self::Running(task) => task.is_finished(),
            Self::Done(_) | Self::Lost => true,
        }
    }

    /// Waits for the judgement, and says how it refuses the message, if it does.
    pub(super) async fn refusal(&mut self) -> Option<Reply> {
        if let Self::Running(task) = self {
            *self = match task.await {
                Ok(judgement) => Self::Done(Box::new(judgement)),
                Err(error) => {
                    tracing::error!(%error, "the judge was lost");
                    Self::Lost
                }
            };
        }
        let Some(judgement) = self.judgement() else { return Some(JUDGE_LOST) };
        match judgement.verdict.action {
            Action::Reject | Action::Defer => Some(verdict_reply(judgement)),
            Action::Accept | Action::Mark | Action::Hold | Action::Discard => None,
        }
    }

    /// The judgement, once it was waited for.
    pub(super) fn judgement(&self) -> Option<&Judgement> {
        match self {
            Self::Done(judgement) => Some(judgement),
            Self::Running(_) | Self::Lost => None,
        }
    }
}

/// Nobody wants to know any more.
impl Drop for Judging {
    fn drop(&mut self) {
        if let Self::Running(task) = self {
            task.abort();
        }
    }
}

/// What the verdict has the client hear.
fn verdict_reply(judgement: &Judgement) -> Reply {
    let reply = &judgement.verdict.reply;
    Reply::with_text(reply.code, reply.enhanced, reply.text.clone())
}
