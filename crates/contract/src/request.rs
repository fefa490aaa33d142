use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use data_encoding::BASE64;
use quivive_evidence::{Identity, Method};
use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{Query, RequestError, Selection};

/// What is asked about one message.
#[derive(Debug)]
pub struct Request {
    /// What is told of it. Its header is not read yet.
    pub query: Query,
    /// The message, if there is one.
    pub message: Option<Attached>,
}

/// A message that comes with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Attached {
    /// Itself.
    Octets(Vec<u8>),
    /// A file that holds it. Nobody but whoever could read it anyway may name one.
    File(PathBuf),
}

/// A request as it is written. An unknown key is an error, since it is mostly a known one with a
/// slip.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    /// Read by [`id_of`].
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
    submitter: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    message_base64: Option<String>,
    #[serde(default)]
    message_file: Option<PathBuf>,
    #[serde(default)]
    methods: Option<Vec<String>>,
    #[serde(default)]
    identities: Option<Vec<String>>,
}

impl Request {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// What of it cannot be used: `syntax`, `field`, `ip`, `method`, `identity`, `message`.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        if !text.trim_start().starts_with('{') {
            return Err(RequestError::new("syntax", "this is no JSON object"));
        }
        let object: Object = serde_json::from_str(text)?;
        object.read()
    }
}

impl Object {
    fn read(self) -> Result<Request, RequestError> {
        let ip: IpAddr = self.ip.parse().map_err(|_| {
            RequestError::new("ip", format!("`{}` is no IP address", self.ip.escape_debug()))
        })?;
        let selection = Selection {
            methods: words::<Method>(self.methods, "method")?,
            identities: words::<Identity>(self.identities, "identity")?,
        };
        let message = message(self.message, self.message_base64, self.message_file)?;
        let query = Query {
            ip,
            helo: self.helo,
            mail_from: self.mail_from,
            rcpt: self.rcpt.unwrap_or_default(),
            auth_user: self.auth_user,
            submitter: self.submitter,
            header: None,
            selection,
        };
        Ok(Request { query, message })
    }
}

fn words<T: FromStr<Err = String>>(
    words: Option<Vec<String>>,
    kind: &'static str,
) -> Result<Option<Vec<T>>, RequestError> {
    let parsed = words.map(|words| words.iter().map(|word| word.parse()).collect());
    parsed.transpose().map_err(|text: String| RequestError::new(kind, text))
}

fn message(
    text: Option<String>,
    base64: Option<String>,
    file: Option<PathBuf>,
) -> Result<Option<Attached>, RequestError> {
    match (text, base64, file) {
        (None, None, None) => Ok(None),
        (Some(text), None, None) => Ok(Some(Attached::Octets(text.into_bytes()))),
        (None, Some(base64), None) => match BASE64.decode(base64.as_bytes()) {
            Ok(octets) => Ok(Some(Attached::Octets(octets))),
            Err(error) => {
                let text = format!("`message_base64` is no base64 (RFC 4648 section 4): {error}");
                Err(RequestError::new("message", text))
            }
        },
        (None, None, Some(file)) => Ok(Some(Attached::File(file))),
        _ => {
            let text = "there is one message: give `message`, `message_base64` or `message_file`";
            Err(RequestError::new("message", text))
        }
    }
}

/// The id of a request as it was written, also where the text breaks off or goes on behind its
/// object. The first one counts.
pub fn id_of(text: &str) -> Option<&RawValue> {
    let mut id = None;
    // What is wrong with the text is told by whoever reads all of it.
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(IdOf(&mut id));
    id
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BARE: &str = r#""ip":"192.0.2.1","helo":"h","mail_from":"a@b.example""#;

    fn parse(more: &str) -> Result<Request, RequestError> {
        Request::parse(&format!("{{{BARE}{more}}}"))
    }

    fn kind(text: &str) -> &'static str {
        Request::parse(text).unwrap_err().kind
    }

    #[test]
    fn a_request_has_what_it_says() {
        let request = parse(
            r#","rcpt":["b@here.example"],"auth_user":"u","methods":["spf"],"identities":["helo"],
               "id":[1],"message":"From: a@b.example\n\n""#,
        );
        let Request { query, message } = request.unwrap();
        assert_eq!((&*query.helo, &*query.mail_from), ("h", "a@b.example"));
        assert_eq!(query.rcpt, ["b@here.example"]);
        assert_eq!(query.auth_user.as_deref(), Some("u"));
        assert_eq!(query.selection.methods, Some(vec![Method::Spf]));
        assert_eq!(query.selection.identities, Some(vec![Identity::Helo]));
        assert_eq!(message, Some(Attached::Octets(b"From: a@b.example\n\n".to_vec())));
        let bare = parse("").unwrap();
        assert_eq!((bare.message, bare.query.rcpt.len()), (None, 0));
    }

    #[test]
    fn a_message_comes_in_one_way() {
        let message = |more: &str| parse(more).map(|request| request.message);
        let octets = Some(Attached::Octets(b"A: \xff\r\n".to_vec()));
        assert_eq!(message(r#","message_base64":"QTog/w0K""#), Ok(octets));
        let file = Some(Attached::File("m.eml".into()));
        assert_eq!(message(r#","message_file":"m.eml""#), Ok(file));
        for more in [
            r#","message":"","message_base64":"""#,
            r#","message":"","message_file":"m""#,
            r#","message_base64":"QQ""#,
            r#","message_base64":"Q Q=""#,
            r#","message_base64":"-_-_""#,
        ] {
            assert_eq!(message(more).unwrap_err().kind, "message", "{more}");
        }
    }

    #[test]
    fn what_cannot_be_used_has_a_kind() {
        for (text, expected) in [
            ("", "syntax"),
            ("[]", "syntax"),
            ("{", "syntax"),
            ("{}", "field"),
            (r#"{"ip":1}"#, "field"),
            (r#"{"ip":"192.0.2.1","helo":"h","mail_from":"","x":1}"#, "field"),
            (r#"{"ip":"192.0.2.1","ip":"192.0.2.1"}"#, "field"),
            (r#"{"ip":"nowhere","helo":"h","mail_from":""}"#, "ip"),
            (r#"{"ip":"192.0.2.1","helo":"h","mail_from":""} x"#, "syntax"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
        assert_eq!(parse(r#","methods":["spam"]"#).unwrap_err().kind, "method");
        assert_eq!(parse(r#","identities":["me"]"#).unwrap_err().kind, "identity");
    }

    #[test]
    fn nesting_ends_somewhere() {
        let deep = "[".repeat(10_000);
        assert_eq!(kind(&format!(r#"{{{BARE},"rcpt":{deep}"#)), "field");
        assert_eq!(kind(&format!(r#"{{{BARE},"id":{deep}"#)), "syntax");
        assert_eq!(kind(&"{\"id\":".repeat(10_000)), "syntax");
    }

    #[test]
    fn ids_are_found_where_the_rest_is_broken() {
        let id = |text| id_of(text).map(RawValue::get);
        assert_eq!(id(r#"{"id":{"a":1},"ip":"#), Some(r#"{"a":1}"#));
        assert_eq!(id(r#"{"ip":1,"id":"x"} rest"#), Some(r#""x""#));
        assert_eq!(id(r#"{"i\u0064":7}"#), Some("7"));
        assert_eq!(id(r#"{"ip":1}"#), None);
        assert_eq!(id("nothing"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = (Request::parse(&text), id_of(&text));
            let _ = parse(&text);
        }
    }
}
