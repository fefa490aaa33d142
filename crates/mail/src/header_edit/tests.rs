use proptest::prelude::*;

use super::*;
use crate::header::fields;

fn own_names() -> Vec<String> {
    vec!["mx.example.test".to_owned()]
}

/// What the editor makes of the message in pieces of these lengths, in turn.
fn edit(message: &[u8], lengths: &[usize]) -> (Vec<u8>, HeaderCounts) {
    let own_names = own_names();
    let mut editor = HeaderEditor::new(&own_names);
    let mut output = Vec::new();
    let mut rest = message;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(rest.len().min(*length));
        editor.push(piece, &mut output);
        assert!(editor.field.len() <= READ_MAX + 1);
        rest = after;
    }
    editor.finish(&mut output);
    (output, editor.counts())
}

/// The same over the whole message at once.
fn reference(message: &[u8]) -> (Vec<u8>, HeaderCounts) {
    let own_names = own_names();
    let mut output = Vec::new();
    let mut counts = HeaderCounts::default();
    let mut all = fields(message);
    for (place, field) in all.by_ref().enumerate() {
        if place == 0 && matches!(field.raw()[0], b' ' | b'\t') {
            output.extend(UNNAMED.as_bytes());
            output.extend(b"\r\n");
            output.extend(field.raw());
        } else if forged(field.raw(), &own_names) {
            counts.forged += 1;
        } else {
            counts.received += usize::from(field.is("Received"));
            output.extend(field.raw());
        }
    }
    output.extend(all.rest());
    (output, counts)
}

