use quivive_mail::header::READ_MAX;
use quivive_mail::header_edit::UNNAMED;

use super::*;
use crate::spool::{CHUNK_MAX, SpoolWriter};

fn own_names() -> Vec<String> {
    vec!["mx.example.test".to_owned()]
}

async fn spool(folder: &std::path::Path, message: &[u8]) -> Spool {
    let mut writer = SpoolWriter::new(folder, u64::MAX);
    writer.write(message).await.unwrap();
    writer.finish().await.unwrap().unwrap()
}

async fn edited(spool: &Spool, new_fields: &[(String, String)]) -> (Vec<u8>, HeaderCounts) {
    let own_names = own_names();
    let mut message = EditedMessage::new(spool, new_fields, &own_names);
    let mut output = Vec::new();
    while let Some(chunk) = message.next().await.unwrap() {
        assert!(!chunk.is_empty());
        assert!(chunk.len() <= CHUNK_MAX + READ_MAX + 1 + UNNAMED.len() + 200);
        output.extend_from_slice(chunk);
    }
    assert_eq!(message.next().await.unwrap(), None);
    assert_eq!(survey(spool, &own_names).await.unwrap().counts, message.counts());
    (output, message.counts())
}

#[tokio::test]
async fn new_fields_stand_on_top_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let new = [("Authentication-Results", "mx.example.test;\r\n none"), ("Received", "from x")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let top = "Authentication-Results: mx.example.test;\r\n none\r\nReceived: from x\r\n";
    let forged = "Authentication-Results: mx.example.test; spf=pass\r\n".repeat(3_000);
    for (message, rest) in [
        ("Received: a\r\n\r\nbody\r\n".to_owned(), "Received: a\r\n\r\nbody\r\n".to_owned()),
        (String::new(), String::new()),
        (format!("{forged}To: x\r\n\r\n"), "To: x\r\n\r\n".to_owned()),
        (format!("{forged}\r\n{forged}{forged}"), format!("\r\n{forged}{forged}")),
        (format!("Subject: {}", "x".repeat(500_000)), format!("Subject: {}", "x".repeat(500_000))),
    ] {
        let spool = spool(folder.path(), message.as_bytes()).await;
        assert!(edited(&spool, &new).await.0 == [top, &rest].concat().as_bytes());
        assert!(edited(&spool, &[]).await.0 == rest.as_bytes());
    }
}
