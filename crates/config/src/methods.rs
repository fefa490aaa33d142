use std::collections::BTreeMap;
use std::path::Path;

use quivive_evidence::{Identity, Method};
use quivive_verdict::Mode;

use crate::reading::Reading;
use crate::section::Section;
use crate::settings::{Key, Reload, key};
use crate::value::{Item, Value, Word, choose};
use crate::{Built, Problem, Row, write};

/// How the methods run that `[methods]` names. One that is not named is off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods {
    modes: BTreeMap<Method, Mode>,
    legacy_headers: bool,
}

/// A method, as the configuration knows it.
pub(crate) struct MethodRow {
    pub(crate) method: Method,
    pub(crate) built: Built,
    /// What it can judge.
    pub(crate) identities: &'static [Identity],
}

/// All methods. Where the sheet takes HELO for a null sender, `helo` is an identity too.
pub(crate) const METHODS: &[MethodRow] = {
    use Identity::*;
    &[
        row(Method::Spf, Built::Now, &[Helo, Mailfrom]),
        row(Method::SenderId, Built::Now, &[Mailfrom, Pra]),
        row(Method::CallerId, Built::Now, &[Pra]),
        row(Method::MailFromMx, Built::Now, &[Mailfrom, Helo]),
        row(Method::Rmx, Built::Now, &[Mailfrom, Helo]),
        row(Method::Dmp, Built::Now, &[Mailfrom, Helo]),
        row(Method::Drip, Built::Now, &[Helo]),
        row(Method::Rmxpp, Built::Later, &[Mailfrom, Helo]),
        row(Method::Callback, Built::Later, &[Mailfrom]),
        row(Method::Challenge, Built::Later, &[Mailfrom]),
        row(Method::Binding, Built::Now, &[Mailfrom, From, Sender, Resent]),
        row(Method::Dkim, Built::Later, &[Signature]),
        row(Method::Dmarc, Built::Later, &[From]),
        row(Method::Arc, Built::Later, &[Chain]),
        row(Method::Iprev, Built::Now, &[Ip]),
        row(Method::Dnsbl, Built::Now, &[Ip]),
        row(Method::Dnswl, Built::Now, &[Ip]),
    ]
};

impl Methods {
    /// The methods that are named, and how each runs.
    pub fn iter(&self) -> impl Iterator<Item = (Method, Mode)> + '_ {
        self.modes.iter().map(|(method, mode)| (*method, *mode))
    }

    /// How a method runs.
    pub fn mode(&self, method: Method) -> Mode {
        self.modes.get(&method).copied().unwrap_or(Mode::Off)
    }

    /// Whether private results are written.
    pub fn legacy_headers(&self) -> bool {
        self.legacy_headers
    }

    /// Whether a method is named.
    pub(crate) fn names(&self, method: Method) -> bool {
        self.modes.contains_key(&method)
    }
}

/// What holds without `[methods]`: SPF is enforced, the rest is off.
impl Default for Methods {
    fn default() -> Self {
        let modes = BTreeMap::from([(Method::Spf, Mode::Enforce)]);
        Self { modes, legacy_headers: false }
    }
}

impl MethodRow {
    pub(crate) fn of(method: Method) -> &'static Self {
        METHODS.iter().find(|row| row.method == method).expect("the table has every method")
    }

    /// The identity that its actions are usually about.
    pub(crate) fn usual_identity(&self) -> Identity {
        let is_mailfrom = self.identities.contains(&Identity::Mailfrom);
        if is_mailfrom { Identity::Mailfrom } else { self.identities[0] }
    }

    pub(crate) fn not_in_this_version(&self) -> Problem {
        let cure = "write \"off\" in [methods], or leave it out".to_owned();
        Problem::NotInThisVersion { what: "method", word: self.method.to_string(), cure }
    }
}

impl Value for Methods {
    fn kind() -> String {
        "a table METHOD = MODE".to_owned()
    }

    fn example() -> String {
        "{ spf = \"enforce\" }".to_owned()
    }

    fn read(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let section = Section::of_item::<Self>(item, reading)?;
        let mut words: Vec<_> = METHODS.iter().map(|row| row.method.word()).collect();
        words.push(legacy_headers().name);
        section.known("method", &words, reading);
        let legacy_headers = section.optional(legacy_headers(), false, reading);
        let mut methods = BTreeMap::new();
        for (name, span, item) in section.entries() {
            let Ok(method) = name.parse::<Method>() else { continue };
            let Some(mode) = Mode::read(item, reading) else { continue };
            if mode != Mode::Off {
                let row = MethodRow::of(method);
                reading.require(row.built, &span, row.not_in_this_version());
            }
            methods.insert(method, mode);
        }
        let off = methods.iter().filter(|(_, mode)| **mode == Mode::Off);
        reading.off = off.map(|(method, _)| *method).collect();
        Some(Self { modes: methods, legacy_headers })
    }

    fn write(&self) -> Option<String> {
        Some(write::inline(self.entries()))
    }

    fn rows() -> Vec<Row> {
        let mode = |row: &MethodRow| Row {
            name: row.method.word(),
            kind: Mode::kind(),
            default: Some(match Self::default().mode(row.method) {
                Mode::Off => "\"off\"".to_owned(),
                mode => format!("\"{}\" without this table, else \"off\"", word(mode)),
            }),
            default_is_toml: false,
            example: write::string(match Self::default().mode(row.method) {
                Mode::Off => word(Mode::Report),
                mode => word(mode),
            }),
            // A table without it would switch it off.
            set_in_sample: Self::default().names(row.method),
            range: None,
            reload: Reload::Live,
            built: row.built,
            prose: format!("How {} runs.", row.method.name()),
            rows: Vec::new(),
            header: String::new(),
        };
        let legacy = legacy_headers().row::<bool>(Reload::Live).default_value(&false);
        METHODS.iter().map(mode).chain([legacy]).collect()
    }

    fn header(name: &str) -> String {
        format!("[{name}]")
    }

    fn sections(&self, name: &str) -> Option<String> {
        let lines = self.entries().map(|(method, mode)| format!("{method} = {mode}\n"));
        Some(format!("[{name}]\n{}", lines.collect::<String>()))
    }
}

impl Methods {
    fn entries(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let modes = self.iter();
        let modes = modes.map(|(method, mode)| (method.to_string(), write::string(&mode.text())));
        let legacy = self
            .legacy_headers
            .then(|| (legacy_headers().name.to_owned(), self.legacy_headers.to_string()));
        modes.chain(legacy)
    }
}

impl Word for Mode {
    const KIND: &'static str = "\"off\", \"report\" or \"enforce\"";
    const EXAMPLE: &'static str = "enforce";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let all = [Self::Off, Self::Report, Self::Enforce];
        choose("mode", text, all.into_iter().map(|mode| (word(mode), mode)))
    }

    fn text(&self) -> String {
        word(*self).to_owned()
    }
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Off => "off",
        Mode::Report => "report",
        Mode::Enforce => "enforce",
    }
}

const fn row(method: Method, built: Built, identities: &'static [Identity]) -> MethodRow {
    MethodRow { method, built, identities }
}

fn legacy_headers() -> Key {
    key!(
        legacy_headers,
        ["Writes results of methods that RFC 8601 has no word for under private `x-` words."],
        [],
        Now
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_method_once() {
        let methods: Vec<_> = METHODS.iter().map(|row| row.method).collect();
        assert_eq!(methods, Method::ALL);
    }
}
