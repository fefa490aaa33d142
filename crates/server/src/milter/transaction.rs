use quivive_evidence::{Facts, Header};
use quivive_mail::header::Field;
use quivive_mail::{Charset, ForwardPath, ReversePath};
use quivive_milter::{self as protocol, Macros};
use quivive_smtp::xtext;
use quivive_verdict::{Stage, VerdictReply};

use super::Milter;
use super::client::{Client, macro_text, text, verified_certificate};
use super::forgeries::Forgeries;
use super::routing::Routing;
use crate::facts;
use crate::judging::Judging;

/// How many recipients of a message are written down; those beyond are counted.
pub(super) const RECIPIENTS_NAMED_MAX: usize = 1000;

/// What a client began by MAIL.
pub(super) struct Transaction {
    /// Our id of the message.
    pub(super) id: String,
    /// The mail server's, once it has one.
    pub(super) queue_id: Option<String>,
    pub(super) reverse_path: String,
    /// Those that we have nothing against, and how many there are.
    pub(super) recipients: Vec<String>,
    pub(super) recipients_count: usize,
    /// Those that we refused.
    pub(super) refused: Vec<String>,
    pub(super) refused_count: usize,
    /// How the last of them was refused.
    pub(super) refusal: Option<VerdictReply>,
    /// None: nobody knows where the client is, so that nothing can be judged; or nothing is to be.
    pub(super) judging: Option<Judging>,
    pub(super) header: Header,
    pub(super) forgeries: Forgeries,
    pub(super) routing: Routing,
    reads_header: bool,
    lines: Vec<u8>,
}

impl Transaction {
    /// Begins, and has the sender judged from now on.
    pub(super) async fn begin(
        milter: &Milter,
        client: &Client,
        mail: Mail,
        macros: &Macros,
    ) -> Self {
        milter.ledger.room().await;
        let mut facts = Facts::new(client.address.unwrap_or(std::net::Ipv4Addr::LOCALHOST.into()));
        facts.helo.clone_from(&client.helo);
        facts.reverse_path.clone_from(&mail.reverse_path);
        facts.submitter = mail.submitter;
        facts.auth_user = macro_text(macros, "auth_authen");
        facts.certificate = verified_certificate(macros);
        let facts = facts::noted(facts, &milter.settings.hostname, milter.checker.policy());
        let id = facts.case_id.clone();
        let judging = match client.address.filter(|_| milter.judges()) {
            Some(_) => Some(Judging::begin(milter.checker.examine(facts), Stage::Mail).await),
            None => None,
        };
        Self {
            id,
            queue_id: None,
            reverse_path: mail.reverse_path,
            recipients: Vec::new(),
            recipients_count: 0,
            refused: Vec::new(),
            refused_count: 0,
            refusal: None,
            judging,
            header: Header::default(),
            forgeries: Forgeries::default(),
            routing: Routing::default(),
            reads_header: milter.reads_header,
            lines: Vec::new(),
        }
    }

    /// Takes a recipient that nothing is said against, or that is refused.
    pub(super) fn note_recipient(&mut self, recipient: String, refusal: Option<VerdictReply>) {
        let (named, count) = match &refusal {
            Some(_) => (&mut self.refused, &mut self.refused_count),
            None => (&mut self.recipients, &mut self.recipients_count),
        };
        if named.len() < RECIPIENTS_NAMED_MAX {
            named.push(recipient);
        }
        *count += 1;
        self.refusal = refusal.or(self.refusal.take());
    }

    /// Looks at a field of the header.
    pub(super) fn note_field(&mut self, field: &protocol::Field<'_>, own_names: &[String]) {
        self.lines.clear();
        field.write(&mut self.lines);
        self.forgeries.look_at(field.name, &self.lines, own_names);
        if self.reads_header {
            self.header.push(Field::new(&self.lines));
        }
    }

    pub(super) fn note_queue_id(&mut self, macros: &Macros) {
        self.queue_id = macro_text(macros, "i").or(self.queue_id.take());
    }
}

/// What MAIL says.
pub(super) struct Mail {
    /// Without angle brackets and route.
    reverse_path: String,
    submitter: Option<String>,
}

impl Mail {
    /// A reverse-path is never refused for its form: the findings say what is wrong with it.
    pub(super) fn new(address: &protocol::Address<'_>) -> Self {
        let parsed = ReversePath::parse(address.path, Charset::Utf8);
        let reverse_path = match parsed {
            Ok(path) => path.address(),
            Err(_) => text(address.unbracketed()),
        };
        let submitter = address.parameters().find_map(submitter);
        Self { reverse_path, submitter }
    }
}

/// The responsible submitter that a parameter states (RFC 4405 section 4.1): a mailbox as xtext.
fn submitter(parameter: &[u8]) -> Option<String> {
    let (name, value) = str::from_utf8(parameter).ok()?.split_once('=')?;
    let stated = name.eq_ignore_ascii_case("SUBMITTER").then(|| xtext::decode(value))??;
    String::from_utf8(stated).ok()
}

/// A forward-path without angle brackets and route.
pub(super) fn forward_path(address: &protocol::Address<'_>) -> String {
    match ForwardPath::parse(address.path, Charset::Utf8) {
        Ok(path) => path.address(),
        Err(_) => text(address.unbracketed()),
    }
}
