//! SPF, the Sender Policy Framework of RFC 7208, as a pure function of recorded evidence.
//!
//! The way of a check: [`Spf::evaluate`](quivive_evidence::Evaluate::evaluate) makes a [`Request`]
//! out of the facts and walks (`walk.rs`) the [`Record`]s that the evidence holds, asking of each
//! mechanism whether it matches (`matching.rs`). A record is parsed once (`terms.rs`) and kept
//! beside its answer ([`Published`]), and so is what would take long to find out again
//! (`compiled.rs`, `settled.rs`).
//!
//! *Trusts:* nothing. Records, names and addresses are a stranger's. *Can be made to do:* ask at
//! most [`QUESTIONS_MAX`] questions, of which few ahead of need (see
//! [`quivive_evidence::Missing`]). *Known harm:* `exists` with macros of the sender tells a domain
//! about the mail it is asked for.

mod argument;
mod best_guess;
mod cause;
mod check;
mod compiled;
mod conclusion;
mod domain_spec;
mod expand;
mod format;
mod lint;
mod macro_string;
mod matching;
mod publish;
mod published;
mod received_spf;
mod record;
mod request;
mod scope;
mod settled;
mod spans;
mod step;
mod syntax;
mod target;
mod terms;
#[cfg(test)]
mod test_world;
mod trace;
mod walk;

pub use best_guess::{BEST_GUESS, BestGuess, Guessing};
pub use check::{Limits, Outcome, Spf, check_host, evaluate};
pub use compiled::{COMPILED_AT, DIRECTIVES_MAX, NETWORKS_MIN};
pub use domain_spec::{DomainSpec, NAME_OCTETS_MAX};
pub use lint::{LINT_QUESTIONS_MAX, LINT_RECORDS_MAX, SpfLint};
pub use macro_string::MacroString;
pub use matching::{MX_HOSTS_MAX, PTR_NAMES_MAX};
pub use publish::{Flattened, Flattening, PLAIN_OCTETS_MAX, SpfPublish, Unflattened, flatten};
pub use published::Published;
pub use received_spf::received_spf;
pub use record::{
    Directive, DualPrefix, Mechanism, Modifier, Qualifier, RECORD_OCTETS_MAX, Record, Term,
};
pub use request::Request;
pub use scope::Scope;
pub use settled::{COMPARISONS_MAX, INCLUDED_SPANS_MAX, OWN_SPANS_MAX, SETTLED_AT};
pub use syntax::{SyntaxError, SyntaxErrorKind};
pub use walk::{EXPLANATION_QUESTIONS_MAX, QUESTIONS_MAX, TERMS_MAX};
