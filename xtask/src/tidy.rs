//! The rules that a compiler does not hold: layers, licences, bans, duplicate crates, files.

mod files;
mod layers;
mod licences;
mod metadata;
mod packages;
mod specs;

use crate::Result;

/// What tidy found: problems fail it, warnings are for thought.
#[derive(Debug, Default)]
struct Report {
    problems: Vec<String>,
    warnings: Vec<String>,
}

/// Checks every rule and lists what breaks one.
pub(crate) fn run() -> Result {
    let report = check()?;
    for warning in &report.warnings {
        eprintln!("tidy: warning: {warning}");
    }
    for problem in &report.problems {
        eprintln!("tidy: {problem}");
    }
    match report.problems.len() {
        0 => Ok(()),
        count => Err(format!("tidy: {count} rules broken").into()),
    }
}

fn check() -> Result<Report> {
    let mut report = Report::default();
    let metadata = metadata::Metadata::load()?;
    layers::check(&metadata, &mut report);
    packages::check(&mut report)?;
    files::check(&metadata, &mut report)?;
    Ok(report)
}

impl Report {
    fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    fn warning(&mut self, text: String) {
        self.warnings.push(text);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        let report = super::check().expect("the workspace can be read");
        assert!(report.problems.is_empty(), "{:#?}", report.problems);
    }
}
