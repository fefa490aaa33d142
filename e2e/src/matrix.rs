//! What is proven with which mail server, by which door and at which stage: the page
//! `docs/matrix.md`.
//!
//! A test says what it has proven by [`shown`]; `cargo xtask test` compares what all of them said
//! with the page, and `cargo xtask matrix` writes the page from the last such run.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A row of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The mail server.
    pub server: &'static str,
    /// The door it comes in by.
    pub door: &'static str,
    /// When the answer is given.
    pub stage: &'static str,
}

/// A column of the page: what is seen in the mail server itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A message that passes carries its results.
    Marked,
    /// A fail is refused with our text and code.
    Refused,
    /// A temporary error is deferred with our text and code.
    Deferred,
    /// What is held lies in the mail server's quarantine, with the reason.
    Held,
    /// What is thrown away is taken and does not arrive.
    Discarded,
    /// Results in our name that came with the message are gone.
    Cleaned,
    /// The client's address and HELO arrive right.
    Client,
    /// The name of a client that logged in arrives right.
    Login,
    /// An IPv6 client.
    Ipv6,
    /// Over a UNIX socket.
    UnixSocket,
}

/// Every row there is, in the order of the page. A door adds its own.
pub const ROWS: &[Row] = &[
    POSTFIX_POLICY_RCPT,
    POSTFIX_POLICY_END,
    POSTFIX_MILTER_RCPT,
    POSTFIX_MILTER_END,
    EXIM_POLICY_RCPT,
    EXIM_POLICY_DATA,
    SENDMAIL_MILTER_RCPT,
    SENDMAIL_MILTER_END,
    OPENSMTPD_FILTER_RCPT,
    OPENSMTPD_FILTER_END,
];

/// Postfix with the policy service, at RCPT.
pub const POSTFIX_POLICY_RCPT: Row = Row { server: "Postfix", door: "policy", stage: "RCPT" };
/// Postfix with the policy service, at the end of the message.
pub const POSTFIX_POLICY_END: Row =
    Row { server: "Postfix", door: "policy", stage: "end of message" };
/// Exim with the policy service, at RCPT.
pub const EXIM_POLICY_RCPT: Row = Row { server: "Exim", door: "policy", stage: "RCPT" };
/// Exim with the policy service, at DATA, which for Exim is the end of the message.
pub const EXIM_POLICY_DATA: Row = Row { server: "Exim", door: "policy", stage: "DATA" };

/// Postfix with the milter, at RCPT.
pub const POSTFIX_MILTER_RCPT: Row = Row { server: "Postfix", door: "milter", stage: "RCPT" };
/// Postfix with the milter, at the end of the message.
pub const POSTFIX_MILTER_END: Row =
    Row { server: "Postfix", door: "milter", stage: "end of message" };
/// Sendmail with the milter, at RCPT.
pub const SENDMAIL_MILTER_RCPT: Row = Row { server: "Sendmail", door: "milter", stage: "RCPT" };
/// Sendmail with the milter, at the end of the message.
pub const SENDMAIL_MILTER_END: Row =
    Row { server: "Sendmail", door: "milter", stage: "end of message" };

/// OpenSMTPD with its filter, at RCPT.
pub const OPENSMTPD_FILTER_RCPT: Row = Row { server: "OpenSMTPD", door: "filter", stage: "RCPT" };
/// OpenSMTPD with its filter, at the end of the message.
pub const OPENSMTPD_FILTER_END: Row =
    Row { server: "OpenSMTPD", door: "filter", stage: "end of message" };

/// What a page begins with.
const HEAD: &str = "\
# What is proven with real mail servers

Each cell is a test that passed with the mail server itself, its clients, and DNS from a real name
server. This page is written by `cargo xtask matrix` from a run of `cargo xtask test`, which fails
where the two differ. A dash: there is no such test, mostly because the door cannot do it.

";

/// Notes that a test has proven this. The last thing that the test does.
///
/// # Panics
/// When it cannot be written down, or for a row that is not in [`ROWS`].
pub fn shown(row: Row, proof: Proof) {
    assert!(ROWS.contains(&row), "{row:?} is no row of the page");
    fs::create_dir_all(folder()).expect("target can be written");
    fs::write(folder().join(cell(row, proof)), "").expect("target can be written");
}

/// The page of the last run.
///
/// # Errors
/// What was noted cannot be read.
pub fn page_of_run() -> io::Result<String> {
    let mut cells = BTreeSet::new();
    if folder().exists() {
        for entry in fs::read_dir(folder())? {
            cells.insert(entry?.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(page(&cells))
}

/// Where the page lies in the repository.
pub fn page_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/matrix.md")
}

/// Where a run notes its cells. Emptied before a run.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/matrix")
}

fn cell(row: Row, proof: Proof) -> String {
    let words = [row.server, row.door, row.stage, proof.title()].join("--");
    words.replace(|octet: char| !octet.is_ascii_alphanumeric() && octet != '-', "_")
}

fn page(cells: &BTreeSet<String>) -> String {
    let titles: Vec<&str> = Proof::ALL.iter().map(|proof| proof.title()).collect();
    let mut page = HEAD.to_owned();
    page += &format!("| mail server | door | answered at | {} |\n", titles.join(" | "));
    page += &format!("|---|---|---|{}\n", ":-:|".repeat(titles.len()));
    for row in ROWS {
        let word = |proof: &Proof| match cells.contains(&cell(*row, *proof)) {
            true => "yes",
            false => "-",
        };
        let words: Vec<&str> = Proof::ALL.iter().map(word).collect();
        let Row { server, door, stage } = row;
        page += &format!("| {server} | {door} | {stage} | {} |\n", words.join(" | "));
    }
    page
}

impl Proof {
    /// All of them, in the order of the columns.
    pub const ALL: &[Self] = &[
        Self::Marked,
        Self::Refused,
        Self::Deferred,
        Self::Held,
        Self::Discarded,
        Self::Cleaned,
        Self::Client,
        Self::Login,
        Self::Ipv6,
        Self::UnixSocket,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Marked => "pass is marked",
            Self::Refused => "fail is refused",
            Self::Deferred => "temporary error defers",
            Self::Held => "held",
            Self::Discarded => "discarded",
            Self::Cleaned => "forged results go",
            Self::Client => "address and HELO",
            Self::Login => "login",
            Self::Ipv6 => "IPv6",
            Self::UnixSocket => "UNIX socket",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_was_shown_and_nothing_else() {
        let nothing = page(&BTreeSet::new());
        assert!(!nothing.contains("yes"));
        let cells = BTreeSet::from([cell(POSTFIX_MILTER_END, Proof::Cleaned)]);
        let one = page(&cells);
        assert_eq!(one.matches("yes").count(), 1);
        let line = one.lines().find(|line| line.contains("yes")).unwrap();
        assert!(line.starts_with("| Postfix | milter | end of message | - |"), "{line}");
    }

    #[test]
    fn no_two_cells_are_one() {
        let cells = ROWS.iter().flat_map(|row| Proof::ALL.iter().map(|proof| cell(*row, *proof)));
        assert_eq!(cells.collect::<BTreeSet<_>>().len(), ROWS.len() * Proof::ALL.len());
    }
}
