//! Facts, evidence and findings: the contract by which every method of Quivive is evaluated.
//!
//! A method is a pure function. It is handed the [`Facts`] (what the peer said and did) and the
//! [`Evidence`] (what the world answered so far), and says either [`Evaluation::Done`] with its
//! [`Finding`], or [`Evaluation::Missing`] with the [`Question`]s whose answers it still lacks.
//! It has no clock, no randomness and no socket, so that evaluating the recorded evidence of an old
//! message again gives the same finding, always.
//!
//! A driver answers the missing questions, notes the answers in a [`Notebook`], and evaluates again
//! from the start; [`Inquiry`] holds the bounds that every driver shares.
//!
//! Those who publish are served in the same way: a linter ([`Lint`]) says what is doubtful about a
//! record, a generator ([`Publish`]) writes records from one description of the [`Senders`].

mod answer;
mod evaluate;
mod facts;
mod finding;
mod header;
mod inquiry;
mod lint;
mod memo;
mod missing;
mod notebook;
mod octets;
mod publish;
mod question;
mod recorded;
mod tracer;
mod walk;
mod what_if;
mod zone_record;

pub use answer::{Answer, DnsAnswer, DomainName, Failure, Mx, NotedAnswer, Outcome, Source};
pub use evaluate::{Evaluate, Evaluation, Evidence};
pub use facts::{Facts, Nonce};
pub use finding::{Finding, FindingResult, Identity, Method, Property, TermResult, TraceNode};
pub use header::{HEADER_OCTETS_MAX, Header, HeaderField, RECEIVED_MAX};
pub use inquiry::{AHEAD_QUESTIONS_MAX, Inquiry, Progress, ROUNDS_MAX, Round, Rounds};
pub use lint::{
    Count, LINT_QUESTIONS_MAX, Lint, LintNode, LintReport, Linting, LookUps, REMARKS_MAX, Remark,
    Severity, Subject, grouped, is_not_public, not_public_network, permitted_host,
    permitted_network, wide_network,
};
pub use memo::{DERIVED_OCTETS_MAX, Derived, Memo};
pub use missing::{AHEAD_OTHER_ROUND_MAX, AHEAD_TXT_ROUND_MAX, Ahead, Missing};
pub use notebook::{Notebook, Noted};
pub use octets::{Octets, Txt};
pub use publish::{Publication, Publish, Senders, Stance};
pub use question::{
    DnsQuestion, Question, RecordType, StoredQuestion, reverse_name, write_reverse_name,
};
pub use recorded::Recorded;
pub use tracer::{Tracer, span, whole};
pub use walk::{Conclusion, Found, HasAddress, Judged, NEEDED_QUESTIONS_MAX, Stop, Walk};
pub use what_if::what_if;
pub use zone_record::{CHARACTER_STRING_MAX, ZoneData, ZoneRecord};
