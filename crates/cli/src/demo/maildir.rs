//! What arrived, and whether it is what was promised.

use std::path::Path;
use std::{fs, io};

use quivive_evidence::Method;
use quivive_server::check::Judgement;

use super::messages::{Content, MESSAGES, Message, Outcome, SMUGGLED};
use crate::json::unfolded;

/// The name under which the demo's gateway writes its results.
const AUTHSERV_ID: &str = "mx.demo.example";

/// The messages in the Maildir: the fields of each, unfolded, and its whole text.
pub(super) struct Arrived {
    messages: Vec<Delivered>,
}

struct Delivered {
    fields: Vec<String>,
    text: String,
}

impl Arrived {
    pub(super) fn read(maildir: &Path) -> io::Result<Self> {
        let mut messages = Vec::new();
        for entry in fs::read_dir(maildir.join("new"))? {
            let octets = fs::read(entry?.path())?;
            messages.push(Delivered::new(String::from_utf8_lossy(&octets).into_owned()));
        }
        Ok(Self { messages })
    }

    /// What is not as it was promised for the whole of the messages.
    pub(super) fn problems(&self) -> Vec<String> {
        let promised =
            MESSAGES.iter().filter(|message| matches!(message.outcome, Outcome::Delivered));
        let (promised, arrived) = (promised.count(), self.messages.len());
        let mut problems = Vec::new();
        if promised != arrived {
            problems.push(format!("{promised} messages should have arrived, {arrived} did"));
        }
        if self.messages.iter().any(|message| message.text.contains(SMUGGLED)) {
            problems.push("a smuggled message arrived".to_owned());
        }
        problems
    }

    /// What is not as it was promised for this message.
    pub(super) fn problems_of(
        &self,
        message: &Message,
        number: usize,
        judgement: &Judgement,
    ) -> Vec<String> {
        let id = message.message_id(number);
        let copies: Vec<_> =
            self.messages.iter().filter(|delivered| delivered.fields.contains(&id)).collect();
        match (&message.outcome, copies.as_slice()) {
            (Outcome::Delivered, [delivered]) => delivered.problems(message, judgement),
            (Outcome::Delivered, copies) => vec![format!("it arrived {} times", copies.len())],
            (Outcome::Refused { .. }, []) => Vec::new(),
            (Outcome::Refused { .. }, _) => vec!["it was refused, and arrived".to_owned()],
        }
    }
}

impl Delivered {
    fn new(text: String) -> Self {
        let header = text.split("\n\n").next().unwrap_or_default();
        let mut fields: Vec<String> = Vec::new();
        for line in header.lines() {
            match fields.last_mut() {
                Some(field) if line.starts_with([' ', '\t']) => {
                    field.push(' ');
                    field.push_str(line.trim_start());
                }
                _ => fields.push(line.to_owned()),
            }
        }
        Self { fields, text }
    }

    fn problems(&self, message: &Message, judgement: &Judgement) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, value) in judgement.headers.fields() {
            let field = format!("{name}: {}", unfolded(value));
            let field = without_time(field);
            let is_field = |written: &String| without_time(without_case(written)) == field;
            if !self.fields.iter().any(is_field) {
                problems.push(format!("{name} is not what a check finds"));
            }
        }
        let result = format!("; {}={} ", word(message.method), message.result);
        let is_told = |results: &str| match message.method {
            Method::Spf => results.starts_with(&format!("{AUTHSERV_ID}{result}")),
            _ => results.contains(&result),
        };
        match self.own_results().as_slice() {
            [results] if is_told(results) => {}
            [results] => problems.push(format!("the results are \"{results}\"")),
            several => problems.push(format!("there are {} fields of results", several.len())),
        }
        let return_path = format!("Return-Path: <{}>", message.reverse_path);
        if !self.fields.contains(&return_path) {
            problems.push("its Return-Path is not what the client said".to_owned());
        }
        if let Content::Fields { kept, forged } = message.content {
            let lost = kept.iter().filter(|field| !self.text.contains(*field));
            problems.extend(lost.map(|field| format!("\"{field}\" was lost")));
            let left = forged.iter().filter(|field| self.text.contains(*field));
            problems.extend(left.map(|field| format!("\"{field}\" was left in")));
        }
        problems
    }

    /// The values of fields that claim to be results of the demo's gateway.
    fn own_results(&self) -> Vec<&str> {
        let values = self.fields.iter().filter_map(|field| {
            let (name, value) = field.split_once(':')?;
            name.eq_ignore_ascii_case("Authentication-Results").then(|| value.trim())
        });
        values.filter(|value| value.to_ascii_lowercase().starts_with(AUTHSERV_ID)).collect()
    }
}

/// The word of a method in the results.
fn word(method: Method) -> String {
    match method {
        Method::Spf | Method::SenderId => method.word().to_owned(),
        private => format!("x-{private}"),
    }
}

/// `X-RMX` without the time at which the message came.
fn without_time(field: String) -> String {
    let parts = field.strip_prefix("X-RMX: ").and_then(|value| {
        let (before, rest) = value.split_once(" on ")?;
        Some((before, rest.split_once(" mechanism ")?.1))
    });
    match parts {
        Some((before, mechanism)) => format!("X-RMX: {before} mechanism {mechanism}"),
        None => field,
    }
}

/// The field without the id of the gateway's case, which is another for each message.
fn without_case(field: &str) -> String {
    let case = field.split_once(" (case ").and_then(|(before, rest)| {
        let (_, after) = rest.split_once(')')?;
        Some(format!("{before}{after}"))
    });
    case.unwrap_or_else(|| field.to_owned())
}
