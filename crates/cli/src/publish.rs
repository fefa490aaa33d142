//! `publish`: the records that say who sends for a domain, as lines of a zone.

mod senders;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use quivive_contract::{PublishJson, line};
use quivive_evidence::{
    Answer, DnsAnswer, LintReport, Method, Mx, Notebook, Octets, Outcome, Publication, Publish,
    Senders, Severity, Source, Subject, ZoneData, ZoneRecord,
};
use quivive_resolver::Resolver;
use quivive_verdict::{
    Flattened, Flattening, Policy, Unflattened, flatten, linter, published_methods, publisher,
};

use crate::command_line::{self, Global};
use crate::error::Error;
use crate::lint::driver::Linter;
use crate::lint::text;
use crate::style::{self, QUIET, STRONG, printable};
use crate::{terminal, world};

/// How long the look-ups of a flattening may take together.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a flattened record must be written anew, in seconds at most.
const STALE_SECONDS: u32 = 3600;

/// What was written for a method, and what its linter says.
struct Written {
    method: Method,
    publication: Publication,
    report: LintReport,
}

/// Prints the records on standard output, and what is to be said about them on standard error.
///
/// # Errors
/// What hinders it. An error in what was written makes the exit code 1.
pub(crate) fn run(global: &Global, flags: &command_line::Publish) -> Result<ExitCode, Error> {
    let config = world::config(global)?;
    let policy = config.policy();
    let senders = senders::of(flags)?;
    let publishers = publishers(flags, &policy)?;
    let flattens = flags.flatten || publishers.iter().any(|one| one.needs_networks());
    let needs_dns = flattens && !senders.is_networks_only();
    let asks = flags.ask || needs_dns || global.zone.is_some() || global.resolver.is_some();
    let resolver = if asks { Some(world::resolver(global, &config)?) } else { None };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let flattened = match &resolver {
            Some(resolver) if needs_dns => Some(flatten_by(resolver, &senders).await),
            _ => None,
        };
        let published = publishers.iter().map(|publisher| {
            let by_networks = flags.flatten || publisher.needs_networks();
            let of = flattened.as_ref().filter(|_| by_networks);
            (publisher.method(), publish(&**publisher, &senders, of))
        });
        let published: Vec<(Method, Publication)> = published.collect();
        // One scheme may rest on the records of another, such as Sender ID on SPF's.
        let records = published.iter().flat_map(|(_, publication)| &publication.records);
        let notebook = notebook(records);
        let mut written = Vec::new();
        for (method, publication) in published {
            let report = lint(notebook.clone(), method, &policy, &resolver, &senders).await;
            written.push(Written { method, publication, report });
        }
        write(
            global.json,
            &senders.domain,
            &written,
            resolver.is_none() && !senders.is_networks_only(),
        )
    })
}

fn publishers(
    flags: &command_line::Publish,
    policy: &Policy,
) -> Result<Vec<Box<dyn Publish>>, Error> {
    let methods: Vec<Method> = match flags.method {
        command_line::MethodOrAll::All => published_methods().collect(),
        command_line::MethodOrAll::One(method) => vec![method],
    };
    let publisher = |method: &Method| {
        publisher(*method, policy).ok_or_else(|| {
            let there_are: Vec<_> = published_methods().map(|method| method.word()).collect();
            Error::Unclear(format!(
                "nothing is published for the method `{method}` in this version; there are: {}, all",
                there_are.join(", ")
            ))
        })
    };
    methods.iter().map(publisher).collect()
}

async fn flatten_by(resolver: &Resolver, senders: &Senders) -> Flattening {
    let mut notebook = Notebook::default();
    loop {
        let flattening = flatten(senders, &notebook);
        if flattening.missing.is_empty() {
            return flattening;
        }
        resolver.note_answers(&flattening.missing, &mut notebook, PATIENCE).await;
    }
}

/// The records of a method, with what goes stale in them.
fn publish(
    publisher: &dyn Publish,
    senders: &Senders,
    flattening: Option<&Flattening>,
) -> Publication {
    let Some(flattening) = flattening else { return publisher.publish(senders) };
    let mut publication = publisher.publish(&flattening.senders);
    let stale: Vec<_> = flattening.flattened.iter().map(stale).collect();
    if let Some(ttl) = flattening.flattened.iter().map(|one| one.ttl).min() {
        publication.warnings.extend(stale);
        publication.warnings.push(format!(
            "the addresses are those of now: write the records anew every {} at least, keep old \
             networks for two days, and prefer the names wherever they fit",
            seconds(ttl.min(STALE_SECONDS))
        ));
    }
    let unflattened = |Unflattened { term, reason }: &Unflattened| {
        if publisher.needs_networks() {
            format!("`{term}` is left out, and what it sends is refused: {reason}")
        } else {
            format!("`{term}` stays: {reason}")
        }
    };
    publication.warnings.extend(flattening.problems.iter().map(unflattened));
    publication
}

