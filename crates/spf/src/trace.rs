use quivive_evidence::{Question, RecordType, TermResult, TraceNode};

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
#[derive(Default)]
pub(crate) struct Tracer {
    open: Vec<TraceNode>,
    /// What has ended and stands in nothing.
    pub(crate) roots: Vec<TraceNode>,
    /// The distinct questions, in order.
    pub(crate) needed: Vec<Question>,
}

impl Watch for Tracer {
    fn begin(&mut self, record: &str, span: (u32, u32)) {
        self.open.push(TraceNode {
            term: record[span.0 as usize..span.1 as usize].to_owned(),
            span,
            result: TermResult::NoMatch,
            questions: Vec::new(),
            children: Vec::new(),
        });
    }

    fn asked(&mut self, name: &str, record_type: RecordType) {
        let question = Question::dns(name, record_type);
        if !self.needed.contains(&question) {
            self.needed.push(question.clone());
        }
        if let Some(node) = self.open.last_mut()
            && !node.questions.contains(&question)
        {
            node.questions.push(question);
        }
    }

    fn end(&mut self, result: TermResult) {
        let mut node = self.open.pop().expect("what ends has begun");
        node.result = result;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.roots.push(node),
        }
    }
}
