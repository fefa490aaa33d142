//! The resolver against a name server on loopback, well-behaved and not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quivive_evidence::{DnsAnswer, DnsQuestion, Question, RecordType, reverse_name};
use quivive_resolver::{ALIAS_STEPS_MAX, RECORDS_MAX, Resolver, Settings, Zone};
use quivive_testkit::{Manner, NameServer};

const APL: RecordType = RecordType::Other(42);

fn question(name: &str, record_type: RecordType) -> DnsQuestion {
    let Question::Dns(question) = Question::dns(name, record_type) else { unreachable!() };
    question
}

async fn ask(resolver: &Resolver, name: &str, record_type: RecordType) -> DnsAnswer {
    resolver.answer(&question(name, record_type)).await
}

async fn status(resolver: &Resolver, name: &str, record_type: RecordType) -> &'static str {
    ask(resolver, name, record_type).await.status()
}

async fn texts(resolver: &Resolver, name: &str, record_type: RecordType) -> Vec<String> {
    ask(resolver, name, record_type).await.record_texts()
}

async fn serve(zone: &str) -> NameServer {
    NameServer::start(Zone::parse(zone.as_bytes()).unwrap()).await.unwrap()
}

fn resolver(server: &NameServer) -> Resolver {
    Resolver::from_servers(&[server.address()], Settings::default())
}

/// For tests that wait for a time-out: the tries are short.
fn impatient(servers: &[SocketAddr]) -> Resolver {
    let settings = Settings { attempt_timeout: Duration::from_millis(700), ..Settings::default() };
    Resolver::from_servers(servers, settings)
}

#[tokio::test]
async fn records_of_every_type() {
    let server = serve(
        "$ORIGIN a.test.\n@ A 192.0.2.1\n@ AAAA 2001:db8::1\n@ MX 10 MX.a.test.\n@ TXT one \"\\150 two\"\n\
         @ APL 1:192.0.2.0/24\n@ SRV 1 2 3 host\np PTR we\\.ird.Name\n@ TYPE65280 \\# 2 abcd\nnull MX 0 .\n",
    )
    .await;
    let resolver = resolver(&server);
    assert_eq!(texts(&resolver, "a.test", RecordType::A).await, ["192.0.2.1"]);
    assert_eq!(texts(&resolver, "A.TEST.", RecordType::Aaaa).await, ["2001:db8::1"]);
    assert_eq!(texts(&resolver, "a.test", RecordType::Mx).await, ["10 mx.a.test"]);
    assert_eq!(texts(&resolver, "null.a.test", RecordType::Mx).await, ["0 ."]);
    assert_eq!(texts(&resolver, "p.a.test", RecordType::Ptr).await, [r"we\046ird.name.a.test"]);
    assert_eq!(texts(&resolver, "a.test", APL).await, ["00011803c00002"]);
    assert_eq!(texts(&resolver, "a.test", RecordType::Other(65280)).await, ["abcd"]);
    let srv = "0001000200030".to_owned() + "4686f737401610474657374" + "00";
    assert_eq!(texts(&resolver, "a.test", RecordType::Other(33)).await, [srv]);
    let DnsAnswer::Txt(answer) = ask(&resolver, "a.test", RecordType::Txt).await else {
        unreachable!()
    };
    assert_eq!(&*answer.records().unwrap()[0].0, b"one\x96 two");
}

#[tokio::test]
async fn no_such_name_is_told_from_no_such_data_and_neither_is_asked_again() {
    let server = serve("b.a.test A 192.0.2.1").await;
    let resolver = resolver(&server);
    assert_eq!(status(&resolver, "none.test", RecordType::A).await, "nxdomain");
    assert_eq!(status(&resolver, "a.test", RecordType::A).await, "nodata");
    assert_eq!(status(&resolver, "b.a.test", RecordType::Txt).await, "nodata");
    assert_eq!(server.questions_in_all(), 3);
    let answer = ask(&resolver, "none.test", RecordType::A).await;
    assert_eq!(answer.source().ttl, 60, "the SOA record's minimum");
    assert_eq!(server.questions_in_all(), 3, "kept");
}

