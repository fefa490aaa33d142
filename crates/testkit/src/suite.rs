//! The OpenSPF test suite for RFC 7208, read from its own YAML file.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use quivive_evidence::{Failure, RecordType};
use quivive_resolver::{NameError, Zone};
use serde::Deserialize;
use serde_norway::{Deserializer, Value};
use thiserror::Error;

/// The name of the suite's file below the folder of suites.
pub const FILE: &str = "spf/rfc7208-tests.yml";

/// The environment variable that names a folder of suites.
pub const FOLDER_VARIABLE: &str = "QUIVIVE_SUITES";

/// The SPF record type that nobody should ask for any more (RFC 7208 section 3.1).
const SPF: RecordType = RecordType::Other(99);

/// Some cases and the DNS that they see, which is theirs alone.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it is about.
    pub description: String,
    /// All the DNS there is.
    pub zone: Zone,
    /// The cases, in the order of the file.
    pub cases: Vec<Case>,
}

/// One check.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name, unique within the suite.
    pub id: String,
    /// The sections of the specification it tests.
    pub spec: Vec<String>,
    /// The client's address.
    pub ip: IpAddr,
    /// The argument of HELO.
    pub helo: String,
    /// The reverse-path; empty for the null reverse-path.
    pub mail_from: String,
    /// The results that pass, in lower case, the preferred one first.
    pub expected: Vec<String>,
    /// The explanation of a `fail`; `DEFAULT` stands for the receiver's own.
    pub explanation: Option<String>,
}

/// Why the suite cannot be used.
#[derive(Debug, Error)]
pub enum SuiteError {
    /// The file cannot be read.
    #[error("cannot read the test suite {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no YAML of the suite's shape.
    #[error("the test suite is not in its form: {0}")]
    Form(#[from] serde_norway::Error),
    /// A case or a record is not as the suite's form has it.
    #[error("the test suite has {0}")]
    Unexpected(String),
    /// A name of the zone is none.
    #[error("the test suite's zone: {0}")]
    Name(#[from] NameError),
}

/// The suite's file, if it is anywhere: in the folder that `QUIVIVE_SUITES` names, in
/// `../shared/suites` beside the workspace, or in `target/suites`, where the test command puts it.
pub fn find() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
    let folders = [workspace.join("../shared/suites"), workspace.join("target/suites")];
    named.into_iter().chain(folders).map(|folder| folder.join(FILE)).find(|file| file.is_file())
}

/// As [`find`], for a test that can do nothing without the suite: says so where it is nowhere.
///
/// # Panics
/// If `QUIVIVE_SUITES` names a folder that lacks it: then it was meant to be there.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub fn find_or_say() -> Option<PathBuf> {
    let found = find();
    if found.is_none() {
        let named = std::env::var_os(FOLDER_VARIABLE);
        assert!(named.is_none(), "{FOLDER_VARIABLE} names a folder without {FILE}");
        eprintln!("skipped: {FILE} is not here; `cargo xtask test` fetches it");
    }
    found
}

/// Reads the suite's file.
///
/// # Errors
/// The file cannot be read or is not the suite.
pub fn load(path: &Path) -> Result<Vec<Scenario>, SuiteError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SuiteError::Unreadable { path: path.to_owned(), source })?;
    parse(&text)
}

/// Reads the suite's text.
///
/// # Errors
/// The text is not the suite.
pub fn parse(text: &str) -> Result<Vec<Scenario>, SuiteError> {
    let mut scenarios = Vec::new();
    for document in Deserializer::from_str(text) {
        if let Some(document) = Option::<Document>::deserialize(document)? {
            scenarios.push(document.scenario()?);
        }
    }
    Ok(scenarios)
}

#[derive(Deserialize)]
struct Document {
    description: String,
    tests: serde_norway::Mapping,
    zonedata: serde_norway::Mapping,
}

