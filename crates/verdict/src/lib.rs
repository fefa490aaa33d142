//! From findings to a verdict over one message: which methods run, what follows from what they
//! find.
//!
//! [`Session`] is the way of a message through this crate. It is given the facts as they grow, says
//! which questions need answers, and in the end what is to be done and why.

mod case;
mod catalogue;
mod decision;
mod difference;
mod headers;
mod inspection;
mod judgement;
mod method_settings;
mod plan;
mod policy;
mod practice;
mod refusal;
mod repair;
mod replay;
mod rewrite;
mod session;
pub mod simulation;
mod verdict;

pub use case::Case;
pub use catalogue::{
    Flattened, Flattening, Unflattened, flatten, linted_methods, linter, published_methods,
    publisher,
};
pub use decision::cause_in_words;
pub use difference::{Difference, Node, TermDifference, differences};
pub use inspection::{Inspection, Inspector, NETWORKS_MAX, SAMPLES_MAX};
pub use judgement::{Asked, Cost, Judgement};
pub use method_settings::MethodSettings;
pub use plan::{Stage, judges, last_stage, methods, reads_header};
pub use policy::{Action, Actions, Exception, Mode, Policy, Repair};
pub use practice::Practice;
pub use quivive_spf::BestGuess;
pub use refusal::{
    DEFAULT_TEMPLATE, PLACES, TEMPLATE_OCTETS_MAX, TEXT_OCTETS_MAX, Template, TemplateError,
};
pub use replay::{Replay, replay};
pub use rewrite::Rewrite;
pub use session::Session;
pub use verdict::{HeaderEdit, Headers, RecipientVerdict, Verdict, VerdictReply};
