//! Answers as somebody wishes them to be, for the question what would follow.

use crate::{Notebook, Question, RecordType, Recorded};

/// What stands at a name, if each of these texts stood in DNS: `NAME TYPE TEXT`. Records of one
/// name and type are one answer; without TEXT there is no record of that type.
///
/// The text of a TXT record is taken as it is, or as character-strings in double quotes (RFC 1035
/// section 5.1); that of a type without a mnemonic is its RDATA in hexadecimal digits. What is
/// stored is written `TABLE:KEY STORED ENTRY`.
///
/// # Errors
/// The first text that cannot be read, and how it is written.
pub fn what_if<T: AsRef<str>>(records: &[T], now: u64) -> Result<Vec<Recorded>, String> {
    let mut answers: Vec<Recorded> = Vec::new();
    for record in records {
        let (question, text) = split(record.as_ref().trim())?;
        let known = answers.iter_mut().find(|answer| answer.question == question);
        let answer = match known {
            Some(answer) => answer,
            None => {
                answers.push(without_records(question, now));
                answers.last_mut().expect("it was just put there")
            }
        };
        if !text.is_empty() {
            "found".clone_into(&mut answer.status);
            answer.records.push(recorded(&answer.question, text)?);
        }
    }
    answers.iter().try_for_each(|answer| answer.note(&mut Notebook::default()))?;
    Ok(answers)
}

fn split(record: &str) -> Result<(Question, &str), String> {
    if let Some(stored) = split_stored(record) {
        return Ok(stored);
    }
    let mut words = record.splitn(2, char::is_whitespace);
    let name = words.next().unwrap_or_default();
    let rest = words.next().unwrap_or_default().trim_start();
    let (record_type, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let record_type: RecordType = record_type.parse().map_err(|()| {
        format!(
            "`{record}` is no record; write `NAME TYPE TEXT`, as in `example.com TXT v=spf1 -all`"
        )
    })?;
    let name = quivive_mail::domain::to_ascii(name);
    Ok((Question::dns(if name == "." { "" } else { &name }, record_type), text.trim()))
}

fn split_stored(record: &str) -> Option<(Question, &str)> {
    let (question, entry) = record.split_once(" STORED")?;
    let (table, key) = question.split_once(':')?;
    let is_word = entry.is_empty() || entry.starts_with(char::is_whitespace);
    (is_word && !table.contains(' ')).then(|| (Question::stored(table, key.trim()), entry.trim()))
}

fn without_records(question: Question, now: u64) -> Recorded {
    Recorded {
        question,
        status: "nodata".to_owned(),
        records: Vec::new(),
        ttl: 0,
        noted_at: now,
        micros: 0,
        authenticated: false,
        trusted: false,
        server: None,
    }
}

/// The text in the form of [`Recorded::records`].
fn recorded(question: &Question, text: &str) -> Result<String, String> {
    let dns = match question {
        Question::Dns(dns) => dns,
        Question::Stored(_) => return Ok(escaped(text.as_bytes())),
    };
    match dns.record_type {
        RecordType::Txt if text.starts_with('"') => character_strings(text)
            .map(|octets| escaped(&octets))
            .ok_or_else(|| format!("`{text}` are no character-strings in double quotes")),
        RecordType::Txt => Ok(escaped(text.as_bytes())),
        RecordType::Other(_) => hexadecimal(text)
            .map(|octets| escaped(&octets))
            .ok_or_else(|| format!("`{text}` is not RDATA in hexadecimal digits")),
        RecordType::Ptr => {
            Ok(quivive_mail::domain::to_ascii(text).trim_end_matches('.').to_owned())
        }
        RecordType::Mx => Ok(match text.strip_suffix('.') {
            Some(rest) if !rest.ends_with(char::is_whitespace) => rest.to_owned(),
            _ => text.to_owned(),
        }
        .to_ascii_lowercase()),
        RecordType::A | RecordType::Aaaa => Ok(text.to_owned()),
    }
}

fn character_strings(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        rest = rest.strip_prefix(b"\"")?;
        loop {
            match rest {
                [b'"', tail @ ..] => {
                    rest = tail.trim_ascii_start();
                    break;
                }
                [b'\\', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', tail @ ..] => {
                    let digits = [*a, *b, *c];
                    octets.push(str::from_utf8(&digits).ok()?.parse().ok()?);
                    rest = tail;
                }
                [b'\\', octet, tail @ ..] | [octet, tail @ ..] => {
                    octets.push(*octet);
                    rest = tail;
                }
                [] => return None,
            }
        }
    }
    Some(octets)
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| match pair {
        [_, _] => u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok(),
        _ => None,
    });
    pairs.collect()
}