fn check(message: &[u8], expected: &[u8]) {
    for lengths in [&[1][..], &[2], &[3, 1], &[7], &[4096]] {
        assert_eq!(
            edit(message, lengths).0.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }
}

#[test]
fn forged_fields_go_with_all_their_lines() {
    check(
        b"From: a\r\nAuthentication-Results: mx.example.test;\r\n spf=pass\r\n\t x\r\nTo: b\r\n\r\n\
          Authentication-Results: mx.example.test; in the body\r\n",
        b"From: a\r\nTo: b\r\n\r\nAuthentication-Results: mx.example.test; in the body\r\n",
    );
    check(
        b"Authentication-Results: mx.example.test; none\r\n\
          Received-SPF: pass (mx.example.test: x)\r\n",
        b"",
    );
    check(b"Authentication-Results: mx.example.test; none", b"");
}

#[test]
fn everything_else_stays_as_it_is() {
    let long_line = format!("Subject: {}\r\n\r\n{}\r\n", "x".repeat(60_000), "y".repeat(60_000));
    for message in [
        &b""[..],
        b"\r\n",
        b"\r\nbody",
        b"From: a",
        b"From: a\r\n",
        b"From: a\r\n\r\n",
        b"no colon\r\nFrom: a\r\n\r\nbody\r\n",
        b"From: a\r\n \r\nTo: b\r\n\r\n\r\n\r\n",
        b"Authentication-Results: other.example; none\r\n\r\n",
        b"From: \xff\0\r\r\n\r\nbody \xff\0",
        b"\r",
        long_line.as_bytes(),
    ] {
        check(message, message);
    }
}

#[test]
fn a_continuation_at_the_top_does_not_continue_our_own_field() {
    check(b" a: b\r\n\tc\r\nTo: d\r\n\r\n", b"X-Quivive-Unnamed:\r\n a: b\r\n\tc\r\nTo: d\r\n\r\n");
    // Under a field that was taken out, the next one is no continuation.
    check(b"Authentication-Results: mx.example.test; none\r\n x\r\nTo: d\r\n", b"To: d\r\n");
}

#[test]
fn received_fields_are_counted() {
    let message = b"Received: a\r\nRECEIVED : b\r\n c\r\nX-Received: d\r\n\r\nReceived: e\r\n";
    let counts = edit(message, &[5]).1;
    assert_eq!(counts, HeaderCounts { received: 2, forged: 0 });
    let long = format!("Received: {}\r\n\r\n", "x".repeat(2 * READ_MAX));
    assert_eq!(edit(long.as_bytes(), &[5000]).1.received, 1);
}

#[test]
fn huge_fields_are_decided_by_their_beginning() {
    let body = "x".repeat(10_000_000);
    let kept = format!("Authentication-Results: other.example; {body}\r\nTo: a\r\n\r\n");
    assert!(edit(kept.as_bytes(), &[65_536]).0 == kept.as_bytes());
    let subject =
        format!("Subject:\r\n {}\r\nTo: a\r\n\r\n", body.replace("xxxxxxxxxx", "xxxxxxx\r\n "));
    assert!(edit(subject.as_bytes(), &[65_536]).0 == subject.as_bytes());
    for value in [format!("mx.example.test; {body}"), body.clone(), format!("({body}) other; none")]
    {
        let gone = format!("Authentication-Results: {value}\r\n {body}\r\nTo: a\r\n\r\n");
        let (output, counts) = edit(gone.as_bytes(), &[65_536]);
        assert_eq!(
            (output.escape_ascii().to_string(), counts.forged),
            ("To: a\\r\\n\\r\\n".to_owned(), 1)
        );
    }
}

#[test]
fn a_hundred_thousand_lines() {
    let other = "Received: x\r\nX: y\r\n z\r\n".repeat(33_000);
    let message =
        format!("{other}Authentication-Results: mx.example.test; none\r\n{other}\r\nbody");
    let (output, counts) = edit(message.as_bytes(), &[65_536]);
    assert!(output == format!("{other}{other}\r\nbody").as_bytes());
    assert_eq!(counts, HeaderCounts { received: 66_000, forged: 1 });
}

proptest! {
    #[test]
    fn any_pieces_give_what_the_whole_gives(
        message in "((Authentication-Results|Received|To| |\t|X\0)?[: ]{0,2}\
            (mx.example.test|other)?;?(\r\n|\r|\n|\r\n\r\n)?){0,12}",
        lengths in proptest::collection::vec(1_usize..20, 1..5),
    ) {
        prop_assert_eq!(edit(message.as_bytes(), &lengths), reference(message.as_bytes()));
    }

    #[test]
    fn also_around_the_length_that_is_held(
        head in "(Authentication-Results|Received-SPF|Received): ?(mx.example.test|other)?;?",
        length in READ_MAX - 60..READ_MAX + 60,
        filler in "[ a;]",
        piece in 1_usize..70_000,
    ) {
        let filler = filler.repeat(length);
        let message = format!("To: a\r\n{head}{filler}\r\n x\r\nCc: b\r\n\r\nbody");
        prop_assert!(edit(message.as_bytes(), &[piece]) == reference(message.as_bytes()));
    }

    #[test]
    fn random_octets(
        message in proptest::collection::vec(any::<u8>(), 0..300),
        lengths in proptest::collection::vec(1_usize..20, 1..5),
    ) {
        prop_assert_eq!(edit(&message, &lengths), reference(&message));
    }
}

#[test]
fn unwanted_fields_go_by_their_names() {
    let message = "From: a@b.test\r\nARC-Seal: i=1;\r\n a=x\r\nX-TMDA-Info: y\r\nArc\0-Seal: z\r\n\
                   From : c@d.test\r\nX-From: e\r\nSubject: s\r\n\r\nARC-Seal: body\r\n";
    let mut editor = HeaderEditor::new(Vec::<String>::new()).without(["From", "ARC-*", "X-TMDA-*"]);
    let mut output = Vec::new();
    editor.push(message.as_bytes(), &mut output);
    editor.finish(&mut output);
    let kept = "X-From: e\r\nSubject: s\r\n\r\nARC-Seal: body\r\n";
    assert_eq!(String::from_utf8(output).unwrap(), kept);
    assert_eq!(editor.counts().forged, 0);
}
