//! A policy service with its world: a zone, mail servers that ask, and the cases that come of it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use quivive_store::Store;
use quivive_verdict::Case;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::check::Checker;
use crate::gateway::Arrival;
use crate::gateway::tests::world::checker;
use crate::ledger::Ledger;
use crate::policy::{PolicyService, Settings, converse};
use crate::seats::Seats;

pub(super) struct World {
    pub(super) current: Arc<ArcSwap<PolicyService>>,
    pub(super) ledger: Ledger,
    drain: watch::Sender<bool>,
    _folder: TempDir,
}

/// A mail server's connection.
pub(super) struct Asker {
    pub(super) stream: DuplexStream,
    pub(super) session: JoinHandle<()>,
}

/// A question, line by line.
#[derive(Clone)]
pub(super) struct Question(pub(super) String);

impl World {
    pub(super) async fn new() -> Self {
        Self::judged_by(checker()).await
    }

    pub(super) async fn judged_by(checker: Checker) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = quivive_store::Settings {
            path: folder.path().join("q.db"),
            retain_days: 30,
            retain_mib: 100,
            hash_addresses_after_days: 0,
        };
        let store = Some(Store::open(settings).await.unwrap());
        let ledger = Ledger { store, ..Ledger::default() };
        let service = service(checker).with_ledger(ledger.clone());
        let (drain, _) = watch::channel(false);
        Self { current: Arc::new(ArcSwap::from_pointee(service)), ledger, drain, _folder: folder }
    }

    pub(super) fn connect(&self) -> Asker {
        // A pipe this narrow takes neither question nor answer at once.
        let (stream, theirs) = tokio::io::duplex(100);
        let arrival = Arrival {
            stream: Box::new(theirs),
            peer: None,
            seats: Arc::new(Seats::default()),
            drain: self.drain.subscribe(),
        };
        let session = tokio::spawn(converse(self.current.clone(), arrival));
        Asker { stream, session }
    }

    /// What was written down so far, the oldest first.
    pub(super) async fn cases(&self) -> Vec<Case> {
        let store = self.ledger.store.as_ref().unwrap();
        store.flush().await;
        let filter = quivive_store::Filter { limit: 500, ..Default::default() };
        let mut cases = Vec::new();
        for line in store.list(&filter).await.unwrap().lines {
            cases.insert(0, store.case(&line.id).await.unwrap().unwrap());
        }
        cases
    }

    /// As [`World::cases`], once the service has ended.
    pub(super) async fn cases_at_the_end(&self) -> Vec<Case> {
        self.current.load().end();
        self.cases().await
    }
}

pub(super) fn service(checker: Checker) -> PolicyService {
    PolicyService::new(Settings::new("mx.example"), checker)
}

impl Asker {
    /// The action that answers.
    pub(super) async fn ask(&mut self, question: &Question) -> String {
        let octets = question.0.clone() + "\n";
        self.stream.write_all(octets.as_bytes()).await.unwrap();
        self.answer().await
    }

    pub(super) async fn answer(&mut self) -> String {
        let mut answer = String::new();
        while !answer.ends_with("\n\n") {
            let octet = self.stream.read_u8().await.unwrap();
            answer.push(char::from(octet));
        }
        answer.strip_prefix("action=").unwrap().trim_end().to_owned()
    }

    /// The connection is closed by the other side, without another word.
    pub(super) async fn hears_the_end(mut self) {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "");
        drop(self.stream);
        self.session.await.unwrap();
    }
}

impl Question {
    /// About a message from `a@DOMAIN.example` to one recipient.
    pub(super) fn rcpt(instance: &str, domain: &str) -> Self {
        Self(format!(
            "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.1\n\
             helo_name=c.example\nsender=a@{domain}.example\nrecipient=b@here.example\n\
             instance={instance}\n"
        ))
    }

    pub(super) fn with(&self, attribute: &str, value: &str) -> Self {
        let others = self.0.lines().filter(|line| line.split('=').next() != Some(attribute));
        let others: String = others.map(|line| format!("{line}\n")).collect();
        Self(others + attribute + "=" + value + "\n")
    }

    pub(super) fn at(&self, state: &str) -> Self {
        self.with("protocol_state", state)
    }
}
