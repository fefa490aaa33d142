use std::path::{Path, PathBuf};

use quivive_contract::{Attached, JudgementJson, Query, Request, RequestError, Selection, id_of};
use quivive_evidence::Header;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::examiner::{Examiner, read_message};

/// How long a line may be, in octets.
pub(super) const LINE_OCTETS_MAX: usize = 1 << 20;

/// What is written for a line.
pub(super) struct Answered {
    /// The line of output, with its end.
    pub(super) line: Vec<u8>,
    /// The line of input could not be used.
    pub(super) is_error: bool,
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    id: Option<&'a RawValue>,
    #[serde(flatten)]
    judgement: JudgementJson<'a>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    id: Option<&'a RawValue>,
    error: &'a RequestError,
}

/// The answer to a line; to `None`, if it was too long.
pub(super) async fn answer(
    text: Option<Vec<u8>>,
    examiner: &Examiner,
    default: &Selection,
) -> Answered {
    let Some(octets) = text else {
        let text = format!("the line is longer than {LINE_OCTETS_MAX} octets");
        return Answered::error(None, &RequestError::new("too-long", text));
    };
    let text = match std::str::from_utf8(&octets) {
        Ok(text) => text,
        Err(error) => {
            let text = format!("not UTF-8 after {} octets", error.valid_up_to());
            return Answered::error(None, &RequestError::new("encoding", text));
        }
    };
    let id = id_of(text);
    match judge(text, examiner, default, id).await {
        Ok(line) => Answered { line, is_error: false },
        Err(error) => Answered::error(id, &error),
    }
}

async fn judge(
    text: &str,
    examiner: &Examiner,
    default: &Selection,
    id: Option<&RawValue>,
) -> Result<Vec<u8>, RequestError> {
    let Request { query, message } = Request::parse(text)?;
    let header = match message {
        None => None,
        Some(Attached::Octets(octets)) => Some(Header::read(&octets)),
        Some(Attached::File(path)) => Some(read_header(path).await?),
    };
    let selection = query.selection.clone().or(default);
    let judgement = examiner.examine(Query { header, selection, ..query }).await?;
    Ok(quivive_contract::line(&AnswerJson { id, judgement: JudgementJson::new(&judgement) }))
}

/// Reads the header of a line's message, away from the threads that answer others.
async fn read_header(path: PathBuf) -> Result<Header, RequestError> {
    if path == Path::new("-") {
        let text = "a line of a batch cannot have standard input as its message";
        return Err(RequestError::new("message-file", text));
    }
    let read = tokio::task::spawn_blocking(move || read_message(&path)).await;
    Ok(read.map_err(|lost| self::lost(&lost))??)
}

impl Answered {
    pub(super) fn error(id: Option<&RawValue>, error: &RequestError) -> Self {
        Self { line: quivive_contract::line(&ErrorJson { id, error }), is_error: true }
    }
}

/// Our own fault: the task that worked on the line did not end as it should.
pub(super) fn lost(lost: &tokio::task::JoinError) -> RequestError {
    RequestError::new("internal", lost.to_string())
}

impl From<Error> for RequestError {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::NotInThisVersion { .. } => "not-in-this-version",
            Error::Usage(_) => "field",
            Error::Unreadable { .. } | Error::TooLarge { .. } => "message-file",
            _ => "internal",
        };
        Self::new(kind, error.to_string())
    }
}
