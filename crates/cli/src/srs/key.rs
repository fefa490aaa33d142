//! Secrets for SRS: made, listed, and forgotten when nothing that they signed is good any more.
//!
//! A secret that we make begins with its day. So the file itself tells until when an older one
//! signed, and nothing but secrets need be in it.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use data_encoding::BASE32_NOPAD;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use quivive_server::secret_file::FileError;
use quivive_srs::{SECRET_OCTETS_ADVISED, Secret, Secrets, SecretsError};
use serde::{Serialize, Serializer};

use super::secret_path;
use crate::command_line::{Global, SrsKey, SrsKeyId, SrsKeyList, SrsKeyNew, SrsKeyRetire};
use crate::error::Error;
use crate::json;
use crate::secret_file::{self, SecretFileError};
use crate::style::{self, QUIET, STRONG, printable};

/// Random octets of a secret.
const RANDOM_OCTETS: usize = 20;

/// Octets of the day before them, `2026-01-31.`
const DAY_OCTETS: usize = 11;

/// A secret as it is shown: never itself.
#[derive(Serialize)]
struct KeyJson {
    place: usize,
    id: String,
    #[serde(serialize_with = "as_text")]
    made: Option<Date>,
    /// It is the first.
    signs: bool,
    /// Whether it may be tried out.
    short: bool,
    /// The last day on which an address that it signed may be good; none while it signs or where
    /// nobody knows when it stopped.
    #[serde(serialize_with = "as_text")]
    believed_until: Option<Date>,
    /// That day is past.
    can_retire: bool,
}

pub(super) fn run(global: &Global, command: SrsKey) -> Result<ExitCode, Error> {
    match command {
        SrsKey::New(new) => make(global, &new),
        SrsKey::List(list) => show(global, &list),
        SrsKey::Sign(which) => sign(global, &which),
        SrsKey::Retire(retire) => self::retire(global, &retire),
    }
}

fn make(global: &Global, new: &SrsKeyNew) -> Result<ExitCode, Error> {
    let path = secret_path(global, &new.secrets)?;
    let secret = random_secret()?;
    let id = secret.id();
    secret_file::change(&path, |known| {
        let mut secrets: Vec<Secret> = known.iter().flat_map(Secrets::iter).cloned().collect();
        let place = if new.standby { secrets.len() } else { 0 };
        secrets.insert(place, secret);
        Ok::<_, Error>((checked(&path, secrets)?, ()))
    })?;
    tell(global, &path, &id)
}

fn random_secret() -> Result<Secret, Error> {
    let mut random = [0; RANDOM_OCTETS];
    getrandom::fill(&mut random)?;
    let text = format!("{}.{}", today(), BASE32_NOPAD.encode(&random).to_lowercase());
    Ok(Secret::new(text.as_bytes()).expect("it is not empty"))
}

