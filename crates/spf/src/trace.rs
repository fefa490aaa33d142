use std::net::IpAddr;

use quivive_evidence::{RecordType, TermResult, Tracer};

/// Who looks on while a record is evaluated. `()` does not look and costs nothing.
pub(crate) trait Watch {
    /// Whether terms are to be evaluated that are known beforehand not to match, and policies of
    /// which it is known what they come to.
    const LOOKS_AT_ALL: bool;

    /// A term, or a record as a whole, is about to be evaluated: its text, and its place in its
    /// record.
    fn begin<'r>(&mut self, _term: impl FnOnce() -> (&'r str, (u32, u32))) {}
    /// An answer is used by what began last and has not ended.
    fn asked(&mut self, _name: &str, _record_type: RecordType) {}
    /// The client is compared with a network of its family.
    fn compared(&mut self, _network: IpAddr, _prefix: u8) {}
    /// What follows depends on more of the message than the client's address.
    fn depends_on_message(&mut self) {}
    /// What began last has been evaluated.
    fn end(&mut self, _result: TermResult) {}
}

impl Watch for () {
    const LOOKS_AT_ALL: bool = false;
}

/// Writes the trace.
impl Watch for Tracer {
    const LOOKS_AT_ALL: bool = true;

    fn begin<'r>(&mut self, term: impl FnOnce() -> (&'r str, (u32, u32))) {
        let (term, span) = term();
        Self::begin(self, term, span);
    }

    fn asked(&mut self, name: &str, record_type: RecordType) {
        Self::asked(self, name, record_type);
    }

    fn end(&mut self, result: TermResult) {
        Self::end(self, result);
    }
}
