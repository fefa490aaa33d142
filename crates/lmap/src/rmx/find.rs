use quivive_evidence::{Ahead, Stop};

use super::Record;
use super::check::Check;

/// In which forms a name may have records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forms {
    /// As TXT, and under the type of their own.
    Both,
    /// Under the type of their own alone: TXT there belongs to others.
    OwnType,
}

impl<'a> Check<'_, 'a> {
    /// A name's records, in the order in which they are evaluated; none if there are none, or while
    /// it is not known.
    ///
    /// # Errors
    /// One of the answers is no usable one: it might have changed the result.
    pub(super) fn find(
        &mut self,
        name: &str,
        forms: Forms,
        ahead: Ahead,
    ) -> Result<Option<Vec<&'a Record>>, Stop> {
        let txt = match forms {
            Forms::Both => self.walk.txt(name, ahead)?,
            Forms::OwnType => None,
        };
        let rdata = match self.settings.type_number {
            Some(number) => self.walk.other(name, number, ahead)?,
            None => None,
        };
        let mut records: Vec<&Record> = Vec::new();
        if let Some(answer) = txt {
            answer.records()?;
            records.extend(Record::of_txt(answer));
        }
        if let Some(answer) = rdata {
            answer.records()?;
            records.extend(Record::of_rdata(answer));
        }
        Ok((!records.is_empty()).then(|| Record::in_order(records.into_iter())))
    }
}
