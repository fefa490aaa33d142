//! The demo's table: a row for each message.

use std::io::{self, Write};

use quivive_evidence::{Finding, Identity};
use quivive_smtp::Reply;
use serde::Serialize;

use super::Sent;
use crate::json;
use crate::style::{self, QUIET, STRONG, excerpt, printable};
use crate::terminal::Report;

/// The widths of the columns, in characters.
const TITLE: usize = 29;
const CLIENT: usize = 14;
const CLAIM: usize = 23;
const RESULT: usize = 9;
const REASON: usize = 31;

/// Those of the mark with the number, and of `refused 550 5.7.23`.
const MARK: usize = 6;
const HAPPENED: usize = 18;

#[derive(Serialize)]
struct RowJson<'a> {
    message: usize,
    title: &'a str,
    client: &'a str,
    helo: &'a str,
    mail_from: &'a str,
    rcpt: &'a str,
    method: &'a str,
    identity: &'a str,
    result: Option<&'a str>,
    cause: Option<&'a str>,
    decided_by: Option<&'a str>,
    code: Option<u16>,
    enhanced: Option<String>,
    text: Option<&'a str>,
    kept: bool,
    problems: &'a [String],
}

/// Which columns there is room for; the others can be looked up in the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    has_client: bool,
    has_claim: bool,
    has_reason: bool,
}

impl Layout {
    /// `columns` is the terminal's; none: there is no end of them.
    fn of(columns: Option<usize>) -> Self {
        let fits = |widths: &[usize]| {
            let gaps = 2 * widths.len();
            columns.is_none_or(|columns| {
                MARK + TITLE + RESULT + HAPPENED + gaps + widths.iter().sum::<usize>() <= columns
            })
        };
        Self {
            has_client: fits(&[CLIENT, CLAIM, REASON, 0, 0]),
            has_claim: fits(&[CLAIM, 0, 0]),
            has_reason: fits(&[CLAIM, REASON, 0, 0]),
        }
    }

    fn write_cells(self, out: &mut impl Write, client: &str, claim: &str) -> io::Result<()> {
        if self.has_client {
            write!(out, "{client:CLIENT$}  ")?;
        }
        if self.has_claim {
            write!(out, "{claim:CLAIM$}  ")?;
        }
        Ok(())
    }
}

/// Writes the head of the table.
pub(super) fn write_head<W: Write>(out: &mut Report<W>) -> io::Result<()> {
    let layout = Layout::of(out.columns());
    write!(out, "{STRONG}      {:TITLE$}  ", "what")?;
    layout.write_cells(out, "who", "claims to be")?;
    write!(out, "{:RESULT$}  ", "found")?;
    if layout.has_reason {
        write!(out, "{:REASON$}  ", "why")?;
    }
    writeln!(out, "what happened{STRONG:#}")
}

/// Writes the row of a message.
pub(super) fn write_row<W: Write>(out: &mut Report<W>, sent: &Sent) -> io::Result<()> {
    let layout = Layout::of(out.columns());
    let Sent { number, message, .. } = sent;
    let is_kept = sent.problems.is_empty();
    let promise = style::of_promise(is_kept);
    let mark = if is_kept { "✓" } else { "✗" };
    let (result, reason) = match sent.finding() {
        Some(finding) => (finding.result.word(), reason(finding)),
        None => ("-", String::new()),
    };
    let result_style = sent.finding().map_or(QUIET, |finding| style::of_result(finding.result));
    write!(out, "{promise}{mark}{promise:#} {number:>2}  {:TITLE$}  ", message.title)?;
    layout.write_cells(out, message.client.address, &claim(sent))?;
    write!(out, "{result_style}{result:RESULT$}{result_style:#}  ")?;
    if layout.has_reason {
        write!(out, "{QUIET}{reason:REASON$}{QUIET:#}  ")?;
    }
    writeln!(out, "{}", happened(sent))
}

