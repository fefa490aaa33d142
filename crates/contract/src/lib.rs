//! The objects of the contract, as the command line and the HTTP interface share them: what is
//! asked about a message, what is answered, and what is said where a question cannot be used.
//!
//! ```text
//! text -> Request::parse -> Query, Attached      the door gets the message, if it may
//!         Query::facts, Selection::of            -> a judgement
//! Judgement -> JudgementJson, Case -> CaseJson
//! ```
//! Keys are only added to these objects, never renamed.

mod case;
mod judgement;
mod lint;
mod publish;
mod query;
mod request;
mod request_error;
mod simulation;
mod srs;

pub use case::CaseJson;
pub use judgement::JudgementJson;
pub use lint::LintJson;
pub use publish::PublishJson;
pub use query::{Query, Selection, SelectionError};
pub use request::{Attached, Request, id_of};
pub use request_error::RequestError;
pub use simulation::SimulationJson;
pub use srs::SrsJson;

/// An object as a line of output.
pub fn line(value: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("strings, numbers and lists are JSON");
    line.push(b'\n');
    line
}
