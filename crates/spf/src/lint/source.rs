//! Which texts are looked over, and whether they are SPF records at all (RFC 7208 section 4.5).

use std::ops::Range;

use quivive_evidence::{
    Answer, CHARACTER_STRING_MAX, LookUps, Outcome, Remark, Severity, Subject, Txt,
};

use crate::record::{RECORD_OCTETS_MAX, Record};

/// The version section.
const VERSION: &str = "v=spf1";

/// How many texts at one name are shown; more would not help anybody.
const TEXTS_MAX: usize = 10;

/// What is read.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// All of it, one record a line.
    pub(super) text: String,
    /// Where the records stand in it. Each begins with its version section, or where that should
    /// be.
    pub(super) records: Vec<Range<usize>>,
    /// What is to be said about the texts as texts.
    pub(super) remarks: Vec<Remark>,
}

/// The texts of a subject.
pub(super) fn read(subject: &Subject, look_ups: &LookUps<'_>) -> Source {
    let mut source = Source::default();
    match (&subject.record, &subject.domain) {
        (Some(record), _) => source.add_given(record),
        (None, Some(domain)) => {
            // Without an answer nothing can be said yet.
            if let Some(answer) = look_ups.txt(domain) {
                source.add_published(domain, answer);
            }
        }
        (None, None) => {}
    }
    source
}

impl Source {
    /// A text that somebody wants to publish.
    fn add_given(&mut self, record: &str) {
        let is_cut = record.len() > RECORD_OCTETS_MAX;
        let mut end = record.len().min(RECORD_OCTETS_MAX);
        while !record.is_char_boundary(end) {
            end -= 1;
        }
        let record = record[..end].strip_suffix('\n').unwrap_or(&record[..end]);
        self.add(record);
        if record.len() > CHARACTER_STRING_MAX && !is_cut {
            self.remark(
                Severity::Advice,
                "several-strings",
                0..0,
                format!(
                    "the record has {} octets, and a string in a zone file has at most \
                     {CHARACTER_STRING_MAX}",
                    record.len()
                ),
                "write it as several strings with the blanks inside: they are joined without one",
            );
        }
        if is_cut {
            self.remark(
                Severity::Error,
                "too-long",
                end..end,
                format!("a DNS record holds at most {RECORD_OCTETS_MAX} octets"),
                "publish networks in records of their own and include those",
            );
        }
    }

    fn add_published(&mut self, domain: &str, answer: &Answer<Txt>) {
        match &answer.outcome {
            Outcome::Found(records) => self.add_records(domain, records),
            Outcome::NoData => self.nothing(domain, "no-record", "publishes no text at all"),
            Outcome::NoName => self.nothing(domain, "no-domain", "does not exist"),
            Outcome::Failed(failure) => self.remark(
                Severity::Error,
                "dns-failure",
                0..0,
                format!("DNS gives no answer about {domain}: {}", failure.token()),
                "see to the name servers of the domain; receivers defer mail as long as this \
                 lasts",
            ),
        }
    }

    fn add_records(&mut self, domain: &str, records: &[Txt]) {
        let (spf, other): (Vec<_>, Vec<_>) =
            records.iter().partition(|record| Record::is_spf(&record.0));
        let meant = other.into_iter().filter(|record| is_meant(&record.0));
        let texts = spf.iter().copied().map(|text| (text, true));
        for (text, is_spf) in texts.chain(meant.map(|text| (text, false))).take(TEXTS_MAX) {
            let text = String::from_utf8_lossy(&text.0);
            if is_spf || spf.is_empty() {
                self.add(&text);
            } else {
                self.add_stray(&text);
            }
        }
        match spf.len() {
            0 if self.records.is_empty() => {
                self.nothing(domain, "no-record", "publishes no SPF record");
            }
            0 | 1 => {}
            several => self.several(domain, several),
        }
    }

    /// A record, or what was meant to be one.
    fn add(&mut self, text: &str) {
        let text = text.replace('\n', "\u{fffd}");
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        self.text.push_str(&text);
        let version = self.look_at_version(&text, start);
        // What was never meant to be a record has no terms.
        if Record::is_spf(text.as_bytes()) || is_meant(text.as_bytes()) {
            self.records.push(start + version..self.text.len());
        }
    }

    /// A text beside a good record that was meant to be one, too.
    fn add_stray(&mut self, text: &str) {
        let start = self.text.len() + 1;
        self.text.push('\n');
        self.text.push_str(&text.replace('\n', "\u{fffd}"));
        self.remark(
            Severity::Warning,
            "stray-record",
            start..self.text.len(),
            "this text looks like a second SPF record, and no receiver reads it",
            "remove it; what it should have said belongs into the one record",
        );
    }

    /// What is wrong before the terms; gives where the version section begins or should.
    fn look_at_version(&mut self, text: &str, start: usize) -> usize {
        let mut at = 0;
        while let Some((length, code, what)) = leading_slip(&text[at..]) {
            self.remark(
                Severity::Error,
                code,
                start + at..start + at + length,
                format!("{what} before `{VERSION}`, so that the text is no SPF record"),
                format!("begin with `{VERSION}` itself"),
            );
            at += length;
        }
        let rest = &text[at..];
        if Record::is_spf(rest.as_bytes()) {
            return at;
        }
        let (version, message, help) = wrong_version(rest);
        self.remark(Severity::Error, "version", start + at..start + at + version, message, help);
        // Whatever stands there, the first word is no term.
        at
    }

