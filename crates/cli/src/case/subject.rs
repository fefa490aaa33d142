use std::io::{self, Write};

use quivive_store::{Store, Subject};
use serde::Serialize;

use super::{open_to_read, settings};
use crate::command_line::{CaseSubject, Global};
use crate::error::Error;
use crate::{json, world};

/// What `case erase --json` says.
#[derive(Serialize)]
struct ErasedJson {
    erased: u64,
}

/// Writes every case of a subject as JSON, with or without `--json`: it is for machines.
pub(super) async fn export(global: &Global, flags: CaseSubject) -> Result<(), Error> {
    let (_, store) = open_to_read(global, &flags.store)?;
    let mut out = io::stdout().lock();
    let mut written = Ok(());
    let write = |case| {
        if written.is_ok() {
            written = out.write_all(&json::line(&case));
        }
    };
    let count = store.export(&subject(flags)?, write).await?;
    written?;
    writeln!(io::stderr(), "{count} exported")?;
    Ok(())
}

/// Forgets every case of a subject.
pub(super) async fn erase(global: &Global, flags: CaseSubject) -> Result<(), Error> {
    let config = world::kept_config(global)?;
    let store = Store::open_existing(settings(&config, &flags.store)?).await?;
    let erased = store.erase(&subject(flags)?).await;
    store.close().await;
    let erased = erased?;
    if global.json {
        io::stdout().lock().write_all(&json::line(&ErasedJson { erased }))?;
    } else {
        writeln!(io::stdout(), "{erased} erased")?;
    }
    Ok(())
}

fn subject(flags: CaseSubject) -> Result<Subject, Error> {
    let domain = flags.domain.map(Subject::Domain);
    let subject = flags.address.map(Subject::Address).or(domain);
    subject.ok_or(Error::Usage("name an --address or a --domain"))
}
