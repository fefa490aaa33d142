use super::world::{Answer, FROM, Next, TO, World};
use crate::next_hop::Dialect;

const MESSAGE: &str = "Subject: hello\r\n\r\nHow are you?\r\n";

#[tokio::test]
async fn a_message_goes_through_with_its_verdict() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.open().await;
    let reply = client.message(MESSAGE).await;
    assert_eq!((reply.code, &*reply.text), (250, "fine"));
    assert_eq!(client.say("QUIT").await, 221);
    let content = &next.contents()[0];
    let names: Vec<&str> = content
        .split("\r\n")
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    let expected =
        ["Authentication-Results", "Received-SPF", "Received-SPF", "Received", "Subject"];
    assert_eq!(names, expected, "{content}");
    assert!(content.contains("spf=pass"), "{content}");
    assert!(content.ends_with("\r\n\r\nHow are you?\r\n"), "{content}");
}

#[tokio::test]
async fn a_message_goes_into_the_maildir() {
    let world = World::maildir().await;
    let mut client = world.open().await;
    assert_eq!(client.say("RCPT TO:<c@here.example>").await, 250);
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let mails = world.mails();
    assert_eq!(mails.len(), 1);
    let top = "Return-Path: <a@pass.example>\nDelivered-To: b@here.example\n\
               Delivered-To: c@here.example\nAuthentication-Results: ";
    assert!(mails[0].starts_with(top), "{}", mails[0]);
    assert!(mails[0].contains("Received: from c.example ([192.0.2.1])"), "{}", mails[0]);
    assert!(mails[0].contains(" with ESMTP "), "{}", mails[0]);
}

#[tokio::test]
async fn forged_fields_go() {
    let world = World::maildir().await;
    let mut client = world.open().await;
    let forged = "Authentication-Results: mx.example; spf=pass\r\n\
                  Authentication-Results: other.example; spf=pass\r\n";
    assert_eq!(client.message(&format!("{forged}{MESSAGE}")).await.code, 250);
    let mail = &world.mails()[0];
    assert_eq!(mail.matches("Authentication-Results: mx.example").count(), 1, "{mail}");
    assert!(mail.contains("Authentication-Results: other.example"), "{mail}");
}

#[tokio::test]
async fn who_sends_is_refused_at_rcpt_and_the_next_hop_hears_nothing() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", "MAIL FROM:<a@fail.example>"]).await;
    for _ in 0..2 {
        let reply = client.ask(TO).await;
        assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (550, "5.7.23".into()));
    }
    assert_eq!(client.say("DATA").await, 554);
    client.all(&["RSET", "MAIL FROM:<a@slow.example>"]).await;
    let reply = client.ask(TO).await;
    assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (451, "4.7.24".into()));
    assert_eq!(client.say("QUIT").await, 221);
    // A verdict that takes its time is spoken all the same, but MAIL may have gone on by then.
    assert!(next.contents().is_empty());
}

#[tokio::test]
async fn what_is_discarded_is_taken_and_goes_nowhere() {
    let world = World::maildir().await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", "MAIL FROM:<a@broken.example>", TO]).await;
    let discarded = client.message(MESSAGE).await;
    assert!(world.mails().is_empty());
    // It sounds as what is delivered, but for the id.
    client.all(&[FROM, TO]).await;
    let delivered = client.message(MESSAGE).await;
    let [discarded, delivered] = [discarded, delivered].map(|reply| {
        let text = reply.to_string();
        let (sound, id) = text.rsplit_once(' ').unwrap();
        (sound.to_owned(), id.len())
    });
    assert_eq!(discarded, ("250 2.0.0 Taken as".to_owned(), 16));
    assert_eq!(discarded, delivered);
}

#[tokio::test]
async fn nobody_relays() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM]).await;
    for (path, code) in [
        ("<a@there.example>", 550),
        ("<@relay.example:victim@here.example>", 550),
        ("<a%there.example@here.example>", 550),
        ("<\"a@there.example\"@here.example>", 550),
        ("<there.example!a@here.example>", 550),
        ("<../../x@here.example>", 501),
        ("<>", 501),
        ("<postmaster>", 250),
    ] {
        assert_eq!(client.say(&format!("RCPT TO:{path}")).await, code, "{path}");
    }
    let rcpts = next.heard().into_iter().filter(|line| line.starts_with("RCPT"));
    assert_eq!(rcpts.collect::<Vec<_>>(), ["RCPT TO:<Postmaster>"]);
}