fn escaped(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'\\' => text.push_str("\\092"),
            b' '..=b'~' => text.push(char::from(*octet)),
            octet => text.push_str(&format!("\\{octet:03}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(record: &str) -> (String, String, Vec<String>) {
        let mut answers = what_if(&[record], 7).unwrap();
        assert_eq!(answers.len(), 1);
        let answer = answers.remove(0);
        assert_eq!(answer.noted_at, 7);
        (answer.question.to_string(), answer.status, answer.records)
    }

    fn found(record: &str) -> String {
        let (_, status, mut records) = one(record);
        assert_eq!((&*status, records.len()), ("found", 1), "{record}");
        records.remove(0)
    }

    #[test]
    fn texts_as_they_are() {
        let (question, ..) = one(" Example.COM.  txt\tv=spf1  -all ");
        assert_eq!(question, "example.com TXT");
        assert_eq!(found("a.b TXT v=spf1  -all"), "v=spf1  -all");
        assert_eq!(found("a.b TXT back\\slash é"), "back\\092slash \\195\\169");
        assert_eq!(one("müller.example A 192.0.2.1").0, "xn--mller-kva.example A");
    }

    #[test]
    fn character_strings_are_joined() {
        assert_eq!(found(r#"a.b TXT "v=spf1 " "-all""#), "v=spf1 -all");
        assert_eq!(found(r#"a.b TXT "a\"b\\c\009""#), "a\"b\\092c\\009");
        for record in [r#"a.b TXT "a"#, r#"a.b TXT "a" b"#, r#"a.b TXT "a\"#, r#"a.b TXT "\999""#] {
            assert!(what_if(&[record], 0).is_err(), "{record}");
        }
    }

    #[test]
    fn other_types() {
        assert_eq!(found("a.b A 192.0.2.1"), "192.0.2.1");
        assert_eq!(found("a.b AAAA 2001:db8::1"), "2001:db8::1");
        assert_eq!(found("a.b MX 10 Mail.Example."), "10 mail.example");
        assert_eq!(found("a.b MX 0 ."), "0 .");
        assert_eq!(found("a.b PTR Mail.Example."), "mail.example");
        assert_eq!(found("a.b TYPE65280 61 5c 00"), "a\\092\\000");
    }

    #[test]
    fn records_of_one_question_are_one_answer() {
        let answers =
            what_if(&["a.b TXT v=spf1 -all", "a.b A 192.0.2.1", "A.B. TXT other"], 0).unwrap();
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0].records, ["v=spf1 -all", "other"]);
        assert_eq!(one("a.b TXT"), ("a.b TXT".into(), "nodata".into(), Vec::new()));
    }

    #[test]
    fn what_is_stored() {
        let (question, _, entries) = one("grants:\"a b\"@c.test STORED bob\\x");
        assert_eq!(question, "grants:\"a b\"@c.test STORED");
        assert_eq!(entries, ["bob\\092x"]);
        assert_eq!(one("grants:a@b STORED").1, "nodata");
        assert!(what_if(&["grants:a@b STOREDx"], 0).is_err());
    }

    #[test]
    fn what_is_no_record_is_said() {
        for record in ["", "a.b", "a.b SPF x", "a.b A 1.2.3", "a.b MX mail", "a.b TYPE9 0"] {
            let error = what_if(&[record], 0).unwrap_err();
            assert!(error.contains('`'), "{record}: {error}");
        }
    }
}