#[tokio::test]
async fn an_answer_says_where_it_came_from() {
    let server = serve("a.test 300 A 192.0.2.1\nb.test A 192.0.2.1").await;
    server.treat("a.test", Manner::Authenticated);
    let resolver = resolver(&server);
    let answer = ask(&resolver, "a.test", RecordType::A).await;
    let source = answer.source();
    assert_eq!((source.server, source.ttl), (Some(server.address()), 300));
    assert!(source.authenticated && !source.is_secure(), "nobody said that it is trusted");
    assert!(source.noted_at > 1_700_000_000 && source.micros > 0);
    assert!(!ask(&resolver, "b.test", RecordType::A).await.source().authenticated);
}

#[tokio::test]
async fn the_ad_bit_is_believed_of_those_who_are_trusted() {
    let near = serve("a.test A 192.0.2.1\nfar.test CNAME b.test\nb.test A 192.0.2.1").await;
    for name in ["a.test", "far.test"] {
        near.treat(name, Manner::Authenticated);
    }
    let other = serve("").await;
    let believes = |trusted: &[&NameServer]| {
        let trust_ad = trusted.iter().map(|server| server.address()).collect();
        Resolver::from_servers(&[near.address()], Settings { trust_ad, ..Settings::default() })
    };
    let is_secure = async |resolver: &Resolver, name: &str| {
        ask(resolver, name, RecordType::A).await.source().is_secure()
    };
    assert!(is_secure(&believes(&[&near]), "a.test").await);
    assert!(!is_secure(&believes(&[&near]), "b.test").await, "without the bit");
    assert!(!is_secure(&believes(&[&other]), "a.test").await);
    assert!(!is_secure(&believes(&[]), "a.test").await);
}

#[tokio::test]
async fn special_names_are_asked_like_any_other() {
    let names = ["localhost", "a.invalid", "onion", "local", "1.0.0.127.in-addr.arpa"];
    let v6 = reverse_name("::1".parse().unwrap());
    let names = names.into_iter().chain([&v6[..]]);
    let zone: String = names.clone().map(|name| format!("{name} TXT asked\n")).collect();
    let server = serve(&zone).await;
    let resolver = resolver(&server);
    for name in names {
        assert_eq!(texts(&resolver, name, RecordType::Txt).await, ["asked"], "{name}");
        assert_eq!(server.questions(name), 1, "{name}");
    }
    assert_eq!(status(&resolver, "localhost", RecordType::A).await, "nodata");
}

#[tokio::test]
async fn what_is_no_name_is_not_asked() {
    let server = serve("").await;
    let resolver = resolver(&server);
    for name in ["a..test", &"a".repeat(64), &["a"; 128].join(".")] {
        let answer = ask(&resolver, name, RecordType::A).await;
        assert_eq!((answer.status(), answer.source().ttl), ("nxdomain", 0));
    }
    assert_eq!(server.questions_in_all(), 0);
    assert_eq!(status(&resolver, "", RecordType::A).await, "nxdomain");
    assert_eq!(server.questions_in_all(), 1, "the root is a name");
}

#[tokio::test]
async fn names_go_out_as_their_octets() {
    let mut zone = Zone::new();
    let name = "b\u{fc}cher\\046 x\u{1}.test";
    zone.add_txt(name, "found").unwrap();
    let server = NameServer::start(zone).await.unwrap();
    assert_eq!(texts(&resolver(&server), name, RecordType::Txt).await, ["found"]);
}