    fn nothing(&mut self, domain: &str, code: &'static str, what: &str) {
        self.remark(
            Severity::Error,
            code,
            0..0,
            format!("{domain} {what}, so that anybody can send mail in its name"),
            format!(
                "if {domain} sends no mail, publish `{VERSION} -all`; if it does, `quivive \
                 publish \
                 {domain}` writes a record"
            ),
        );
    }

    /// RFC 7208 section 3.2.
    fn several(&mut self, domain: &str, count: usize) {
        let second = self.records.get(1).cloned().unwrap_or(0..0);
        self.remark(
            Severity::Error,
            "multiple-records",
            second,
            format!("{domain} has {count} SPF records; with more than one, receivers use none"),
            "write the terms of all of them into one record, and remove the others",
        );
    }

    fn remark(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.remarks.push(Remark::new(severity, code, span, message, help));
    }
}

/// Whether a text that is no SPF record was meant to be one.
fn is_meant(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets);
    let mut rest = &*text;
    while let Some((length, ..)) = leading_slip(rest) {
        rest = &rest[length..];
    }
    let start: String = rest.chars().take(12).filter(|c| !c.is_whitespace()).collect();
    let start = start.to_ascii_lowercase();
    // `spf2.0/pra` is Sender ID (RFC 4406).
    ["v=spf1", "v=spf", "v:spf1", "spf1", "vspf1", "v-spf1"]
        .iter()
        .any(|word| start.starts_with(word))
}

/// Something that must not stand before the version section: its length, a code, and its name.
fn leading_slip(text: &str) -> Option<(usize, &'static str, &'static str)> {
    let first = text.chars().next()?;
    let (code, what) = match first {
        '\u{feff}' => ("byte-order-mark", "an invisible byte order mark stands"),
        first if first.is_whitespace() => ("leading-blank", "a blank stands"),
        '"' | '\'' | '`' => ("quotes", "a quotation mark stands"),
        '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' => ("quotes", "a typographic quote stands"),
        '\u{200b}'..='\u{200f}' | '\u{2060}' => ("invisible", "an invisible character stands"),
        _ => return None,
    };
    Some((first.len_utf8(), code, what))
}

/// What stands in place of the version section: its length, what is wrong, and the cure.
fn wrong_version(text: &str) -> (usize, String, String) {
    let help = format!("begin with `{VERSION}` and a blank");
    let is_version = text.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(VERSION));
    if is_version {
        let next = text[6..].chars().next().unwrap_or(' ');
        let what = match next {
            '\t' => "a tab".to_owned(),
            next if next.is_whitespace() => "a blank that is none in ASCII".to_owned(),
            next => format!("`{}`", next.escape_debug()),
        };
        let message = format!(
            "{what} follows `{VERSION}` where a blank must, so that the text is no SPF record"
        );
        return (6 + next.len_utf8().min(text.len() - 6), message, help);
    }
    let spaced: String = text.chars().take(9).filter(|c| *c != ' ').collect();
    if spaced.to_ascii_lowercase().starts_with(VERSION) {
        let end = text.find('1').map_or(text.len(), |at| at + 1);
        let message = format!("there is a blank within `{VERSION}`, so that it is no SPF record");
        return (end, message, help);
    }
    let end = text.find(' ').unwrap_or(text.len());
    let message = format!(
        "the text does not begin with `{VERSION}`, so that it is no SPF \
         record"
    );
    (end, message, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(record: &str) -> Vec<(&'static str, String)> {
        let mut source = Source::default();
        source.add_given(record);
        let told = source.remarks.iter();
        told.map(|one| (one.code, source.text[one.span.0..one.span.1].to_owned())).collect()
    }

    #[test]
    fn what_stands_before_the_version() {
        assert_eq!(given("v=spf1 -all"), []);
        assert_eq!(given("V=SPF1"), []);
        assert_eq!(given(" v=spf1 -all"), [("leading-blank", " ".to_owned())]);
        assert_eq!(
            given("\u{feff}\u{201c}v=spf1 -all"),
            [("byte-order-mark", "\u{feff}".to_owned()), ("quotes", "\u{201c}".to_owned())]
        );
    }

    #[test]
    fn what_stands_in_place_of_the_version() {
        let version = |text: &str| vec![("version", text.to_owned())];
        assert_eq!(given("v=spf1\t-all"), version("v=spf1\t"));
        assert_eq!(given("v=spf1;-all"), version("v=spf1;"));
        assert_eq!(given("v=spf10 -all"), version("v=spf10"));
        assert_eq!(given("v = spf1 -all"), version("v = spf1"));
        assert_eq!(given("spf1 -all"), version("spf1"));
        assert_eq!(given(""), version(""));
        assert_eq!(given("v=spf1\u{e9}"), version("v=spf1\u{e9}"));
    }

    #[test]
    fn records_are_bounded() {
        let mut source = Source::default();
        source.add_given(&format!("v=spf1 {}", "é".repeat(RECORD_OCTETS_MAX)));
        assert!(source.text.len() <= RECORD_OCTETS_MAX);
        assert_eq!(source.remarks[0].code, "too-long");
    }

    #[test]
    fn what_was_meant() {
        for text in [
            "v=spf1;",
            " v=spf1 -all",
            "\"v=spf1 -all\"",
            "v= spf1",
            "spf1 a",
            "v=spf2 \
             a",
        ] {
            assert!(is_meant(text.as_bytes()), "{text}");
        }
        for text in ["spf2.0/pra -all", "v=DKIM1; p=", "google-site-verification=x", ""] {
            assert!(!is_meant(text.as_bytes()), "{text}");
        }
    }
}
