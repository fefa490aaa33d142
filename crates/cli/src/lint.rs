//! `lint`: what is wrong or doubtful about what domains publish.

mod domains;
pub(crate) mod driver;
pub(crate) mod text;

use std::io::{self, Write};
use std::process::ExitCode;

use quivive_contract::{LintJson, line};
use quivive_evidence::{LintReport, Severity, Subject};
use quivive_mail::domain;
use quivive_verdict::{linted_methods, linter};

use crate::command_line::{self, Global};
use crate::error::Error;
use crate::world;
use driver::Linter;

/// Looks over one text, one domain, or many.
///
/// # Errors
/// What hinders it. Errors in a record are none: they make the exit code 1.
pub(crate) fn run(global: &Global, flags: &command_line::Lint) -> Result<ExitCode, Error> {
    let config = world::config(global)?;
    let Some(lint) = linter(flags.method, &config.policy()) else {
        return Err(no_linter(flags));
    };
    let asks = flags.record.is_none() || global.zone.is_some() || global.resolver.is_some();
    let resolver = if asks { Some(world::resolver(global, &config)?) } else { None };
    let linter = Linter::new(lint, resolver);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(path) = &flags.file {
        return runtime.block_on(domains::run(linter, path, global.json));
    }
    let subjects = subjects(flags)?;
    let mut is_faulty = false;
    for (index, subject) in subjects.iter().enumerate() {
        let report = runtime.block_on(linter.lint(subject));
        is_faulty |= report.count(Severity::Error) > 0;
        if index > 0 && !global.json {
            writeln!(io::stdout())?;
        }
        write(global.json, &report, subject.domain.as_deref())?;
    }
    Ok(if is_faulty { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn no_linter(flags: &command_line::Lint) -> Error {
    let there_are: Vec<_> = linted_methods().map(|method| method.word()).collect();
    Error::Unclear(format!(
        "there is nothing to lint for the method `{}` in this version; there are: {}",
        flags.method,
        there_are.join(", ")
    ))
}

fn subjects(flags: &command_line::Lint) -> Result<Vec<Subject>, Error> {
    let record = flags.record.clone();
    match &*flags.domains {
        [] => Ok(vec![Subject { domain: None, record }]),
        [_, _, ..] if record.is_some() => {
            Err(Error::Usage("a --record is that of one domain; name one, or none"))
        }
        domains => domains
            .iter()
            .map(|domain| Ok(Subject { domain: Some(a_domain(domain)?), record: record.clone() }))
            .collect(),
    }
}

/// A domain as somebody writes it.
///
/// # Errors
/// It can be none, in words with the cure.
pub(crate) fn a_domain(text: &str) -> Result<String, Error> {
    let name = domain::to_ascii(text.trim());
    let is_label = |label: &str| {
        (1..=domain::LABEL_MAX).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
    };
    if name.len() <= domain::HOST_NAME_MAX && name.split('.').all(is_label) {
        return Ok(name);
    }
    let shown = crate::style::excerpt(text, 80);
    let cure = match text {
        text if text.trim_start().to_ascii_lowercase().starts_with("v=spf") => {
            "; a text is looked over by --record"
        }
        text if text.contains('@') => "; write what stands behind the @",
        text if text.contains("://") => "; write the name without the rest of the address",
        _ => ", such as `example.com`",
    };
    Err(Error::Unclear(format!("`{shown}` is no domain{cure}")))
}

/// Writes a report in the form that is wanted.
fn write(json: bool, report: &LintReport, domain: Option<&str>) -> Result<(), Error> {
    if json {
        io::stdout().lock().write_all(&line(&LintJson::new(report, domain)))?;
    } else {
        let mut out = anstream::stdout().lock();
        text::write(&mut out, report, domain)?;
    }
    Ok(())
}
