//! A next hop that is slow. Time is paused: it passes only while nothing else can happen.

use quivive_mail::{Charset, ForwardPath, ReversePath};
use quivive_smtp::{Mail, MailParameters, Rcpt, RcptParameters};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::pool::{IDLE_MAX, IDLE_TIME, Pool};
use super::{Connection, Dialect, Lost, Patience};
use crate::header_edit::EditedMessage;
use crate::next_hop::SendError;
use crate::spool::SpoolWriter;

const HELLO: &[u8] = b"220 next.example\r\n250-next.example\r\n250 PIPELINING\r\n";

/// A connection to a next hop that has said all this in advance, and goes on by hand.
async fn greeted(said: &[u8]) -> Result<(Connection, DuplexStream), Lost> {
    let (ours, mut theirs) = duplex(4096);
    theirs.write_all(said).await.unwrap();
    let patience = Patience::default();
    let greeted =
        Connection::greet(Box::new(ours), Dialect::Smtp, "mx.example", None, patience).await?;
    Ok((greeted, theirs))
}

/// The next hop says this once it has heard DATA, and takes nothing more.
fn at_data(mut theirs: DuplexStream, say: &'static [u8]) -> JoinHandle<DuplexStream> {
    tokio::spawn(async move {
        let mut heard = Vec::new();
        while !heard.ends_with(b"DATA\r\n") {
            assert_ne!(theirs.read_buf(&mut heard).await.unwrap(), 0);
        }
        theirs.write_all(say).await.unwrap();
        theirs
    })
}

fn mail() -> Mail {
    let reverse_path = ReversePath::parse(b"<a@pass.example>", Charset::Ascii).unwrap();
    Mail { reverse_path, parameters: MailParameters::default() }
}

fn rcpt() -> Rcpt {
    let forward_path = ForwardPath::parse(b"<b@here.example>", Charset::Ascii).unwrap();
    Rcpt { forward_path, parameters: RcptParameters::default() }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_each_stage() {
    let patience = Patience::default();
    let start = Instant::now();
    assert!(matches!(greeted(b"").await, Err(Lost::TimedOut)));
    assert_eq!(start.elapsed().as_secs(), patience.greeting.as_secs());

    let (mut connection, theirs) = greeted(HELLO).await.unwrap();
    let start = Instant::now();
    assert!(matches!(connection.begin(&mail(), &rcpt()).await, Err(Lost::TimedOut)));
    assert_eq!(start.elapsed().as_secs(), patience.command.as_secs());
    drop(theirs);
}

#[tokio::test(start_paused = true)]
async fn silence_after_the_message_is_no_answer() {
    let (mut connection, mut theirs) = greeted(HELLO).await.unwrap();
    theirs.write_all(b"250 ok\r\n250 ok\r\n").await.unwrap();
    connection.begin(&mail(), &rcpt()).await.unwrap();
    let _theirs = at_data(theirs, b"354 go on\r\n");
    assert_eq!(connection.data().await.unwrap().code, 354);
    let spool = SpoolWriter::new("/nowhere", 1000).finish().await.unwrap().unwrap();
    let mut message = EditedMessage::new(&spool, &[], &[]);
    let start = Instant::now();
    let sent = connection.send(&mut message).await;
    assert!(matches!(sent, Err(SendError::Lost(Lost::TimedOut))), "{sent:?}");
    assert_eq!(start.elapsed().as_secs(), Patience::default().end.as_secs());
    assert!(connection.spent);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_taken_is_given_up() {
    let (mut connection, mut theirs) = greeted(HELLO).await.unwrap();
    theirs.write_all(b"250 ok\r\n250 ok\r\n").await.unwrap();
    connection.begin(&mail(), &rcpt()).await.unwrap();
    let _theirs = at_data(theirs, b"354 go on\r\n");
    assert_eq!(connection.data().await.unwrap().code, 354);
    let mut writer = SpoolWriter::new("/nowhere", 100_000);
    writer.write(&b"0123456\r\n".repeat(10_000)).await.unwrap();
    let spool = writer.finish().await.unwrap().unwrap();
    let mut message = EditedMessage::new(&spool, &[], &[]);
    let sent = connection.send(&mut message).await;
    assert!(matches!(sent, Err(SendError::Lost(Lost::TimedOut))), "{sent:?}");
    assert!(connection.spent);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_the_middle_of_a_message_comes_through() {
    let (mut connection, mut theirs) = greeted(HELLO).await.unwrap();
    theirs.write_all(b"250 ok\r\n250 ok\r\n").await.unwrap();
    connection.begin(&mail(), &rcpt()).await.unwrap();
    let _theirs = at_data(theirs, b"354 go on\r\n552 5.3.4 too much\r\n");
    assert_eq!(connection.data().await.unwrap().code, 354);
    let mut writer = SpoolWriter::new("/nowhere", 100_000);
    writer.write(&b"0123456\r\n".repeat(10_000)).await.unwrap();
    let spool = writer.finish().await.unwrap().unwrap();
    let mut message = EditedMessage::new(&spool, &[], &[]);
    assert_eq!(connection.send(&mut message).await.unwrap().code, 552);
    assert!(connection.spent);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_before_data_is_a_goodbye_or_out_of_step() {
    for said in ["421 4.4.2 timeout exceeded\r\n", "", "250 once more\r\n"] {
        let (mut connection, mut theirs) = greeted(HELLO).await.unwrap();
        theirs.write_all(b"250 ok\r\n250 ok\r\n").await.unwrap();
        connection.begin(&mail(), &rcpt()).await.unwrap();
        theirs.write_all(said.as_bytes()).await.unwrap();
        theirs.shutdown().await.unwrap();
        let answer = connection.data().await;
        match said {
            "" => assert!(matches!(answer, Err(Lost::Closed)), "{answer:?}"),
            _ if said.starts_with("421") => assert_eq!(answer.unwrap().code, 421),
            _ => assert!(matches!(answer, Err(Lost::OutOfStep)), "{answer:?}"),
        }
        // It was not asked.
        drop(connection);
        let mut heard = String::new();
        theirs.read_to_string(&mut heard).await.unwrap();
        assert!(!heard.contains("DATA"), "{heard}");
    }
}

#[tokio::test]
async fn a_connection_is_quiet_until_something_is_said() {
    let (mut connection, mut theirs) = greeted(HELLO).await.unwrap();
    assert!(connection.is_quiet().await);
    theirs.write_all(b"421 4.4.2 idle\r\n").await.unwrap();
    assert!(!connection.is_quiet().await);
    let (mut connection, theirs) = greeted(HELLO).await.unwrap();
    drop(theirs);
    assert!(!connection.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn idle_connections_are_few_and_end() {
    let pool = std::sync::Arc::new(Pool::default());
    let mut theirs = Vec::new();
    for _ in 0..IDLE_MAX + 1 {
        let (connection, end) = greeted(HELLO).await.unwrap();
        pool.put(connection);
        theirs.push(end);
    }
    // One was too many and is closed at once, the others after their time.
    let mut heard = String::new();
    theirs.pop().unwrap().read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "EHLO mx.example\r\n");
    let start = Instant::now();
    for mut end in theirs {
        heard.clear();
        end.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "EHLO mx.example\r\nQUIT\r\n");
    }
    assert!(start.elapsed() >= IDLE_TIME && start.elapsed() <= IDLE_TIME * 2);
    assert!(pool.take().await.is_none());
}