#[tokio::test]
async fn data_cut_off_in_the_middle_is_not_delivered() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.open().await;
    assert_eq!(client.say("DATA").await, 354);
    client.send("Subject: half\r\n\r\nso far\r\n").await;
    client.hang_up().await;
    assert!(!next.heard().contains(&"DATA".to_owned()), "{:?}", next.heard());

    let world = World::maildir().await;
    let mut client = world.open().await;
    client.send("BDAT 5\r\na: b").await;
    client.hang_up().await;
    assert!(world.mails().is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_smuggling_sequence_delivers() {
    for sequence in ["\n.\n", "\r.\r", "\r\n.\n", "\n.\r\n", "\r\n.\r\r\n"] {
        let world = World::maildir().await;
        let mut client = world.open().await;
        assert_eq!(client.say("DATA").await, 354);
        client.send(format!("a: b\r\n\r\nx{sequence}{FROM}\r\n{TO}\r\nDATA\r\n.\r\n")).await;
        assert_eq!(client.reply().await.code, 521, "{sequence:?}");
        assert!(client.is_closed().await);
        assert!(world.mails().is_empty());
    }
}

#[tokio::test]
async fn chunks_go_on_as_data() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.open().await;
    client.send("BDAT 6\r\na: b\r\nBDAT 4\r\n\r\n.\rBDAT 2\r\n\n.BDAT 0 LAST\r\n").await;
    for _ in 0..4 {
        assert_eq!(client.reply().await.code, 250);
    }
    let content = &next.contents()[0];
    // Dots that begin a line are doubled, and the last line gets its end.
    assert!(content.ends_with("a: b\r\n\r\n..\r\n..\r\n"), "{content:?}");
    client.all(&[FROM, TO]).await;
    client.send("BDAT 3\r\na\nbBDAT 0 LAST\r\n").await;
    assert_eq!((client.reply().await.code, client.reply().await.code), (554, 503));
    assert_eq!(next.contents().len(), 1);
}

#[tokio::test]
async fn a_message_above_size_is_refused() {
    let world = World::new(None, |settings| settings.size_max = 1000).await;
    let mut client = world.connect().await;
    assert!(client.ask("EHLO c").await.text.contains("SIZE 1000"));
    assert_eq!(client.say("MAIL FROM:<a@pass.example> SIZE=1001").await, 552);
    client.all(&[FROM, TO]).await;
    assert_eq!(client.message(&"0123456\r\n".repeat(112)).await.code, 552);
    client.all(&[FROM, TO]).await;
    assert_eq!(client.message(&"0123456\r\n".repeat(111)).await.code, 250);
    assert_eq!(world.mails().len(), 1);
}

#[tokio::test]
async fn a_large_message_waits_in_a_file() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.open().await;
    let line = "0123456789".repeat(7);
    let body = format!("{line}\r\n").repeat(10_000);
    assert_eq!(client.message(&format!("a: b\r\n\r\n{body}")).await.code, 250);
    assert!(next.contents()[0].ends_with(&format!("a: b\r\n\r\n{body}")));
}

#[tokio::test]
async fn large_headers_pass() {
    let world = World::maildir().await;
    let long = format!("X-Long: {}\r\n", " x\r\n".repeat(2_500_000));
    let many: String = (0..100_000).map(|n| format!("X-{n}: many\r\n")).collect();
    for header in [long, many] {
        let mut client = world.open().await;
        let reply = client.message(&format!("{header}\r\nbody\r\n")).await;
        assert_eq!(reply.code, 250, "{reply}");
    }
    let mut lengths: Vec<usize> = world.mails().iter().map(String::len).collect();
    lengths.sort_unstable();
    assert!(lengths[0] > 1_000_000 && lengths[1] > 7_500_000, "{lengths:?}");
}

#[tokio::test]
async fn without_room_for_it_a_message_is_put_off() {
    let next = Next::well().await;
    let world = World::new(Some(&next), |_| {}).await;
    let mut client = world.open().await;
    std::fs::remove_dir_all(world.folder.path()).unwrap();
    let reply = client.message(&"0123456789\r\n".repeat(30_000)).await;
    assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (452, "4.3.1".into()));
    // The session goes on.
    client.all(&[FROM, TO]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert_eq!(next.contents().len(), 1);
}

