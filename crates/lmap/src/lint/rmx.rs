//! RMX: which records count (here), and what their entries say (`entries.rs`).

mod entries;

use std::net::{Ipv4Addr, Ipv6Addr};

use quivive_evidence::{
    Evidence, Failure, Lint, LintReport, Linting, LookUps, Method, Octets, Subject, Txt,
};
use quivive_mail::domain::is_askable;

use self::entries::Entries;
use crate::rmx::{PRIVATE_TYPE, Record, Settings, family_name, owner_name};

/// What the text form of RDATA begins with (RFC 3597 section 5).
const RDATA_MARK: &str = "\\#";

/// Looks over RMX records. As a text a record is that of TXT, or RDATA in the form of RFC 3597:
/// `\# 3 01080a`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RmxLint {
    settings: Settings,
}

impl RmxLint {
    /// With the type number of these settings; without one the first for private use is asked for.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    fn type_number(&self) -> u16 {
        self.settings.type_number.unwrap_or(PRIVATE_TYPE)
    }
}

impl Lint for RmxLint {
    fn method(&self) -> Method {
        Method::Rmx
    }

    fn lint(&self, subject: &Subject, evidence: &dyn Evidence) -> Linting {
        let look_ups = LookUps::new(evidence);
        let mut report = LintReport::new(Method::Rmx, "");
        match (&subject.record, &subject.domain) {
            (Some(record), domain) => {
                if let Some(record) = given(record, &mut report) {
                    let entries = Entries::new(domain.as_deref(), self.settings, &look_ups);
                    entries.look_over(&[&record], &mut report);
                }
            }
            (None, Some(domain)) => self.published(domain, &look_ups, &mut report),
            (None, None) => {}
        }
        look_ups.finish(report)
    }
}

/// A text that somebody wants to publish.
fn given(record: &str, report: &mut LintReport) -> Option<Record> {
    let record = record.trim_end_matches('\n');
    if let Some(rest) = record.trim_start().strip_prefix(RDATA_MARK) {
        let octets = rdata(rest);
        if octets.is_none() {
            let place = report.add_line(record);
            report.error(
                "no-rdata",
                &place,
                "behind `\\#` must stand a number of octets, and as many pairs of hexadecimal digits",
                "write it as `quivive publish --method rmx` does",
            );
        }
        return octets.map(|octets| Record::parse_rdata(&octets));
    }
    let parsed = Record::parse_text(record.as_bytes());
    if parsed.is_none() {
        let place = report.add_line(record);
        report.error(
            "no-rmx-record",
            &place,
            "this text is no record of RMX: every word must be an entry type, a colon and data",
            "write entries such as `ipv4:192.0.2.0/24`, with blanks between them and nothing else",
        );
    }
    parsed
}

fn rdata(text: &str) -> Option<Vec<u8>> {
    let mut words = text.split_whitespace();
    let length: usize = words.next()?.parse().ok()?;
    let digits: String = words.collect();
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let octets: Vec<u8> = (0..digits.len()).step_by(2).map(pair).collect::<Option<_>>()?;
    (octets.len() == length).then_some(octets)
}

/// What stands at a name.
struct Place {
    name: String,
    texts: Vec<Record>,
    own_type: Vec<Record>,
    /// Texts that are no records of RMX.
    foreign: Vec<Txt>,
}

impl RmxLint {
    fn published(&self, domain: &str, look_ups: &LookUps<'_>, report: &mut LintReport) {
        let names = [
            owner_name(domain),
            family_name(domain, Ipv4Addr::UNSPECIFIED.into()),
            family_name(domain, Ipv6Addr::UNSPECIFIED.into()),
        ];
        let mut places = Vec::new();
        let mut is_whole = true;
        for name in names.into_iter().filter(|name| is_askable(name)) {
            match self.place(name.clone(), look_ups) {
                Ok(place) => {
                    is_whole &= place.is_some();
                    places.extend(place);
                }
                Err(failure) => return report.no_answer(&name, failure),
            }
        }
        let bare = look_ups.other(domain, self.type_number());
        let bare = bare.and_then(|answer| answer.records().ok()).unwrap_or_default();
        places.push(Place {
            name: domain.to_owned(),
            texts: Vec::new(),
            own_type: bare.iter().map(|record| Record::parse_rdata(&record.0)).collect(),
            foreign: Vec::new(),
        });
        for text in misplaced(domain, look_ups) {
            let place = report.add_line(&String::from_utf8_lossy(&text.0));
            report.warn(
                "text-at-domain",
                &place,
                "TXT records at the domain itself belong to others, so that nobody looks for RMX \
                 there",
                format!("move it to {}", owner_name(domain)),
            );
        }
        if places.iter().all(Place::is_empty) {
            if is_whole {
                report.nothing(domain);
            }
            return;
        }
        self.look_over(domain, &places, look_ups, report);
    }

