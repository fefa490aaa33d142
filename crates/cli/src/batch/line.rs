use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use quivive_evidence::{Identity, Method};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::examiner::{Examiner, Query, Selection, read_message};
use crate::json::{self, JudgementJson};

/// How long a line may be, in octets.
pub(super) const LINE_OCTETS_MAX: usize = 1 << 20;

/// What is written for a line.
pub(super) struct Answered {
    /// The line of output, with its end.
    pub(super) line: Vec<u8>,
    /// The line of input could not be used.
    pub(super) is_error: bool,
}

/// A line of input. An unknown key is an error, since it is mostly a known one with a slip.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Read before, by [`OnlyId`].
    #[serde(default, rename = "id")]
    _id: serde::de::IgnoredAny,
    ip: String,
    helo: String,
    mail_from: String,
    #[serde(default)]
    rcpt: Option<Vec<String>>,
    #[serde(default)]
    auth_user: Option<String>,
    #[serde(default)]
    message_file: Option<PathBuf>,
    #[serde(default)]
    methods: Option<Vec<String>>,
    #[serde(default)]
    identities: Option<Vec<String>>,
}

/// The id as it was written, also of a line that cannot be used.
#[derive(Deserialize)]
struct OnlyId<'a> {
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
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
    error: &'a LineError,
}

/// Why a line could not be used.
#[derive(Debug, Serialize)]
pub(super) struct LineError {
    /// A stable word.
    kind: &'static str,
    /// For people.
    text: String,
}

/// The answer to a line; to `None`, if it was too long.
pub(super) async fn answer(
    text: Option<Vec<u8>>,
    examiner: &Examiner,
    default: &Selection,
) -> Answered {
    let Some(octets) = text else {
        let text = format!("the line is longer than {LINE_OCTETS_MAX} octets");
        return Answered::error(None, &LineError { kind: "too-long", text });
    };
    let text = match std::str::from_utf8(&octets) {
        Ok(text) => text,
        Err(error) => {
            let text = format!("not UTF-8 after {} octets", error.valid_up_to());
            return Answered::error(None, &LineError { kind: "encoding", text });
        }
    };
    // A line that is no object has no id.
    let id = serde_json::from_str::<OnlyId<'_>>(text).ok().and_then(|line| line.id);
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
) -> Result<Vec<u8>, LineError> {
    let line: Line = serde_json::from_str(text)?;
    if let Some(path) = line.message_file.clone() {
        check_message(path).await?;
    }
    let judgement = examiner.examine(line.query(default)?).await?;
    Ok(json::line(&AnswerJson { id, judgement: JudgementJson::new(&judgement) }))
}

/// Reads the message of a line, away from the threads that answer others.
async fn check_message(path: PathBuf) -> Result<(), LineError> {
    if path == Path::new("-") {
        let text = "a line of a batch cannot have standard input as its message".to_owned();
        return Err(LineError { kind: "message-file", text });
    }
    let read = tokio::task::spawn_blocking(move || read_message(&path)).await;
    Ok(read.map_err(|lost| LineError::lost(&lost))??)
}

impl Line {
    fn query(self, default: &Selection) -> Result<Query, LineError> {
        let ip: IpAddr = self.ip.parse().map_err(|_| LineError {
            kind: "ip",
            text: format!("`{}` is no IP address", self.ip.escape_debug()),
        })?;
        let selection = Selection {
            methods: words::<Method>(self.methods, "method")?,
            identities: words::<Identity>(self.identities, "identity")?,
        };
        Ok(Query {
            ip,
            helo: self.helo,
            mail_from: self.mail_from,
            rcpt: self.rcpt.unwrap_or_default(),
            auth_user: self.auth_user,
            selection: selection.or(default),
        })
    }
}

fn words<T: FromStr<Err = String>>(
    words: Option<Vec<String>>,
    kind: &'static str,
) -> Result<Option<Vec<T>>, LineError> {
    let parsed = words.map(|words| words.iter().map(|word| word.parse()).collect());
    parsed.transpose().map_err(|text| LineError { kind, text })
}

impl Answered {
    pub(super) fn error(id: Option<&RawValue>, error: &LineError) -> Self {
        Self { line: json::line(&ErrorJson { id, error }), is_error: true }
    }
}

impl LineError {
    /// Our own fault: the task that worked on the line did not end as it should.
    pub(super) fn lost(lost: &tokio::task::JoinError) -> Self {
        Self { kind: "internal", text: lost.to_string() }
    }
}

impl From<serde_json::Error> for LineError {
    fn from(error: serde_json::Error) -> Self {
        let kind = if error.is_data() { "field" } else { "syntax" };
        Self { kind, text: error.to_string() }
    }
}

impl From<Error> for LineError {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::NotInThisVersion { .. } => "not-in-this-version",
            Error::Unreadable { .. } | Error::TooLarge { .. } => "message-file",
            _ => "internal",
        };
        Self { kind, text: error.to_string() }
    }
}