#[tokio::test]
async fn truncated_answers_come_over_tcp() {
    let mut zone = Zone::new();
    let long = "x".repeat(60_000);
    zone.add_txt("long.test", &long).unwrap();
    for index in 0..500_u16 {
        let [high, low] = index.to_be_bytes();
        zone.add_a("many.test", [192, 0, high, low].into()).unwrap();
    }
    zone.add_a("short.test", [192, 0, 2, 1].into()).unwrap();
    let server = NameServer::start(zone).await.unwrap();
    server.treat("short.test", Manner::Truncated);
    let resolver = resolver(&server);
    assert_eq!(texts(&resolver, "long.test", RecordType::Txt).await, [long]);
    assert_eq!(texts(&resolver, "many.test", RecordType::A).await.len(), 500);
    assert_eq!(texts(&resolver, "short.test", RecordType::A).await, ["192.0.2.1"]);
    assert_eq!(server.tcp_questions("short.test"), 1);
    let metrics = resolver.metrics();
    assert_eq!((metrics.servers[0].truncated, metrics.servers[0].answers), (3, 3));
}

#[tokio::test]
async fn too_many_records_are_refused() {
    let mut zone = Zone::new();
    for index in 0..=RECORDS_MAX {
        let [.., high, low] = index.to_be_bytes();
        zone.add_a("many.test", [192, 0, high, low].into()).unwrap();
    }
    let server = NameServer::start(zone.clone()).await.unwrap();
    assert_eq!(status(&resolver(&server), "many.test", RecordType::A).await, "too-large");
    assert_eq!(status(&Resolver::from_zone(zone), "many.test", RecordType::A).await, "too-large");
}

#[tokio::test]
async fn errors_are_answers_and_are_not_asked_again() {
    let server = serve(";!servfail broken.test\na.test A 192.0.2.1\nb.test A 192.0.2.1").await;
    server.treat("a.test", Manner::Code(5));
    server.treat("b.test", Manner::Referral);
    let resolver = resolver(&server);
    assert_eq!(status(&resolver, "broken.test", RecordType::A).await, "servfail");
    assert_eq!(status(&resolver, "a.test", RecordType::A).await, "refused");
    assert_eq!(status(&resolver, "b.test", RecordType::A).await, "refused");
    assert_eq!(server.questions_in_all(), 3);
    let metrics = resolver.metrics();
    assert_eq!((metrics.servers[0].servfails, metrics.servers[0].other_failures), (1, 2));
}

#[tokio::test]
async fn a_server_without_edns_is_asked_without() {
    let server = serve("a.test A 192.0.2.1").await;
    server.treat("a.test", Manner::CodeToEdns(1));
    assert_eq!(texts(&resolver(&server), "a.test", RecordType::A).await, ["192.0.2.1"]);
    assert_eq!(server.questions("a.test"), 2);
}

#[tokio::test]
async fn replies_that_are_none_end_as_time_outs() {
    for manner in [Manner::Silent, Manner::WrongId, Manner::WrongQuestion] {
        let server = serve("a.test A 192.0.2.1").await;
        server.treat("a.test", manner);
        let resolver = impatient(&[server.address()]);
        assert_eq!(status(&resolver, "a.test", RecordType::A).await, "timeout", "{manner:?}");
        assert_eq!(server.questions("a.test"), 2, "{manner:?}");
    }
}

#[tokio::test]
async fn replies_that_cannot_be_read_end_as_failures() {
    for (manner, expected) in
        [(Manner::Garbage, "malformed"), (Manner::TruncatedThenClosed, "unreachable")]
    {
        let server = serve("a.test A 192.0.2.1").await;
        server.treat("a.test", manner);
        let resolver = resolver(&server);
        assert_eq!(status(&resolver, "a.test", RecordType::A).await, expected, "{manner:?}");
        assert_eq!(server.questions("a.test"), 2, "{manner:?}");
    }
}

#[tokio::test]
async fn a_forged_reply_does_not_hide_the_true_one() {
    let server = serve("a.test A 192.0.2.1").await;
    server.treat("a.test", Manner::ForgedFirst);
    assert_eq!(texts(&resolver(&server), "a.test", RecordType::A).await, ["192.0.2.1"]);
}

