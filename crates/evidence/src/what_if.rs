//! Answers as somebody wishes them to be, for the question what would follow.

use crate::{Notebook, Question, RecordType, Recorded};

/// How much of a text an error repeats, in characters.
const SHOWN_CHARACTERS_MAX: usize = 80;

/// What stands at a name, if each of these texts stood in DNS: `NAME TYPE TEXT`. Records of one
/// name and type are one answer; without TEXT there is no record of that type.
///
/// The text of a TXT record is taken as it is, or as character-strings in double quotes (RFC 1035
/// section 5.1); that of a type without a mnemonic is its RDATA in hexadecimal digits. What is
/// stored is written `TABLE:KEY STORED ENTRY`. A TTL and the class, as lines of a master file have
/// them behind the name, may stand there and count for nothing.
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
    answers.iter().try_for_each(is_readable)?;
    Ok(answers)
}

/// # Errors
/// A record that is none of its type, with the form of one.
fn is_readable(answer: &Recorded) -> Result<(), String> {
    answer.note(&mut Notebook::default()).map_err(|error| match &answer.question {
        Question::Dns(dns) => format!("{error}; {}", form(dns.record_type)),
        Question::Stored(_) => error,
    })
}

fn split(record: &str) -> Result<(Question, &str), String> {
    if let Some(stored) = split_stored(record) {
        return Ok(stored);
    }
    let (name, rest) = first_word(record);
    let rest = without_ttl_and_class(rest);
    let (record_type, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let record_type: RecordType = record_type.parse().map_err(|()| {
        format!(
            "`{}` is no record; write `NAME TYPE TEXT`, as in `example.com TXT v=spf1 -all`",
            shortened(record)
        )
    })?;
    let name = quivive_mail::domain::to_ascii(name);
    Ok((Question::dns(if name == "." { "" } else { &name }, record_type), text.trim()))
}

/// The first word, and what stands behind the blanks after it.
fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// A line of a master file has a TTL and a class before its type, in either order, if it has them
/// (RFC 1035 section 5.1).
fn without_ttl_and_class(text: &str) -> &str {
    let mut text = text;
    let (mut may_be_ttl, mut may_be_class) = (true, true);
    loop {
        let (word, rest) = first_word(text);
        let may_be = if word.eq_ignore_ascii_case("IN") {
            &mut may_be_class
        } else if word.parse::<u32>().is_ok() {
            &mut may_be_ttl
        } else {
            return text;
        };
        if !std::mem::take(may_be) {
            return text;
        }
        text = rest;
    }
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
        RecordType::Txt if text.starts_with('"') => {
            character_strings(text).map(|octets| escaped(&octets)).ok_or_else(|| {
                format!("`{}` are no character-strings in double quotes", shortened(text))
            })
        }
        RecordType::Txt => Ok(escaped(text.as_bytes())),
        RecordType::Other(_) => hexadecimal(text)
            .map(|octets| escaped(&octets))
            .ok_or_else(|| format!("`{}` is not RDATA in hexadecimal digits", shortened(text))),
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

/// What the record of a type looks like, for whoever has written another text there.
fn form(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::A => "write an IPv4 address, as in `192.0.2.1`",
        RecordType::Aaaa => "write an IPv6 address, as in `2001:db8::1`",
        RecordType::Mx => "write a preference and a name, as in `10 mail.example.com`",
        RecordType::Ptr => "write a name, as in `mail.example.com`",
        RecordType::Txt | RecordType::Other(_) => "write it as it is published",
    }
}

/// As much of a text as an error repeats.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
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
    fn lines_of_a_master_file_are_read() {
        for line in ["a.b. 300 IN TXT", "a.b. IN 300 TXT", "a.b.\tin\tTXT", "a.b 0 TXT"] {
            let line = format!("{line} \"v=spf1 -all\"");
            assert_eq!(one(&line).0, "a.b TXT", "{line}");
            assert_eq!(found(&line), "v=spf1 -all", "{line}");
        }
        assert_eq!(one("a.b 300 IN TXT").1, "nodata");
        for line in ["a.b 300 300 TXT x", "a.b IN IN TXT x", "a.b CH TXT x", "a.b -1 TXT x"] {
            assert!(what_if(&[line], 0).is_err(), "{line}");
        }
    }

    #[test]
    fn an_error_says_the_form_and_repeats_no_more_than_helps() {
        for (record, form) in [("a.b A x", "IPv4"), ("a.b AAAA x", "IPv6"), ("a.b MX x", "10 mail")]
        {
            let error = what_if(&[record], 0).unwrap_err();
            assert!(error.starts_with("`x`") && error.contains(form), "{error}");
        }
        let error = what_if(&["x".repeat(100_000)], 0).unwrap_err();
        assert!(error.len() < 300 && error.contains("x…` is no record"), "{error}");
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