#[derive(Deserialize)]
struct Test {
    spec: OneOrMore<Section>,
    helo: String,
    host: String,
    mailfrom: String,
    result: OneOrMore<String>,
    explanation: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

/// A section's number, which is text with a paragraph (`4.4/1`) and else a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Section {
    Text(String),
    Number(serde_norway::Number),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

impl From<Section> for String {
    fn from(section: Section) -> Self {
        match section {
            Section::Text(text) => text,
            Section::Number(number) => number.to_string(),
        }
    }
}

impl Document {
    fn scenario(self) -> Result<Scenario, SuiteError> {
        let mut zone = Zone::new();
        for (name, entries) in self.zonedata {
            let name: String = serde_norway::from_value(name)?;
            let entries: Vec<Value> = serde_norway::from_value(entries)?;
            add_name(&mut zone, &name, &entries)?;
        }
        let cases = self.tests.into_iter().map(|(id, test)| {
            let id: String = serde_norway::from_value(id)?;
            let test: Test = serde_norway::from_value(test)?;
            let ip = test.host.parse();
            Ok(Case {
                spec: test.spec.into_vec().into_iter().map(String::from).collect(),
                ip: ip.map_err(|_| unexpected("no address", &test.host))?,
                helo: test.helo,
                mail_from: test.mailfrom,
                expected: test.result.into_vec().iter().map(|r| r.to_ascii_lowercase()).collect(),
                explanation: test.explanation,
                id,
            })
        });
        let cases = cases.collect::<Result<_, SuiteError>>()?;
        Ok(Scenario { description: self.description, zone, cases })
    }
}

/// What a name of the zone has, by the suite's rules.
fn add_name(zone: &mut Zone, name: &str, entries: &[Value]) -> Result<(), SuiteError> {
    let mut listed = Vec::new();
    let mut times_out = false;
    let mut policies = Vec::new();
    let mut has_txt = false;
    for entry in entries {
        if entry.as_str() == Some("TIMEOUT") {
            times_out = true;
            zone.fail_except(name, &listed, Failure::Timeout)?;
            continue;
        }
        let (word, value) = single(entry)?;
        let record_type = record_type(word)?;
        has_txt |= record_type == RecordType::Txt;
        if value.as_str() == Some("NONE") && record_type == RecordType::Txt {
            continue;
        }
        if !times_out {
            listed.push(record_type);
        }
        if value.as_str() == Some("TIMEOUT") {
            zone.fail(name, Some(record_type), Failure::Timeout)?;
            continue;
        }
        add_record(zone, name, record_type, value)?;
        if record_type == SPF {
            policies.push(strings(value)?);
        }
    }
    // SPF stands for TXT where no TXT is named; the copy comes after a bare TIMEOUT.
    if !has_txt && !times_out {
        for strings in policies {
            zone.add_txt_strings(name, &strings)?;
        }
    }
    Ok(())
}

fn add_record(
    zone: &mut Zone,
    name: &str,
    record_type: RecordType,
    value: &Value,
) -> Result<(), SuiteError> {
    let text = || value.as_str().ok_or_else(|| unexpected("a record without text", value));
    match record_type {
        RecordType::A => {
            let address = text()?.parse().map_err(|_| unexpected("no IPv4 address", value))?;
            zone.add_a(name, address)?;
        }
        RecordType::Aaaa => {
            let address = text()?.parse().map_err(|_| unexpected("no IPv6 address", value))?;
            zone.add_aaaa(name, address)?;
        }
        RecordType::Ptr => zone.add_ptr(name, text()?)?,
        RecordType::Mx => {
            let (preference, exchange): (u16, String) = serde_norway::from_value(value.clone())?;
            zone.add_mx(name, preference, &exchange)?;
        }
        RecordType::Txt => zone.add_txt_strings(name, &strings(value)?)?,
        SPF => zone.add_spf_strings(name, &strings(value)?)?,
        _ => zone.add_cname(name, text()?)?,
    }
    Ok(())
}

fn record_type(word: &str) -> Result<RecordType, SuiteError> {
    match word {
        "SPF" => Ok(SPF),
        "CNAME" => Ok(RecordType::Other(5)),
        word => word.parse().map_err(|()| unexpected("no record type", word)),
    }
}

/// The one pair of a mapping.
fn single(entry: &Value) -> Result<(&str, &Value), SuiteError> {
    let pair = entry.as_mapping().filter(|mapping| mapping.len() == 1);
    let pair = pair.and_then(|mapping| mapping.iter().next());
    let pair = pair.and_then(|(word, value)| Some((word.as_str()?, value)));
    pair.ok_or_else(|| unexpected("no record", entry))
}

/// The character-strings of a record: each character is one octet.
fn strings(value: &Value) -> Result<Vec<Vec<u8>>, SuiteError> {
    let strings: OneOrMore<String> = serde_norway::from_value(value.clone())?;
    let octets = |text: &String| {
        let octets = text.chars().map(|character| u8::try_from(u32::from(character)));
        octets.collect::<Result<_, _>>().map_err(|_| unexpected("no octets", text))
    };
    strings.into_vec().iter().map(octets).collect()
}

fn unexpected(what: &str, value: impl std::fmt::Debug) -> SuiteError {
    SuiteError::Unexpected(format!("{what} in {value:?}"))
}

#[cfg(test)]
mod tests {
    use quivive_evidence::{DnsAnswer, DnsQuestion, Question};

