use quivive_evidence::{RecordType, TermResult, Tracer};

/// Who looks on while a record is evaluated. `()` does not look and costs nothing.
pub(crate) trait Watch {
    /// A term, or a record as a whole, is about to be evaluated: the record, and its place there.
    fn begin(&mut self, record: &str, span: (u32, u32));
    /// An answer is used by what began last and has not ended.
    fn asked(&mut self, name: &str, record_type: RecordType);
    /// What began last has been evaluated.
    fn end(&mut self, result: TermResult);
}

impl Watch for () {
    fn begin(&mut self, _: &str, _: (u32, u32)) {}
    fn asked(&mut self, _: &str, _: RecordType) {}
    fn end(&mut self, _: TermResult) {}
}

/// Writes the trace.
impl Watch for Tracer {
    fn begin(&mut self, record: &str, span: (u32, u32)) {
        Self::begin(self, &record[span.0 as usize..span.1 as usize], span);
    }

    fn asked(&mut self, name: &str, record_type: RecordType) {
        Self::asked(self, name, record_type);
    }

    fn end(&mut self, result: TermResult) {
        Self::end(self, result);
    }
}
