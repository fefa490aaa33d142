use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use quivive_evidence::{Header, Identity, Method};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
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
    /// Read before, by [`id_of`].
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
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

/// Finds the id of a line as it was written, also where the line breaks off or goes on behind its
/// object. The first one counts.
struct IdOf<'i, 'a>(&'i mut Option<&'a RawValue>);

impl<'a> Visitor<'a> for IdOf<'_, 'a> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'a, str>>()? {
            if key == "id" && self.0.is_none() {
                *self.0 = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

fn id_of(text: &str) -> Option<&RawValue> {
    let mut id = None;
    // What is wrong with the line is told by whoever reads all of it.
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(IdOf(&mut id));
    id
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
) -> Result<Vec<u8>, LineError> {
    if !text.trim_start().starts_with('{') {
        let text = "the line is no JSON object".to_owned();
        return Err(LineError { kind: "syntax", text });
    }
    let line: Line = serde_json::from_str(text)?;
    let header = match line.message_file.clone() {
        Some(path) => Some(read_header(path).await?),
        None => None,
    };
    let judgement = examiner.examine(Query { header, ..line.query(default)? }).await?;
    Ok(json::line(&AnswerJson { id, judgement: JudgementJson::new(&judgement) }))
}

/// Reads the header of a line's message, away from the threads that answer others.
async fn read_header(path: PathBuf) -> Result<Header, LineError> {
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
            header: None,
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
            Error::Usage(_) => "field",
            Error::Unreadable { .. } | Error::TooLarge { .. } => "message-file",
            _ => "internal",
        };
        Self { kind, text: error.to_string() }
    }
}
