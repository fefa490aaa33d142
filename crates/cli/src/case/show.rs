use std::io::{self, Write};

use quivive_contract::CaseJson;
use quivive_verdict::{Case, Rewrite};

use super::{find, open_to_read, time, write_cut};
use crate::command_line::{CaseId, Global};
use crate::error::Error;
use crate::json;
use crate::style::{STRONG, excerpt, printable};
use crate::{terminal, text};

/// How much of a text is shown, in characters.
const CHARACTERS_MAX: usize = 200;

/// How many recipients are shown.
const RECIPIENTS_MAX: usize = 20;

/// Writes a case: the facts, then what `check` writes.
pub(super) async fn run(global: &Global, which: &CaseId) -> Result<(), Error> {
    let (_, store) = open_to_read(global, &which.store)?;
    let case = find(&store, &which.id).await?;
    let judgement = case.judgement().map_err(Error::Unclear)?;
    if global.json {
        let case = CaseJson::new(&case, &judgement);
        io::stdout().lock().write_all(&json::line(&case))?;
        return Ok(());
    }
    let mut out = terminal::stdout();
    write_facts(&mut out, &case)?;
    writeln!(out)?;
    text::write(&mut out, &judgement)?;
    Ok(write_cut(&mut out, &case)?)
}

fn write_facts(out: &mut impl Write, case: &Case) -> io::Result<()> {
    let facts = &case.facts;
    let mut line = |title: &str, text: &str| {
        writeln!(out, "{STRONG}{title:<9}{STRONG:#}{}", excerpt(text, CHARACTERS_MAX))
    };
    line("case", &format!("{} at {} by {}", case.id(), time(facts.now), case.door))?;
    line("client", &facts.client_address.to_string())?;
    line("helo", &facts.helo)?;
    line("from", if facts.reverse_path.is_empty() { "<>" } else { &facts.reverse_path })?;
    let mut title = "to";
    for recipient in facts.recipients.iter().take(RECIPIENTS_MAX) {
        line(title, recipient)?;
        title = "";
    }
    if facts.recipients.len() > RECIPIENTS_MAX {
        line("", &format!("and {} more", facts.recipients.len() - RECIPIENTS_MAX))?;
    }
    for rewrite in case.verdict.rewrites.iter().take(RECIPIENTS_MAX) {
        line(&rewrite.method, &in_words(rewrite))?;
    }
    if let Some(user) = &facts.auth_user {
        line("login", user)?;
    }
    if let Some(submitter) = &facts.submitter {
        line("submitter", submitter)?;
    }
    writeln!(out, "{STRONG}outcome{STRONG:#}  {}", printable(&case.outcome))
}

/// `rcpt a@here.example pass: b@there.example (why)`
fn in_words(rewrite: &Rewrite) -> String {
    let Rewrite { identity, address, result, becomes, reason, .. } = rewrite;
    let mut words = format!("{identity} {address} {result}");
    if !becomes.is_empty() {
        words.push_str(&format!(": {}", becomes.join(", ")));
    }
    if !reason.is_empty() {
        words.push_str(&format!(" ({reason})"));
    }
    words
}
