use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use quivive_evidence::Method;

use crate::{Built, Doubt, ERRORS_MAX, Error, Place, Problem, Warning};

/// A configuration while it is read: what was found wrong so far, and where paths start.
pub(crate) struct Reading<'a> {
    text: &'a str,
    file: Option<&'a Path>,
    /// The folder that relative paths start at.
    pub(crate) folder: &'a Path,
    /// Methods that `[methods]` names as off: what is said about them may be ahead of this version.
    pub(crate) off: BTreeSet<Method>,
    errors: Vec<(usize, Problem)>,
    warnings: Vec<(usize, Doubt)>,
    not_built: usize,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(text: &'a str, folder: &'a Path, file: Option<&'a Path>) -> Self {
        Self {
            text,
            file,
            folder,
            off: BTreeSet::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            not_built: 0,
        }
    }

    pub(crate) fn error(&mut self, span: &Range<usize>, problem: Problem) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push((span.start, problem));
        }
    }

    pub(crate) fn warn(&mut self, span: &Range<usize>, doubt: Doubt) {
        if self.warnings.len() < ERRORS_MAX {
            self.warnings.push((span.start, doubt));
        }
    }

    /// Notes that something of the contract was asked for which is not built yet.
    pub(crate) fn require(&mut self, built: Built, span: &Range<usize>, problem: Problem) {
        if built == Built::Later {
            self.not_built += 1;
            self.error(span, problem);
        }
    }

    /// How often something was asked for that is not built yet.
    pub(crate) fn not_built(&self) -> usize {
        self.not_built
    }

    /// The warnings, or the errors, in the order of the text.
    pub(crate) fn finish(mut self) -> Result<Vec<Warning>, Vec<Error>> {
        self.errors.sort_by_key(|(offset, _)| *offset);
        self.warnings.sort_by_key(|(offset, _)| *offset);
        let place = |offset| Place::of(self.text, offset, self.file.map(Path::to_owned));
        if self.errors.is_empty() {
            let warning = |(offset, doubt)| Warning { place: place(offset), doubt };
            return Ok(self.warnings.into_iter().map(warning).collect());
        }
        let error = |(offset, problem)| Error { place: place(offset), problem };
        Err(self.errors.into_iter().map(error).collect())
    }
}