fn show(global: &Global, list: &SrsKeyList) -> Result<ExitCode, Error> {
    let path = secret_path(global, &list.secrets)?;
    let keys = keys(&path, list.max_age_days)?;
    if global.json {
        let mut out = io::stdout().lock();
        for key in &keys {
            out.write_all(&json::line(key))?;
        }
    } else {
        let mut out = anstream::stdout().lock();
        for key in &keys {
            write_key(&mut out, key)?;
        }
    }
    if let Err(SecretFileError::File(open @ FileError::Open { .. })) = secret_file::read(&path) {
        writeln!(io::stderr(), "quivive: warning: {open}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn sign(global: &Global, which: &SrsKeyId) -> Result<ExitCode, Error> {
    let path = secret_path(global, &which.secrets)?;
    secret_file::change(&path, |known| {
        let mut secrets = known_secrets(&path, known)?;
        let place = find(&secrets, &which.id)?;
        let secret = secrets.remove(place);
        secrets.insert(0, secret);
        Ok::<_, Error>((checked(&path, secrets)?, ()))
    })?;
    tell(global, &path, &which.id)
}

fn retire(global: &Global, retire: &SrsKeyRetire) -> Result<ExitCode, Error> {
    let path = secret_path(global, &retire.key.secrets)?;
    let keys = keys(&path, retire.max_age_days)?;
    secret_file::change(&path, |known| {
        let mut secrets = known_secrets(&path, known)?;
        let place = find(&secrets, &retire.key.id)?;
        let key = keys.iter().find(|key| key.id == retire.key.id);
        may_retire(place, key.filter(|key| key.place == place + 1), retire.force)?;
        secrets.remove(place);
        Ok::<_, Error>((checked(&path, secrets)?, ()))
    })?;
    if !global.json {
        writeln!(io::stdout(), "{} is forgotten", retire.key.id)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn may_retire(place: usize, key: Option<&KeyJson>, force: bool) -> Result<(), Error> {
    if place == 0 {
        let text = "this secret signs; make a new one first with `quivive srs key new`";
        return Err(Error::Unclear(text.to_owned()));
    }
    match key {
        _ if force => Ok(()),
        Some(KeyJson { can_retire: true, .. }) => Ok(()),
        Some(KeyJson { believed_until: Some(until), .. }) => Err(Error::Unclear(format!(
            "addresses that it signed are good until {until}, and bounces to them would be lost; \
             wait, or say --force"
        ))),
        _ => Err(Error::Unclear(
            "nobody knows how long ago it signed, and bounces to its addresses may be lost; \
             --force forgets it all the same"
                .to_owned(),
        )),
    }
}

/// The secrets of a file as they are shown.
fn keys(path: &Path, max_age_days: u16) -> Result<Vec<KeyJson>, Error> {
    let secrets = secret_file::read_any(path)?;
    let changed_at = secret_file::changed_at(path)?;
    let secrets: Vec<&Secret> = secrets.iter().collect();
    let made: Vec<Option<Date>> = secrets.iter().map(|secret| made_on(secret)).collect();
    let key = |place: usize| {
        // It signed at most until the one before it was made, or got its place.
        let ended = match place {
            0 => None,
            1 => made[0].max(Some(day_of(changed_at))),
            _ => made[place - 1],
        };
        let good = (i64::from(max_age_days) + 1).days();
        let believed_until = ended.map(|ended| ended.saturating_add(good));
        KeyJson {
            place: place + 1,
            id: secrets[place].id(),
            made: made[place],
            signs: place == 0,
            short: secrets[place].key().len() < SECRET_OCTETS_ADVISED,
            believed_until,
            can_retire: believed_until.is_some_and(|until| until < today()),
        }
    };
    Ok((0..secrets.len()).map(key).collect())
}

fn as_text<S: Serializer>(day: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match day {
        Some(day) => serializer.collect_str(day),
        None => serializer.serialize_none(),
    }
}

/// The day with which a secret begins that we made.
fn made_on(secret: &Secret) -> Option<Date> {
    let text = str::from_utf8(secret.key().get(..DAY_OCTETS)?).ok()?;
    text.strip_suffix('.')?.parse().ok()
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

fn day_of(at: u64) -> Date {
    let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_second(at).ok());
    at.unwrap_or_default().to_zoned(TimeZone::UTC).date()
}

fn find(secrets: &[Secret], id: &str) -> Result<usize, Error> {
    secrets.iter().position(|secret| secret.id() == id).ok_or_else(|| {
        let id = printable(id);
        Error::Unclear(format!("there is no secret `{id}`; `quivive srs key list` shows the ids"))
    })
}

fn known_secrets(path: &Path, known: Option<Secrets>) -> Result<Vec<Secret>, Error> {
    let none = || SecretFileError::Unusable { path: path.to_owned(), error: SecretsError::None };
    Ok(known.ok_or_else(none)?.iter().cloned().collect())
}

fn checked(path: &Path, secrets: Vec<Secret>) -> Result<Secrets, Error> {
    let unusable = |error| SecretFileError::Unusable { path: path.to_owned(), error };
    Ok(Secrets::new(secrets).map_err(unusable)?)
}

/// Says what a secret does now.
fn tell(global: &Global, path: &Path, id: &str) -> Result<ExitCode, Error> {
    let keys = keys(path, 0)?;
    let Some(key) = keys.iter().find(|key| key.id == id) else { return Ok(ExitCode::SUCCESS) };
    let mut out = io::stdout().lock();
    match (global.json, key.signs) {
        (true, _) => out.write_all(&json::line(key))?,
        (false, true) => writeln!(out, "{id} signs from now on in {}", path.display())?,
        (false, false) => writeln!(
            out,
            "{id} is believed in {}; when all machines have the file: quivive srs key sign {id}",
            path.display()
        )?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write_key(out: &mut impl Write, key: &KeyJson) -> io::Result<()> {
    let (place, id) = (key.place, &key.id);
    let made = key.made.map_or_else(|| "of another hand".to_owned(), |day| format!("made {day}"));
    write!(out, "{place:>2}  {STRONG}{id}{STRONG:#}  {QUIET}{made:<15}{QUIET:#}  ")?;
    let style = style::of_promise(key.signs);
    match (key.signs, key.believed_until, key.can_retire) {
        (true, _, _) => write!(out, "{style}signs{style:#}")?,
        (_, Some(until), false) => write!(out, "believed, needed until {until}")?,
        (_, Some(until), true) => write!(out, "believed, not needed since {until}: retire it")?,
        (_, None, _) => write!(out, "believed")?,
    }
    match key.short {
        true => writeln!(out, "; shorter than {SECRET_OCTETS_ADVISED} octets: make a new one"),
        false => writeln!(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_begins_with_its_day() {
        let secret = random_secret().unwrap();
        assert_eq!(made_on(&secret), Some(today()));
        assert!(secret.key().len() >= 2 * SECRET_OCTETS_ADVISED);
        assert_ne!(secret.key(), random_secret().unwrap().key());
        for text in ["tops3cr3t", "2026-13-01.abc", "2026-01-31", "2026-01-31xabc", "é026-01-31."]
        {
            assert_eq!(made_on(&Secret::new(text.as_bytes()).unwrap()), None, "{text}");
        }
    }
}