    use super::*;

    fn ask(zone: &Zone, name: &str, record_type: RecordType) -> DnsAnswer {
        let Question::Dns(question) = Question::dns(name, record_type) else { unreachable!() };
        zone.answer(&question)
    }

    fn scenario(zone: &str) -> Zone {
        let text = format!("description: d\ntests: {{}}\nzonedata:\n{zone}");
        parse(&text).unwrap().remove(0).zone
    }

    #[test]
    fn spf_stands_for_txt_where_there_is_none() {
        let zone = scenario(
            " a:\n  - SPF: one\n  - SPF: [t, wo]\n b:\n  - SPF: one\n  - TXT: two\n \
             c:\n  - SPF: one\n  - TXT: NONE\n d:\n  - SPF: []\n e:\n  - SPF: \"\\x96\"\n",
        );
        let texts = |name, record_type| ask(&zone, name, record_type).record_texts();
        assert_eq!(texts("a", RecordType::Txt), ["one", "two"]);
        assert_eq!(texts("a", SPF).len(), 2);
        assert_eq!(texts("b", RecordType::Txt), ["two"]);
        assert_eq!(ask(&zone, "c", RecordType::Txt).status(), "nodata");
        assert_eq!(texts("d", RecordType::Txt), [""]);
        let DnsAnswer::Txt(answer) = ask(&zone, "e", RecordType::Txt) else { unreachable!() };
        assert_eq!(*answer.records().unwrap()[0].0, [0x96]);
    }

    #[test]
    fn time_outs_spare_what_is_listed_before() {
        let zone = scenario(
            " a:\n  - TXT: one\n  - TIMEOUT\n b:\n  - SPF: one\n  - TIMEOUT\n \
             c:\n  - SPF: one\n  - TXT: NONE\n  - TIMEOUT\n d:\n  - A: TIMEOUT\n  - TXT: one\n",
        );
        let status = |name, record_type| ask(&zone, name, record_type).status();
        assert_eq!(
            (status("a", RecordType::Txt), status("a", RecordType::A)),
            ("found", "timeout")
        );
        assert_eq!(status("b", RecordType::Txt), "timeout");
        assert_eq!(status("b", SPF), "found");
        assert_eq!(status("c", RecordType::Txt), "timeout");
        assert_eq!(
            (status("d", RecordType::A), status("d", RecordType::Txt)),
            ("timeout", "found")
        );
    }

    #[test]
    fn cases_are_read() {
        let text = "description: d\ntests:\n  t:\n    spec: [4.4/1, 4.5]\n    helo: h\n    \
            host: 1.2.3.4\n    mailfrom: ''\n    strict: 2\n    result: [Fail, permerror]\n    \
            explanation: DEFAULT\nzonedata: {}\n---\n";
        let scenarios = parse(text).unwrap();
        let [case] = &scenarios[0].cases[..] else { panic!("{scenarios:?}") };
        assert_eq!((&case.id[..], &case.spec[..]), ("t", &["4.4/1".to_owned(), "4.5".into()][..]));
        assert_eq!(case.expected, ["fail", "permerror"]);
        assert_eq!(case.explanation.as_deref(), Some("DEFAULT"));
        assert_eq!((case.ip.to_string(), &case.mail_from[..]), ("1.2.3.4".into(), ""));
    }

    #[test]
    fn the_whole_suite_is_read() {
        let Some(file) = find_or_say() else { return };
        let scenarios = load(&file).unwrap();
        assert_eq!(scenarios.iter().map(|scenario| scenario.cases.len()).sum::<usize>(), 203);
        let question = DnsQuestion { name: "nowhere.test".into(), record_type: RecordType::A };
        for scenario in &scenarios {
            assert!(!scenario.zone.is_empty(), "{}", scenario.description);
            assert_eq!(scenario.zone.answer(&question).status(), "nxdomain");
        }
    }
}
