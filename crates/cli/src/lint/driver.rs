use std::time::{Duration, Instant};

use quivive_evidence::{Lint, LintReport, Notebook, Question, ROUNDS_MAX, Subject};
use quivive_resolver::Resolver;
use quivive_verdict::Inspector;

/// How long a subject's questions may take together.
const PATIENCE: Duration = Duration::from_secs(30);

/// A linter with whoever answers its questions.
pub(crate) struct Linter {
    lint: Box<dyn Lint>,
    /// None: nobody is asked.
    resolver: Option<Resolver>,
}

impl Linter {
    pub(crate) fn new(lint: Box<dyn Lint>, resolver: Option<Resolver>) -> Self {
        Self { lint, resolver }
    }

    /// Looks a subject over, asking what is worth knowing; with answers that are known and not
    /// asked for.
    pub(crate) async fn lint_with(&self, subject: &Subject, notebook: Notebook) -> LintReport {
        let look = |notebook: &Notebook| {
            let linting = self.lint.lint(subject, notebook);
            (linting.report, linting.missing)
        };
        ask(self.resolver.as_ref(), notebook, look).await
    }
}

/// The linters of several methods with whoever answers their questions.
pub(crate) struct Inspectors {
    pub(crate) inspector: Inspector,
    /// None: nobody is asked.
    pub(crate) resolver: Option<Resolver>,
    /// Whether the methods were named: then each has its say, also where nothing is published.
    pub(crate) are_named: bool,
}

impl Inspectors {
    /// The reports about a subject: one at least.
    pub(crate) async fn inspect(&self, subject: &Subject) -> Vec<LintReport> {
        let look = |notebook: &Notebook| {
            let inspection = self.inspector.inspect(subject, notebook);
            (inspection.reports, inspection.missing)
        };
        let reports = ask(self.resolver.as_ref(), Notebook::default(), look).await;
        // Nobody misses what hardly anybody publishes any more.
        let counts = |(index, report): &(usize, LintReport)| {
            *index == 0 || self.are_named || report.published
        };
        reports.into_iter().enumerate().filter(counts).map(|(_, report)| report).collect()
    }
}

/// Looks again until nothing is missing that can be asked for.
async fn ask<T>(
    resolver: Option<&Resolver>,
    mut notebook: Notebook,
    look: impl Fn(&Notebook) -> (T, Vec<Question>),
) -> T {
    let end = Instant::now() + PATIENCE;
    let mut rounds = 0;
    loop {
        let (seen, missing) = look(&notebook);
        let Some(resolver) = resolver.filter(|_| rounds < ROUNDS_MAX) else { return seen };
        if missing.is_empty() {
            return seen;
        }
        rounds += 1;
        let patience = end.saturating_duration_since(Instant::now());
        resolver.note_answers(&missing, &mut notebook, patience).await;
    }
}
