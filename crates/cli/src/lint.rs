//! `lint`: what is wrong or doubtful about what domains publish.

mod domains;
pub(crate) mod driver;
pub(crate) mod text;

use std::io::{self, Write};
use std::process::ExitCode;

use quivive_contract::{LintJson, line};
use quivive_evidence::{LintReport, Method, Severity, Subject};
use quivive_mail::domain;
use quivive_verdict::{Inspector, linted_methods};

use crate::command_line::{self, Global};
use crate::error::Error;
use crate::style::STRONG;
use crate::{terminal, world};
use driver::Inspectors;

/// Looks over one text, one domain, or many.
///
/// # Errors
/// What hinders it. Errors in a record are none: they make the exit code 1.
pub(crate) fn run(global: &Global, flags: &command_line::Lint) -> Result<ExitCode, Error> {
    let config = world::config(global)?;
    let policy = config.policy();
    let methods = methods(flags)?;
    let asks = flags.record.is_none() || global.zone.is_some() || global.resolver.is_some();
    let inspectors = Inspectors {
        inspector: Inspector::new(&methods, &policy),
        resolver: if asks { Some(world::resolver(global, &config)?) } else { None },
        are_named: !flags.all_methods(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(path) = &flags.file {
        return runtime.block_on(domains::run(inspectors, path, global.json));
    }
    let subjects = subjects(flags)?;
    let mut is_faulty = false;
    for (index, subject) in subjects.iter().enumerate() {
        let reports = runtime.block_on(inspectors.inspect(subject));
        is_faulty |= reports.iter().any(|report| report.count(Severity::Error) > 0);
        if index > 0 && !global.json {
            writeln!(io::stdout())?;
        }
        write(global.json, &reports, subject.domain.as_deref())?;
    }
    Ok(if is_faulty { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whose records are looked over: a text is one of SPF, unless another method is named; of a domain
/// everything is.
fn methods(flags: &command_line::Lint) -> Result<Vec<Method>, Error> {
    let named: Vec<Method> = flags.method.iter().chain(&flags.methods).copied().collect();
    let has_linter = |method: &Method| linted_methods().any(|linted| linted == *method);
    match named.iter().find(|method| !has_linter(method)) {
        Some(method) => Err(no_linter(*method)),
        None if !named.is_empty() => Ok(named),
        None if flags.record.is_some() => Ok(vec![Method::Spf]),
        None => Ok(linted_methods().collect()),
    }
}

fn no_linter(method: Method) -> Error {
    let there_are: Vec<_> = linted_methods().map(|method| method.word()).collect();
    Error::Unclear(format!(
        "there is nothing to lint for the method `{method}` in this version; there are: {}",
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
    domain::read(text).map_err(|cure| {
        let is_record = text.trim_start().to_ascii_lowercase().starts_with("v=spf");
        let cure = if is_record { "a text is looked over by --record" } else { cure };
        let shown = crate::style::excerpt(text, 80);
        Error::Unclear(format!("`{shown}` is no domain; {cure}"))
    })
}

/// Writes the reports about a subject in the form that is wanted.
fn write(json: bool, reports: &[LintReport], domain: Option<&str>) -> Result<(), Error> {
    if json {
        let mut out = io::stdout().lock();
        reports
            .iter()
            .try_for_each(|report| out.write_all(&line(&LintJson::new(report, domain))))?;
        return Ok(());
    }
    let mut out = terminal::stdout();
    for (index, report) in reports.iter().enumerate() {
        if reports.len() > 1 {
            let blank = if index > 0 { "\n" } else { "" };
            writeln!(out, "{blank}{STRONG}{}{STRONG:#}", report.method.name())?;
        }
        text::write(&mut out, report, domain)?;
    }
    Ok(())
}
