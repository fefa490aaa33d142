//! Questions to a tcp_table, and the encoding of what it answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_postfix::Answer;
use quivive_postfix::tcp_table::{self, LINE_OCTETS_MAX, LineTooLong, Question, Questions};

fuzz_target!(|input: &[u8]| {
    let whole = questions(input, input.len().max(1));
    assert_eq!(whole, questions(input, 1));
    let mut encoded = Vec::new();
    tcp_table::encode(input, &mut encoded);
    assert_eq!(tcp_table::decode(&encoded).as_deref(), Some(input));
    let mut answer = Vec::new();
    tcp_table::write(&Answer::Found(String::from_utf8_lossy(input).into_owned()), &mut answer);
    let line = answer.strip_suffix(b"\n").expect("a line ends with LF");
    assert!(answer.len() <= LINE_OCTETS_MAX && !line.iter().any(u8::is_ascii_control));
});

fn questions(input: &[u8], piece: usize) -> (Vec<Option<Vec<u8>>>, Option<LineTooLong>) {
    let mut decoder = Questions::default();
    let (mut questions, mut rest) = (Vec::new(), input);
    loop {
        match decoder.question() {
            Ok(Some(Question::Get(key))) => questions.push(Some(key.into_owned())),
            Ok(Some(Question::Unknown)) => questions.push(None),
            Ok(None) if rest.is_empty() => return (questions, None),
            Ok(None) => {
                let space = decoder.input().space();
                let octets = piece.min(rest.len()).min(space.len());
                assert!(octets > 0, "there is always space");
                space[..octets].copy_from_slice(&rest[..octets]);
                decoder.input().filled(octets);
                rest = &rest[octets..];
            }
            Err(error) => return (questions, Some(error)),
        }
    }
}