/// Writes a row as an object.
pub(super) fn write_json(out: &mut impl Write, sent: &Sent) -> io::Result<()> {
    let Sent { number, message, .. } = sent;
    let finding = sent.finding();
    let reply = sent.reply.as_ref().ok();
    out.write_all(&json::line(&RowJson {
        message: *number,
        title: message.title,
        client: message.client.address,
        helo: message.client.helo,
        mail_from: message.reverse_path,
        rcpt: message.recipient,
        method: message.method.word(),
        identity: message.identity.word(),
        result: finding.map(|finding| finding.result.word()),
        cause: finding.map(|finding| &*finding.cause),
        decided_by: finding.and_then(|finding| finding.decided_by.as_deref()),
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced).map(|enhanced| enhanced.to_string()),
        text: reply.map(|reply| &*reply.text),
        kept: sent.problems.is_empty(),
        problems: &sent.problems,
    }))
}

/// Writes what the refused clients heard, and what was not as it was promised.
pub(super) fn write_notes(
    out: &mut impl Write,
    all: &[Sent],
    problems: &[String],
) -> io::Result<()> {
    writeln!(out, "\n{STRONG}What the refused heard{STRONG:#}")?;
    for Sent { number, reply, .. } in all {
        if let Ok(reply) = reply
            && !reply.is_positive()
        {
            writeln!(out, "{number:>4}  {} {}", codes(reply), printable(&reply.text))?;
        }
    }
    let each = all.iter().flat_map(|sent| {
        sent.problems.iter().map(|problem| format!("message {}: {problem}", sent.number))
    });
    let problems: Vec<String> = each.chain(problems.iter().cloned()).collect();
    writeln!(out)?;
    if problems.is_empty() {
        let style = style::of_promise(true);
        return writeln!(
            out,
            "{style}All {} messages were judged as promised.{style:#}",
            all.len()
        );
    }
    let style = style::of_promise(false);
    writeln!(out, "{style}Not as promised{style:#}")?;
    for problem in problems {
        writeln!(out, "  {}", printable(&problem))?;
    }
    Ok(())
}

/// The name that is judged: the reverse-path, the HELO name, or the domain of the responsible
/// address.
fn claim(sent: &Sent) -> String {
    let message = sent.message;
    match message.identity {
        Identity::Helo => message.client.helo.to_owned(),
        Identity::Pra => sent.finding().map_or(String::new(), |finding| finding.domain.clone()),
        _ => format!("<{}>", message.reverse_path),
    }
}

fn reason(finding: &Finding) -> String {
    let reason = finding.decided_by.as_deref().unwrap_or(&finding.cause);
    excerpt(reason, REASON - 1)
}

fn happened(sent: &Sent) -> String {
    match &sent.reply {
        Ok(reply) if reply.is_positive() => "delivered".to_owned(),
        Ok(reply) if reply.is_transient() => format!("put off {}", codes(reply)),
        Ok(reply) => format!("refused {}", codes(reply)),
        Err(error) => format!("failed: {error}"),
    }
}

fn codes(reply: &Reply) -> String {
    match reply.enhanced {
        Some(enhanced) => format!("{} {enhanced}", reply.code),
        None => reply.code.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_where_there_is_no_room() {
        let told = |columns| {
            let Layout { has_client, has_claim, has_reason } = Layout::of(columns);
            (has_client, has_claim, has_reason)
        };
        assert_eq!(told(None), (true, true, true));
        assert_eq!(told(Some(150)), (true, true, true));
        assert_eq!(told(Some(130)), (false, true, true));
        assert_eq!(told(Some(100)), (false, true, false));
        assert_eq!(told(Some(80)), (false, false, false));
        for columns in [150, 130, 100, 80] {
            let mut octets = Vec::new();
            write_head(&mut Report::new(&mut octets, Some(columns))).unwrap();
            let text = String::from_utf8(octets).unwrap();
            assert_eq!(text.lines().count(), 1, "{columns}: {text}");
        }
    }
}
