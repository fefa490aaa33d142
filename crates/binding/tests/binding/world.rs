//! A table of grants, and messages that are held to it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use quivive_binding::{Binding, GRANTS, GrantTable, Mode, Query, Rules, USAGE};
use quivive_evidence::{
    Answer, Evaluate, Facts, Failure, Finding, FindingResult, Header, Identity, Inquiry, Notebook,
    Outcome, Progress, Question, Source,
};

pub(crate) struct World {
    pub(crate) rules: Rules,
    table: String,
    /// What the counter says to these keys.
    pub(crate) used: HashMap<String, u64>,
    pub(crate) is_down: bool,
    /// The keys that were asked for.
    pub(crate) asked: RefCell<Vec<String>>,
}

/// A message, as far as binding looks at it.
#[derive(Clone, Default)]
pub(crate) struct Message<'a> {
    pub(crate) login: Option<&'a str>,
    pub(crate) certificate: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
    pub(crate) mail_from: &'a str,
    pub(crate) header: Option<&'a str>,
}

impl World {
    pub(crate) fn new(table: &str) -> Self {
        Self {
            rules: Rules::default(),
            table: table.to_owned(),
            used: HashMap::new(),
            is_down: false,
            asked: RefCell::default(),
        }
    }

    pub(crate) fn protecting(self) -> Self {
        self.with(|rules| rules.mode = Mode::ProtectKnown)
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(&mut self.rules);
        self
    }

    /// Judges one identity of a message.
    pub(crate) fn judge(&self, identity: Identity, message: &Message<'_>) -> Finding {
        let mut facts = Facts::new(message.client.unwrap_or("203.0.113.9").parse().unwrap());
        facts.auth_user = message.login.map(str::to_owned);
        facts.certificate = message.certificate.map(str::to_owned);
        facts.reverse_path = message.mail_from.to_owned();
        facts.header = message.header.map(|header| Header::read(header.as_bytes()));
        facts.now = 1_800_000_000;
        let rules = Arc::new(self.rules.clone());
        let method: Box<dyn Evaluate> = Box::new(Binding::new(identity, rules));
        let mut inquiry = Inquiry::new(method);
        let mut notebook = Notebook::default();
        loop {
            match inquiry.advance(&facts, &notebook) {
                Progress::Done(finding) => return *finding,
                Progress::Ask(round) => {
                    round.questions().for_each(|question| self.answer(question, &mut notebook));
                }
            }
        }
    }

    /// The result and cause of an identity.
    pub(crate) fn result(
        &self,
        identity: Identity,
        message: &Message<'_>,
    ) -> (FindingResult, String) {
        let finding = self.judge(identity, message);
        (finding.result, finding.cause.into_owned())
    }

    fn answer(&self, question: &Question, notebook: &mut Notebook) {
        let Question::Stored(stored) = question else { panic!("{question}") };
        self.asked.borrow_mut().push(stored.to_string());
        if self.is_down {
            return notebook.note_failure(question, Failure::Unreachable, Source::default());
        }
        let entries: Vec<String> = match &*stored.table {
            GRANTS => {
                let table = GrantTable::parse(&self.table, &self.rules).unwrap();
                let query = Query::parse(&stored.key, &self.rules).unwrap();
                assert_eq!(query.to_string(), *stored.key);
                table.look_up(&query, &self.rules)
            }
            USAGE => vec![self.used[&*stored.key].to_string()],
            table => panic!("{table}"),
        };
        let entries = entries.iter().map(|entry| entry.as_str().into()).collect();
        let answer = Answer::new(Outcome::of(entries), Source::default());
        notebook.note_stored(stored, Arc::new(answer));
    }
}

impl<'a> Message<'a> {
    pub(crate) fn by(login: &'a str, mail_from: &'a str, header: &'a str) -> Self {
        Self { login: Some(login), mail_from, header: Some(header), ..Self::default() }
    }

    pub(crate) fn from_outside(mail_from: &'a str, header: &'a str) -> Self {
        Self { mail_from, header: Some(header), ..Self::default() }
    }
}
