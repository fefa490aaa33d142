//! Linters: what is wrong or doubtful about what a domain publishes for these schemes.
//!
//! A text alone is read a record a line. Of a domain all names are looked at under which it can
//! have records; what it names elsewhere is looked up.

mod dmp;
mod drip;
mod mail_from_mx;
mod rmx;

use quivive_evidence::{LookUps, Outcome};

pub use dmp::DmpLint;
pub use drip::DripLint;
pub use mail_from_mx::MailFromMxLint;
pub use rmx::RmxLint;

/// The type of an alias.
const CNAME: u16 = 5;

/// Whether a name is an alias of another.
fn is_alias(name: &str, look_ups: &LookUps<'_>) -> bool {
    let answer = look_ups.other(name, CNAME);
    answer.is_some_and(|answer| matches!(answer.outcome, Outcome::Found(_)))
}

#[cfg(test)]
mod tests;