#[tokio::test]
async fn a_thousand_recipients_go_on() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM]).await;
    let rcpts: String = (0..=1000).map(|n| format!("RCPT TO:<r{n}@here.example>\r\n")).collect();
    client.send(rcpts).await;
    for n in 0..=1000 {
        assert_eq!(client.reply().await.code, if n < 1000 { 250 } else { 452 }, "{n}");
    }
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let rcpts = next.heard().iter().filter(|line| line.starts_with("RCPT")).count();
    assert_eq!((rcpts, next.contents().len()), (1000, 1));
}

#[tokio::test]
async fn loops_end() {
    let world = World::maildir().await;
    for (fields, code) in [(49, 250), (50, 554)] {
        let mut client = world.open().await;
        let content = "Received: from a by b\r\n".repeat(fields) + "\r\n";
        assert_eq!(client.message(&content).await.code, code);
    }
    assert_eq!(world.mails().len(), 1);
}

#[tokio::test]
async fn lmtp_takes_one_recipient_a_message() {
    let next = Next::well().await;
    let world =
        World::new(Some(&next), |settings| settings.next_hop = next.hop(Dialect::Lmtp)).await;
    let mut client = world.open().await;
    let reply = client.ask("RCPT TO:<c@here.example>").await;
    assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (452, "4.5.3".into()));
    assert_eq!(client.message(MESSAGE).await.code, 250);
    client.all(&[FROM, "RCPT TO:<c@here.example>"]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert!(next.heard().contains(&"LHLO mx.example".to_owned()));
    assert_eq!(next.contents().len(), 2);
}

#[tokio::test]
async fn pipelined_commands_are_answered_together() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.connect().await;
    client.send(format!("EHLO c\r\n{FROM}\r\n{TO}\r\nDATA\r\n{MESSAGE}.\r\nQUIT\r\n")).await;
    for code in [250, 250, 250, 354, 250, 221] {
        assert_eq!(client.reply().await.code, code);
    }
    assert!(client.is_closed().await);
    assert_eq!(next.contents().len(), 1);
}

#[tokio::test]
async fn only_what_the_next_hop_offers_is_offered() {
    let plain = |line: &str| match line.starts_with("EHLO") {
        true => Answer::Say("250-next\r\n250 8BITMIME\r\n"),
        false => Answer::Well,
    };
    let next = Next::new(plain).await;
    let world = World::before(&next).await;
    let mut client = world.connect().await;
    let offer = client.ask("EHLO c").await.text;
    for (keyword, offered) in [
        ("PIPELINING", true),
        ("SIZE 52428800", true),
        ("ENHANCEDSTATUSCODES", true),
        ("CHUNKING", true),
        ("8BITMIME", true),
        ("SMTPUTF8", false),
        ("DSN", false),
        ("STARTTLS", false),
        ("XCLIENT", false),
    ] {
        assert_eq!(offer.contains(keyword), offered, "{keyword}: {offer}");
    }
    assert_eq!(client.say("MAIL FROM:<a@pass.example> RET=FULL").await, 555);
    client.all(&["MAIL FROM:<a@pass.example> SIZE=5 BODY=8BITMIME AUTH=<>", TO]).await;
    let expected = ["connect", "EHLO mx.example", "MAIL FROM:<a@pass.example> BODY=8BITMIME"];
    assert_eq!(next.heard()[..3], expected);
    assert_eq!(client.message(MESSAGE).await.code, 250);

    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.connect().await;
    let offer = client.ask("EHLO c").await.text;
    assert!(offer.contains("DSN") && offer.contains("SIZE 1000000"), "{offer}");
    let mail = "MAIL FROM:<\u{e4}@pass.example> SIZE=5 SMTPUTF8 RET=HDRS ENVID=x";
    let rcpt = "RCPT TO:<b@here.example> NOTIFY=NEVER ORCPT=rfc822;b@here.example";
    client.all(&[mail, rcpt]).await;
    assert_eq!(next.heard()[2..], [mail, rcpt]);
}
