//! Rules for the text of the tree: what must not be written, how long lines and files may be,
//! which specifications are cited.

use std::fs;
use std::path::{Path, PathBuf};

use super::Report;
use super::layers::is_pure;
use super::metadata::{Metadata, Package};
use super::specs::RFCS;
use crate::program::{output, program};
use crate::{Result, root};

/// How wide a line of Rust may be.
const COLUMNS_MAX: usize = 100;

/// A file with more production lines holds two things.
const LINES_MAX: usize = 600;

/// What must stand nowhere, with the reason. Split here, so that this table does not hold it.
const BANNED: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "finish it or leave it out"),
    (concat!("FIX", "ME"), "finish it or leave it out"),
    (concat!("XX", "X"), "finish it or leave it out"),
    (concat!("to", "do!"), "finish it or leave it out"),
    (concat!("unimpl", "emented!"), "finish it or leave it out"),
    (concat!("db", "g!"), "left over from a search"),
    (concat!("#[ig", "nore"), "a test runs or does not exist"),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/tm", "p/q/"), "a path of one machine"),
    (concat!("py", "pi.org"), "a registry's host: its client knows it"),
    (concat!("deb.", "debian.org"), "a registry's host: its client knows it"),
];

/// What the layers without clock, randomness and sockets must not call.
const IMPURE: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "std::fs",
    "std::process",
    "std::thread",
];

/// Names that say nothing of what is inside.
const NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "manager"];

/// Packages that do not inherit the lints of the workspace, with the reason.
const OWN_LINTS: &[(&str, &str)] =
    &[("quivive-bench-measure", "an allocator that counts needs unsafe code")];

const TEXT: &[&str] = &["rs", "md", "toml", "yml", "yaml", "txt", "zone", "sh", "css", "html"];

pub(super) fn check(metadata: &Metadata, report: &mut Report) -> Result {
    let pure: Vec<&Package> = metadata.members().filter(|package| is_pure(package)).collect();
    for path in tracked()? {
        let file = root().join(&path);
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if !TEXT.contains(&extension.as_str()) || path.starts_with("fuzz/seeds") {
            continue;
        }
        // A file that was deleted and not yet committed is still listed.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let mut source = Source { path: &path, text: &text, report };
        source.words();
        source.citations();
        if extension == "rs" {
            source.name();
            source.columns();
            source.length();
            if pure.iter().any(|package| file.starts_with(package.folder.join("src"))) {
                source.purity();
            }
        }
    }
    members(metadata, report)
}

/// Every crate inherits the lints of the workspace (they demand docs on public items and forbid
/// unsafe code) and says at its top what it is.
fn members(metadata: &Metadata, report: &mut Report) -> Result {
    for package in metadata.members() {
        let manifest = fs::read_to_string(package.folder.join("Cargo.toml"))?;
        let own_lints = OWN_LINTS.iter().any(|(name, _)| *name == package.name);
        if !own_lints && !manifest.contains("[lints]\nworkspace = true") {
            report.problem(format!("{}: its manifest lacks the workspace's lints", package.name));
        }
        for top in ["src/lib.rs", "src/main.rs"] {
            let top = package.folder.join(top);
            if top.exists() && !fs::read_to_string(&top)?.starts_with("//!") {
                report.problem(format!("{}: does not begin with its docs", top.display()));
            }
        }
    }
    Ok(())
}

/// The files of the tree, also new ones, but not what is ignored.
fn tracked() -> Result<Vec<PathBuf>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let list = output(&mut program("git", &arguments, root()))?;
    Ok(list.lines().map(PathBuf::from).collect())
}

struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    report: &'a mut Report,
}

impl Source<'_> {
    fn problem(&mut self, line: usize, what: &str) {
        self.report.problem(format!("{}:{}: {what}", self.path.display(), line + 1));
    }

    fn words(&mut self) {
        for (number, line) in self.text.lines().enumerate() {
            for (word, reason) in BANNED {
                if stands_alone(line, word) {
                    self.problem(number, &format!("{word}: {reason}"));
                }
            }
        }
    }

    fn citations(&mut self) {
        for (number, line) in self.text.lines().enumerate() {
            for cited in cited_rfcs(line) {
                if !RFCS.iter().any(|(known, _)| *known == cited) {
                    self.problem(number, &format!("RFC {cited} is not on xtask's list"));
                }
            }
        }
    }

    fn name(&mut self) {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        if NAMES.contains(&stem.as_ref()) {
            self.problem(0, "name the file after what it holds");
        }
    }

    fn columns(&mut self) {
        for (number, line) in self.text.lines().enumerate() {
            // A string is not broken for the margin: nobody would find its words again.
            if line.chars().count() > COLUMNS_MAX && !line.contains('"') {
                self.problem(number, &format!("more than {COLUMNS_MAX} columns"));
            }
        }
    }

    fn length(&mut self) {
        let lines = production(self.path, self.text).count();
        if lines > LINES_MAX {
            let path = self.path.display();
            self.report.warning(format!("{path}: {lines} lines: which two things does it hold?"));
        }
    }

    fn purity(&mut self) {
        for (number, line) in production(self.path, self.text).enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for call in IMPURE {
                if code.contains(call) {
                    self.problem(number, &format!("{call} in a layer without clock and sockets"));
                }
            }
        }
    }
}

/// The lines before the tests, which stand last; none of a file of tests.
fn production<'a>(path: &Path, text: &'a str) -> impl Iterator<Item = &'a str> {
    let of_tests = path.components().any(|part| part.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem == "tests");
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    lines.take(if of_tests { 0 } else { usize::MAX })
}

/// Whether the word occurs without a letter, digit or underscore before it.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let open = word.ends_with(|c: char| !c.is_alphanumeric());
        !joins(before) && (open || !joins(after))
    })
}

/// The numbers in `RFC 5321`, `RFC5321` and `rfc5321`.
fn cited_rfcs(line: &str) -> Vec<u32> {
    let upper = line.to_ascii_uppercase();
    let number = |(at, _): (usize, &str)| {
        let rest = upper[at + 3..].trim_start_matches([' ', '-']);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse().ok()
    };
    upper.match_indices("RFC").filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_read() {
        assert_eq!(cited_rfcs("RFC 7208 section 5.2, rfc1035; RFC-5321"), [7208, 1035, 5321]);
        assert_eq!(cited_rfcs("an RFC, RFCs"), [0u32; 0]);
    }

    #[test]
    fn words_are_whole() {
        let (mark, path) = (BANNED[0].0, BANNED[7].0);
        assert!(stands_alone(&format!("// {mark}: later"), mark));
        assert!(!stands_alone(&format!("{mark}S"), mark));
        assert!(stands_alone(&format!("in {path}main"), path));
        assert!(!stands_alone(&format!("net{path}main"), path));
    }

    #[test]
    fn tests_are_no_production() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {}\n";
        assert_eq!(production(Path::new("src/a.rs"), text).count(), 1);
        assert_eq!(production(Path::new("src/a/tests.rs"), text).count(), 0);
        assert_eq!(production(Path::new("tests/a.rs"), text).count(), 0);
    }
}
