use crate::{Question, RecordType, TermResult, TraceNode};

/// Writes the trace of an evaluation: what has begun and has not ended stands open.
#[derive(Debug, Default)]
pub struct Tracer {
    open: Vec<TraceNode>,
    /// What has ended and stands in nothing.
    pub roots: Vec<TraceNode>,
    /// The distinct questions, in order.
    pub needed: Vec<Question>,
}

impl Tracer {
    /// A record as a whole, or a term of the record that began before it, is about to be
    /// evaluated; `span` is its place in its record, in octets.
    pub fn begin(&mut self, term: &str, span: (u32, u32)) {
        self.open.push(TraceNode {
            term: term.to_owned(),
            span,
            result: TermResult::NoMatch,
            questions: Vec::new(),
            children: Vec::new(),
        });
    }

    /// What began last is this: known only now that its answer is.
    pub fn name(&mut self, term: impl Into<String>, span: (u32, u32)) {
        if let Some(node) = self.open.last_mut() {
            (node.term, node.span) = (term.into(), span);
        }
    }

    /// An answer is used by what began last and has not ended.
    pub fn asked(&mut self, name: &str, record_type: RecordType) {
        self.asked_question(Question::dns(name, record_type));
    }

    /// As [`Tracer::asked`], for any question.
    pub fn asked_question(&mut self, question: Question) {
        if !self.needed.contains(&question) {
            self.needed.push(question.clone());
        }
        if let Some(node) = self.open.last_mut()
            && !node.questions.contains(&question)
        {
            node.questions.push(question);
        }
    }

    /// Ends whatever is open: the evaluation is over.
    pub fn close(&mut self, result: TermResult) {
        while !self.open.is_empty() {
            self.end(result);
        }
    }

    /// What began last has been evaluated.
    pub fn end(&mut self, result: TermResult) {
        let mut node = self.open.pop().expect("what ends has begun");
        node.result = result;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.roots.push(node),
        }
    }
}

/// The place of a whole text in itself.
pub fn whole(text: &str) -> (u32, u32) {
    span(0, text.len())
}

/// A place in a record, in octets: start and end. A record is at most 65,535 octets on the wire,
/// and a file's cannot reach past `u32` either.
pub fn span(start: usize, end: usize) -> (u32, u32) {
    let octet = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    (octet(start), octet(end))
}
