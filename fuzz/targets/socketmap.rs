//! Netstrings that lie, and the questions in those that do not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_postfix::{Answer, NetstringError, Netstrings, socketmap};

fuzz_target!(|input: &[u8]| {
    let whole = questions(input, input.len().max(1));
    assert_eq!(whole, questions(input, 1));
    for (_, key) in whole.0.iter().flatten() {
        let Ok(key) = str::from_utf8(key) else { continue };
        let mut answer = Vec::new();
        socketmap::write(&Answer::Found(key.to_owned()), &mut answer);
        let expected = format!("OK {key}");
        assert_eq!(answer, format!("{}:{expected},", expected.len()).into_bytes());
    }
});

type Questions = Vec<Option<(Vec<u8>, Vec<u8>)>>;

fn questions(input: &[u8], piece: usize) -> (Questions, Option<NetstringError>) {
    let mut netstrings = Netstrings::new(socketmap::QUESTION_OCTETS_MAX);
    let (mut questions, mut rest) = (Vec::new(), input);
    loop {
        match netstrings.content() {
            Ok(Some(content)) => {
                assert!(content.len() <= socketmap::QUESTION_OCTETS_MAX);
                let question = socketmap::Question::parse(content);
                questions.push(question.map(|one| (one.map.to_vec(), one.key.to_vec())));
            }
            Ok(None) if rest.is_empty() => return (questions, None),
            Ok(None) => {
                let space = netstrings.input().space();
                let octets = piece.min(rest.len()).min(space.len());
                assert!(octets > 0, "there is always space");
                space[..octets].copy_from_slice(&rest[..octets]);
                netstrings.input().filled(octets);
                rest = &rest[octets..];
            }
            Err(error) => return (questions, Some(error)),
        }
    }
}