fn stale(flattened: &Flattened) -> String {
    let Flattened { term, networks, ttl } = flattened;
    let networks = match networks {
        1 => "1 network".to_owned(),
        count => format!("{count} networks"),
    };
    format!(
        "`{term}` became {networks}, and may change any time (its answers hold {})",
        seconds(*ttl)
    )
}

fn seconds(seconds: u32) -> String {
    match seconds {
        0 | 1 => "1 second".to_owned(),
        seconds if seconds < 120 => format!("{seconds} seconds"),
        seconds if seconds < 7200 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3600),
    }
}

/// Looks over what was written, as if it were published.
async fn lint(
    notebook: Notebook,
    method: Method,
    policy: &Policy,
    resolver: &Option<Resolver>,
    senders: &Senders,
) -> LintReport {
    let Some(lint) = linter(method, policy) else { return LintReport::new(method, "") };
    let subject = Subject { domain: Some(senders.domain.clone()), record: None };
    Linter::new(lint, resolver.clone()).lint_with(&subject, notebook).await
}

/// Answers as a name server would give them that had these records.
fn notebook<'r>(records: impl Iterator<Item = &'r ZoneRecord>) -> Notebook {
    let mut sets: BTreeMap<(&str, u16), Vec<&ZoneData>> = BTreeMap::new();
    for record in records {
        let key = (&*record.name, record.data.record_type().number());
        sets.entry(key).or_default().push(&record.data);
    }
    let mut notebook = Notebook::default();
    for ((name, number), data) in sets {
        notebook.note(&name.into(), answer(number, &data));
    }
    notebook
}

fn answer(number: u16, data: &[&ZoneData]) -> DnsAnswer {
    fn of<T>(data: &[&ZoneData], read: impl Fn(&ZoneData) -> Option<T>) -> Arc<Answer<T>> {
        let records = data.iter().filter_map(|data| read(data)).collect();
        Arc::new(Answer::new(Outcome::of(records), Source::default()))
    }
    match data[0] {
        ZoneData::A(_) => DnsAnswer::A(of(data, |data| match data {
            ZoneData::A(address) => Some(*address),
            _ => None,
        })),
        ZoneData::Aaaa(_) => DnsAnswer::Aaaa(of(data, |data| match data {
            ZoneData::Aaaa(address) => Some(*address),
            _ => None,
        })),
        ZoneData::Mx(..) => DnsAnswer::Mx(of(data, |data| match data {
            ZoneData::Mx(preference, exchange) => {
                Some(Mx { preference: *preference, exchange: (&**exchange).into() })
            }
            _ => None,
        })),
        ZoneData::Txt(_) => DnsAnswer::Txt(of(data, |data| match data {
            ZoneData::Txt(text) => Some(Octets::from(&**text)),
            _ => None,
        })),
        ZoneData::Cname(_) | ZoneData::Other(..) => DnsAnswer::Other(
            number,
            of(data, |data| match data {
                ZoneData::Other(_, octets) => Some(Octets::from(&**octets)),
                _ => None,
            }),
        ),
    }
}

fn write(
    json: bool,
    domain: &str,
    written: &[Written],
    asked_nobody: bool,
) -> Result<ExitCode, Error> {
    let mut out = io::stdout().lock();
    let mut is_faulty = false;
    for Written { method, publication, report } in written {
        is_faulty |= report.count(Severity::Error) > 0;
        if json {
            out.write_all(&line(&PublishJson::new(*method, domain, publication, report)))?;
            continue;
        }
        if written.len() > 1 {
            writeln!(out, "; {method}")?;
        }
        for record in &publication.records {
            writeln!(out, "{record}")?;
        }
    }
    drop(out);
    if !json {
        tell(domain, written, asked_nobody)?;
    }
    Ok(if is_faulty { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is to be said about the records, beside them.
fn tell(domain: &str, written: &[Written], asked_nobody: bool) -> io::Result<()> {
    let mut out = terminal::stderr();
    for Written { method, publication, report } in written {
        for warning in &publication.warnings {
            let style = style::of_doubt();
            writeln!(out, "{style}{method}{style:#}: {}", printable(warning))?;
        }
        if !report.remarks.is_empty() {
            writeln!(out)?;
        }
        text::write_remarks(&mut out, report, Some(domain))?;
        writeln!(out, "{STRONG}{method}{STRONG:#}: {QUIET}{}{QUIET:#}", text::summary(report))?;
    }
    if asked_nobody {
        writeln!(out, "{QUIET}nobody was asked whether the names exist; --ask asks DNS{QUIET:#}")?;
    }
    Ok(())
}
