use quivive_evidence::{Answer, Txt};

use crate::xml::{Fault, FaultKind};
use crate::{Document, LABEL};

/// How many octets the records of a document may have together.
pub const DOCUMENT_OCTETS_MAX: usize = 64 * 1024;

/// In how many records a document may be.
pub const RECORDS_MAX: usize = 20;

/// What a name publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// No document.
    Nothing,
    /// One that cannot be used: its text, as far as it is UTF-8, and why.
    Broken(Box<str>, Fault),
    /// One that can.
    One(Document),
}

/// The name that has a domain's document.
pub fn owner_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

impl Published {
    /// Reads an answer once; what was read is kept beside it.
    pub(crate) fn of(answer: &Answer<Txt>) -> &Self {
        answer.memo().get_or_make(|| {
            let records = answer.records().unwrap_or_default();
            Self::read(&records.iter().map(|record| &*record.0).collect::<Vec<_>>())
        })
    }

    /// Reads the records of a name (draft-atkinson-callerid-00 section 3.1).
    ///
    /// Records that cannot belong to the document do no harm, as long as the others are one.
    pub fn read(records: &[&[u8]]) -> Self {
        let begins =
            |record: &&&[u8]| record.first() == Some(&b'<') || record.get(2) == Some(&b'<');
        if !records.iter().any(|record| begins(&record)) {
            return Self::Nothing;
        }
        let octets: usize = records.iter().map(|record| record.len()).sum();
        if octets > DOCUMENT_OCTETS_MAX || records.len() > RECORDS_MAX {
            return Self::Broken("".into(), FaultKind::TooLarge.at((0, 0)));
        }
        let numbered: Vec<&[u8]> =
            records.iter().copied().filter(|record| is_numbered(record)).collect();
        let unnumbered = || {
            let mut whole = records.iter().filter(|record| record.first() == Some(&b'<'));
            whole.next().filter(|_| whole.next().is_none())
        };
        let all = join(records);
        let document = Document::parse(&all).or_else(|fault| {
            let of_numbered = Document::parse(&join(&numbered));
            let alone = || unnumbered().map(|record| Document::parse(record));
            of_numbered.or_else(|_| alone().unwrap_or(Err(fault))).map_err(|_| fault)
        });
        match document {
            Ok(document) => Self::One(document),
            Err(fault) => Self::Broken(String::from_utf8_lossy(&all).into(), fault),
        }
    }
}

/// One record as it is; several in the order of their first two octets, and without those. One
/// that has a number all the same is taken without it.
pub fn join(records: &[&[u8]]) -> Vec<u8> {
    match records {
        [sole] if is_numbered(sole) && sole.get(2) == Some(&b'<') => sole[2..].to_vec(),
        [sole] => sole.to_vec(),
        records => {
            let mut records = records.to_vec();
            records.sort_unstable();
            records.iter().flat_map(|record| record.iter().skip(2).copied()).collect()
        }
    }
}

/// Whether a record begins with two digits, as the draft recommends.
fn is_numbered(record: &[u8]) -> bool {
    record.get(..2).is_some_and(|prefix| prefix.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "<ep xmlns='http://ms.net/1'><out><m><mx/><a>1.2.3.4</a></m></out></ep>";

    fn read(records: &[&str]) -> Published {
        Published::read(&records.iter().map(|record| record.as_bytes()).collect::<Vec<_>>())
    }

    #[track_caller]
    fn is_whole(records: &[&str]) {
        let Published::One(document) = read(records) else { panic!("{:?}", read(records)) };
        assert_eq!(document.text(), WHOLE);
    }

    /// Sheet caller-id.md, sections 2.1 and 7.
    #[test]
    fn section_2_1_records() {
        let (one, two) =
            ("01<ep xmlns='http://ms.net/1'><out><m><mx/><a>1.2", "02.3.4</a></m></out></ep>");
        is_whole(&[WHOLE]);
        is_whole(&[two, one]);
        is_whole(&[one, two]);
        is_whole(&[&format!("01{WHOLE}")]);
        // What belongs to others does no harm.
        is_whole(&[two, "v=spf1 -all", one]);
        is_whole(&[WHOLE, "v=spf1 -all"]);
        assert_eq!(read(&["v=spf1 -all"]), Published::Nothing);
        assert_eq!(read(&[]), Published::Nothing);
        assert_eq!(read(&["", "x"]), Published::Nothing);
    }

    #[test]
    fn section_5_records_that_are_none() {
        let fault = |records: &[&str]| match read(records) {
            Published::Broken(_, fault) => fault.kind,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            fault(&["01<ep xmlns='http://ms.net/1'>", "03</out></ep>"]),
            FaultKind::Malformed
        );
        // The same prefix twice.
        assert_eq!(fault(&["01<ep xmlns='http://ms.net/1'><x", "01></ep>"]), FaultKind::Malformed);
        assert_eq!(fault(&[WHOLE, WHOLE]), FaultKind::Malformed);
        let long = format!("<ep>{}</ep>", "x".repeat(DOCUMENT_OCTETS_MAX));
        assert_eq!(fault(&[&long]), FaultKind::TooLarge);
        let many: Vec<String> = (0..=RECORDS_MAX).map(|index| format!("{index:02}<a/>")).collect();
        assert_eq!(
            fault(&many.iter().map(String::as_str).collect::<Vec<_>>()),
            FaultKind::TooLarge
        );
    }
}