    /// What stands at a name; none while that is not known.
    fn place(&self, name: String, look_ups: &LookUps<'_>) -> Result<Option<Place>, Failure> {
        let (txt, own) = (look_ups.txt(&name), look_ups.other(&name, self.type_number()));
        let (Some(txt), Some(own)) = (txt, own) else { return Ok(known(name, txt, own)) };
        let (txt, own) = (txt.records()?, own.records()?);
        Ok(Some(Place::of(name, txt, own)))
    }

    /// The first name that has records has them all, save that there is one for each family.
    fn look_over(
        &self,
        domain: &str,
        places: &[Place],
        look_ups: &LookUps<'_>,
        report: &mut LintReport,
    ) {
        let first = places.iter().position(|place| !place.is_empty()).unwrap_or_default();
        let is_family = |index: usize| index == 1 || index == 2;
        for (index, place) in places.iter().enumerate().filter(|(_, place)| !place.is_empty()) {
            if index == first || is_family(first) && is_family(index) {
                place.doubts(report);
                let records = Record::in_order(place.records());
                let entries = Entries::new(Some(domain), self.settings, look_ups);
                entries.at(&place.name).look_over(&records, report);
            } else {
                report.warn(
                    "never-read",
                    &(0..0),
                    format!(
                        "the records at {} are never read, for {} has some",
                        place.name, places[first].name
                    ),
                    "keep those at one of the two names",
                );
            }
        }
    }
}

/// What is known, where one of two answers is missing: enough for a generator that wrote only one.
fn known(
    name: String,
    txt: Option<&quivive_evidence::Answer<Txt>>,
    own: Option<&quivive_evidence::Answer<Octets>>,
) -> Option<Place> {
    let txt = txt.and_then(|answer| answer.records().ok());
    let own = own.and_then(|answer| answer.records().ok());
    let place = Place::of(name, txt.unwrap_or_default(), own.unwrap_or_default());
    (!place.is_empty()).then_some(place)
}

/// Texts at the domain itself that were meant as records.
fn misplaced<'e>(domain: &str, look_ups: &LookUps<'e>) -> impl Iterator<Item = &'e Txt> {
    let texts = look_ups.txt(domain).and_then(|answer| answer.records().ok()).unwrap_or_default();
    texts.iter().filter(|text| {
        Record::parse_text(&text.0).is_some_and(|record| !record.entries().is_empty())
    })
}

impl Place {
    fn of(name: String, txt: &[Txt], own: &[Octets]) -> Self {
        let mut place = Self {
            name,
            texts: Vec::new(),
            own_type: own.iter().map(|record| Record::parse_rdata(&record.0)).collect(),
            foreign: Vec::new(),
        };
        for text in txt {
            match Record::parse_text(&text.0) {
                Some(record) => place.texts.push(record),
                None => place.foreign.push(text.clone()),
            }
        }
        place
    }

    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.own_type.is_empty()
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        self.texts.iter().chain(&self.own_type)
    }

    /// What is doubtful about the records as a set.
    fn doubts(&self, report: &mut LintReport) {
        let all = Record::in_order(self.records()).len();
        let of_texts = Record::in_order(self.texts.iter()).len();
        let of_own = Record::in_order(self.own_type.iter()).len();
        let both = !self.texts.is_empty() && !self.own_type.is_empty();
        if both && (all > of_texts || all > of_own) {
            report.warn(
                "forms-differ",
                &(0..0),
                format!(
                    "the TXT records at {} and those of RMX's own type do not say the same, so \
                     that receivers that read one form alone come to another result",
                    self.name
                ),
                "write both from one description, as `quivive publish --method rmx` does",
            );
        } else if all > 1 {
            report.warn(
                "several-records",
                &(0..0),
                format!(
                    "{} has {all} records, and the order in which they are read is the receiver's: \
                     the first entry that matches decides",
                    self.name
                ),
                "write one record, with what is refused before what is permitted",
            );
        }
        for text in &self.foreign {
            let place = report.add_line(&String::from_utf8_lossy(&text.0));
            report.warn(
                "foreign-text",
                &place,
                "this text is no record of RMX: every word must be an entry type, a colon and data",
                "mend it, or move it to another name",
            );
        }
    }
}