#[tokio::test]
async fn silence_has_two_tries() {
    let server = serve(";!timeout a.test").await;
    let resolver = impatient(&[server.address()]);
    let answer = ask(&resolver, "a.test", RecordType::A).await;
    assert_eq!((answer.status(), answer.source().server), ("timeout", Some(server.address())));
    assert_eq!(server.questions("a.test"), 2);
    assert_eq!(resolver.metrics().servers[0].timeouts, 2);
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_silent_and_stays_first() {
    let (dead, live) = (serve("").await, serve("a.test A 192.0.2.1\nb.test A 192.0.2.2").await);
    dead.treat("a.test", Manner::Silent);
    let resolver = impatient(&[dead.address(), live.address()]);
    let answer = ask(&resolver, "a.test", RecordType::A).await;
    assert_eq!(answer.record_texts(), ["192.0.2.1"]);
    assert_eq!(answer.source().server, Some(live.address()));
    let answer = ask(&resolver, "b.test", RecordType::A).await;
    assert_eq!(answer.source().server, Some(live.address()));
    assert_eq!(dead.questions_in_all(), 1);
}

#[tokio::test]
async fn the_next_server_is_asked_after_an_error() {
    let first = serve(";!servfail a.test\nb.test A 192.0.2.1").await;
    let second = serve("a.test A 192.0.2.9").await;
    let servers = [first.address(), second.address()];
    let resolver = Resolver::from_servers(&servers, Settings::default());
    let answer = ask(&resolver, "a.test", RecordType::A).await;
    assert_eq!(answer.source().server, Some(second.address()));
    // One name's trouble moves no preference, and a clear no is not asked again elsewhere.
    let answer = ask(&resolver, "b.test", RecordType::A).await;
    assert_eq!(answer.source().server, Some(first.address()));
    assert_eq!(status(&resolver, "none.test", RecordType::A).await, "nxdomain");
    assert_eq!(second.questions_in_all(), 1);
}

#[tokio::test]
async fn nobody_to_ask() {
    let resolver = Resolver::from_servers(&[], Settings::default());
    assert_eq!(status(&resolver, "a.test", RecordType::A).await, "unreachable");
}

#[tokio::test]
async fn aliases_are_followed() {
    let server = serve(
        "$TTL 600\na.test 300 CNAME b.test\nb.test CNAME c.test\nc.test 900 A 192.0.2.1\n\
         gone.test CNAME none.test\nloop.test CNAME Pool.test\npool.test CNAME LOOP.test\n",
    )
    .await;
    let resolver = resolver(&server);
    let answer = ask(&resolver, "a.test", RecordType::A).await;
    assert_eq!(answer.record_texts(), ["192.0.2.1"]);
    assert_eq!(answer.source().ttl, 300, "the lowest along the chain");
    assert_eq!(server.questions_in_all(), 1);
    assert_eq!(status(&resolver, "a.test", RecordType::Txt).await, "nodata");
    assert_eq!(status(&resolver, "gone.test", RecordType::A).await, "nxdomain");
    assert_eq!(status(&resolver, "loop.test", RecordType::A).await, "alias-loop");
    let target = texts(&resolver, "a.test", RecordType::Other(5)).await;
    assert_eq!(target, ["0162047465737400"], "an alias can be asked for itself");
}

#[tokio::test]
async fn a_chain_that_leaves_the_reply_is_asked_on_but_not_for_ever() {
    let mut zone = Zone::new();
    for step in 0..=ALIAS_STEPS_MAX {
        zone.add_cname(&format!("a{step}.test"), &format!("a{}.test", step + 1)).unwrap();
    }
    zone.add_a(&format!("a{}.test", ALIAS_STEPS_MAX + 1), [192, 0, 2, 1].into()).unwrap();
    let server = NameServer::start(zone).await.unwrap();
    for step in 0..=ALIAS_STEPS_MAX {
        server.treat(&format!("a{step}.test"), Manner::AliasAlone);
    }
    let resolver = resolver(&server);
    assert_eq!(status(&resolver, "a0.test", RecordType::A).await, "alias-loop");
    assert_eq!(server.questions_in_all(), ALIAS_STEPS_MAX + 1);
    assert_eq!(texts(&resolver, "a1.test", RecordType::A).await, ["192.0.2.1"]);
}

#[tokio::test]
async fn equal_questions_at_once_are_one_on_the_wire() {
    let server = serve("a.test 0 A 192.0.2.1").await;
    server.treat("a.test", Manner::Held);
    let resolver = resolver(&server);
    let waiters: Vec<_> = (0..100)
        .map(|_| {
            let resolver = resolver.clone();
            tokio::spawn(async move { ask(&resolver, "a.test", RecordType::A).await })
        })
        .collect();
    while resolver.metrics().joined_flights < 99 {
        tokio::task::yield_now().await;
    }
    // The one that set the flight off goes away; the others get their answer.
    waiters[0].abort();
    server.release();
    let mut answers = Vec::new();
    for waiter in waiters.into_iter().skip(1) {
        let DnsAnswer::A(answer) = waiter.await.unwrap() else { unreachable!() };
        answers.push(answer);
    }
    assert!(answers.iter().all(|answer| Arc::ptr_eq(answer, &answers[0])));
    assert_eq!(answers[0].records().unwrap().len(), 1);
    assert_eq!((server.questions("a.test"), resolver.metrics().flights), (1, 0));
}

#[tokio::test]
async fn answers_are_kept_while_their_ttl_lasts() {
    let server = serve("a.test 60 A 192.0.2.1\nb.test 0 A 192.0.2.1").await;
    let resolver = resolver(&server);
    let a = question("a.test", RecordType::A);
    assert!(resolver.cached(&a).is_none());
    let DnsAnswer::A(first) = resolver.answer(&a).await else { unreachable!() };
    let Some(DnsAnswer::A(again)) = resolver.cached(&a) else { panic!("not kept") };
    assert!(Arc::ptr_eq(&first, &again));
    for _ in 0..2 {
        ask(&resolver, "b.test", RecordType::A).await;
    }
    assert_eq!(server.questions("b.test"), 2, "a TTL of zero is not kept");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    assert!(resolver.cached(&a).is_none());
    ask(&resolver, "a.test", RecordType::A).await;
    assert_eq!(server.questions("a.test"), 2);
    let metrics = resolver.metrics();
    assert_eq!((metrics.cache_hits, metrics.cache_entries), (1, 1));
}

#[tokio::test]
async fn failures_are_kept_for_seconds() {
    let server = serve(";!servfail a.test").await;
    let resolver = resolver(&server);
    for _ in 0..3 {
        assert_eq!(status(&resolver, "a.test", RecordType::A).await, "servfail");
    }
    assert_eq!(server.questions("a.test"), 1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(Settings::default().failure_ttl.into())).await;
    tokio::time::resume();
    ask(&resolver, "a.test", RecordType::A).await;
    assert_eq!(server.questions("a.test"), 2);
}

#[tokio::test]
async fn more_questions_than_may_be_on_the_wire_wait() {
    let server = serve("").await;
    let settings = Settings { questions_at_once_max: 1, ..Settings::default() };
    let resolver = Resolver::from_servers(&[server.address()], settings);
    server.treat("held.test", Manner::Held);
    let (asking, name) = (resolver.clone(), "held.test");
    let held = tokio::spawn(async move { status(&asking, name, RecordType::A).await });
    while server.questions("held.test") == 0 {
        tokio::task::yield_now().await;
    }
    let asking = resolver.clone();
    let waiting = tokio::spawn(async move { status(&asking, "a.test", RecordType::A).await });
    while resolver.metrics().flights < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.questions("a.test"), 0);
    server.release();
    assert_eq!((held.await.unwrap(), waiting.await.unwrap()), ("nxdomain", "nxdomain"));
}

#[tokio::test]
async fn a_zone_answers_at_once() {
    let zone = Zone::parse(b"a.test A 192.0.2.1\n;!timeout b.test").unwrap();
    let resolver = Resolver::from_zone(zone);
    let known = |name| resolver.cached(&question(name, RecordType::A)).unwrap().status();
    assert_eq!(
        (known("a.test"), known("b.test"), known("c.test")),
        ("found", "timeout", "nxdomain")
    );
    assert_eq!(status(&resolver, "a.test", RecordType::A).await, "found");
    assert_eq!(resolver.metrics(), quivive_resolver::Metrics::default());
}
