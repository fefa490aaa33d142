use std::time::{Duration, Instant};

use quivive_evidence::{Lint, LintReport, Linting, Notebook, ROUNDS_MAX, Subject};
use quivive_resolver::Resolver;

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

    /// Looks a subject over, asking what is worth knowing.
    pub(crate) async fn lint(&self, subject: &Subject) -> LintReport {
        self.lint_with(subject, Notebook::default()).await
    }

    /// As [`Linter::lint`], with answers that are known and not asked for.
    pub(crate) async fn lint_with(&self, subject: &Subject, mut notebook: Notebook) -> LintReport {
        let end = Instant::now() + PATIENCE;
        let mut rounds = 0;
        loop {
            let Linting { report, missing } = self.lint.lint(subject, &notebook);
            let Some(resolver) = self.resolver.as_ref().filter(|_| rounds < ROUNDS_MAX) else {
                return report;
            };
            if missing.is_empty() {
                return report;
            }
            rounds += 1;
            let patience = end.saturating_duration_since(Instant::now());
            resolver.note_answers(&missing, &mut notebook, patience).await;
        }
    }
}
