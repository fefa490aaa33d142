//! What strangers may publish or send to the relatives of SPF, each kind by its name: the result is
//! what the document says, no more questions are needed than the method's own number, and nothing
//! makes it panic.

use std::sync::Arc;

use quivive_evidence::{
    Answer, DnsAnswer, Evidence, Facts, Finding, FindingResult, Header, Identity, Method, Mx,
    Notebook, Octets, Outcome, Question, Source, Txt,
};
use quivive_lmap::rmx::{PRIVATE_TYPE, Record};
use quivive_resolver::Zone;
use quivive_verdict::{Mode, Policy, Session, Stage};

use FindingResult::{Fail, None as Nothing, Pass, Permerror};

const METHODS: &[(Method, usize)] = &[
    (Method::SenderId, 111),
    (Method::CallerId, quivive_caller_id::QUESTIONS_MAX),
    (Method::MailFromMx, quivive_lmap::mail_from_mx::QUESTIONS_MAX),
    (Method::Rmx, quivive_lmap::rmx::QUESTIONS_MAX),
    (Method::Dmp, quivive_lmap::dmp::QUESTIONS_MAX),
    (Method::Drip, quivive_lmap::drip::QUESTIONS_MAX),
];

fn facts(header: &[u8]) -> Facts {
    let mut facts = Facts::new([192, 0, 2, 1].into());
    facts.helo = "a.test".to_owned();
    facts.reverse_path = "x@a.test".to_owned();
    facts.header = Some(Header::read(header));
    facts
}

/// What all methods find, where somebody answers.
fn judge(facts: &Facts, answer: impl Fn(&Question, &mut Notebook)) -> Vec<Finding> {
    let mut policy = Policy::new("mx.example");
    policy.methods = METHODS.iter().map(|(method, _)| (*method, Mode::Report)).collect();
    policy.settings.rmx.type_number = Some(PRIVATE_TYPE);
    let mut session = Session::new(Arc::new(policy));
    session.enter(Stage::Message, facts);
    let mut notebook = Notebook::default();
    loop {
        let round = session.advance(facts, &notebook);
        if round.is_empty() {
            break;
        }
        round.questions().for_each(|question| answer(question, &mut notebook));
    }
    let findings: Vec<Finding> = session.findings().cloned().collect();
    for finding in &findings {
        let (_, most) = METHODS.iter().find(|(method, _)| *method == finding.method).unwrap();
        assert!(finding.needed.len() <= *most, "{} asks too much", finding.method);
    }
    findings
}

fn in_zone(zone: &str, header: &[u8]) -> Vec<Finding> {
    let zone = Zone::parse(zone.as_bytes()).unwrap();
    judge(&facts(header), |question, notebook| {
        let Question::Dns(dns) = question else { panic!("only DNS is asked") };
        notebook.note(&dns.name, zone.answer(dns));
    })
}

const FROM: &[u8] = b"From: x@a.test\r\n\r\n";

/// Result and cause of a method; of Sender ID for the header.
#[track_caller]
fn of(findings: &[Finding], method: Method) -> (FindingResult, &str) {
    let mut found = findings.iter().rev().filter(|finding| finding.method == method);
    let finding = found.next().expect("every method judges");
    (finding.result, &finding.cause)
}

/// The result of a method in a world of one record.
#[track_caller]
fn says(zone: &str, method: Method, expected: (FindingResult, &str)) {
    assert_eq!(of(&in_zone(zone, FROM), method), expected, "{zone}");
}

fn rdata(octets: &[u8]) -> String {
    let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("_rmx.a.test. TYPE65280 \\# {} {digits}\n", octets.len())
}

fn document(out: &str) -> String {
    format!("<ep xmlns='http://ms.net/1'><out>{out}</out></ep>")
}

fn ep(domain: &str, text: &str) -> String {
    format!("_ep.{domain}. TXT \"{text}\"\n")
}

/// `!ipv4:10.0.0.0/8 ipv6:2001:db8::/32 host:h.a.test apl:l.a.test domain: full: unused:`
const WHOLE: &[u8] = b"\x81\x08\x0a\x02\x20\x20\x01\x0d\xb8\x03\x0a\x01h\x01a\x04test\x00\
                       \x04\x0a\x01l\x01a\x04test\x00\x05\x01\x00\x07\x06";

/// What it names.
const HOSTS: &str = "h.a.test. A 198.51.100.1\nl.a.test. APL 1:198.51.100.0/24\n";

#[test]
fn every_truncation_of_rmx_rdata() {
    let whole = Record::parse_rdata(WHOLE);
    assert_eq!((whole.entries().len(), whole.fault()), (7, None));
    let mut ends = 0;
    for end in 0..WHOLE.len() {
        let cut = Record::parse_rdata(&WHOLE[..end]);
        let read = cut.entries().iter().map(|placed| &placed.entry);
        assert!(read.eq(whole.entries().iter().take(cut.entries().len()).map(|one| &one.entry)));
        ends += usize::from(cut.fault().is_none());
        let expected = if cut.fault().is_none() { Fail } else { Permerror };
        let zone = rdata(&WHOLE[..end]) + HOSTS;
        assert_eq!(of(&in_zone(&zone, FROM), Method::Rmx).0, expected, "{end}");
    }
    assert_eq!(ends, 7, "only between entries is the record whole");
}

#[test]
fn over_long_rmx_rdata() {
    // As much as a record can hold, of which the last entry is the client.
    let mut long = [0x01, 0x20, 10, 0, 0, 1].repeat(10_921);
    long.extend([0x01, 0x20, 192, 0, 2, 1]);
    assert!(long.len() > 65_500);
    says(&rdata(&long), Method::Rmx, (Pass, "granted"));
    // Octets behind the last entry.
    says(&rdata(&[0x01, 0x20, 10, 0, 0, 1, 0x01]), Method::Rmx, (Permerror, "truncated-entry"));
    says(&rdata(&[0x01, 0x08, 10, 0x7f]), Method::Rmx, (Permerror, "unknown-entry-type"));
    let long_name = [&[0x03, 0xff][..], &b"\x3f".repeat(4)].concat();
    assert_eq!(of(&in_zone(&rdata(&long_name), FROM), Method::Rmx).0, Permerror);
}

#[test]
fn rmx_lengths_that_lie() {
    for name in [
        // Longer and shorter than the name, longer than the record, none at all.
        &b"\x03\x0b\x01h\x01a\x04test\x00"[..],
        b"\x03\x08\x01h\x01a\x04test\x00",
        b"\x03\xff\x01h\x01a\x04test\x00",
        b"\x03\x00",
        // A label that is longer than what follows.
        b"\x03\x05\x09test",
        // An address with fewer octets than its prefix needs.
        b"\x01\x20\xc0\x00",
        b"\x02\x80\x20\x01",
    ] {
        let (result, _) = of(&in_zone(&rdata(name), FROM), Method::Rmx).to_owned();
        assert_eq!(result, Permerror, "{name:?}");
    }
}

#[test]
fn compressed_names_in_rmx_rdata() {
    says(&rdata(b"\x03\x02\xc0\x0c"), Method::Rmx, (Permerror, "bad-name"));
    says(&rdata(b"\x03\xc0\x0c"), Method::Rmx, (Permerror, "bad-name"));
    says(&rdata(b"\x03\x04\x01h\xc0\x0c"), Method::Rmx, (Permerror, "bad-name"));
}

#[test]
fn prefix_33() {
    let permerror = |cause| (Permerror, cause);
    says(&rdata(b"\x01\x21\xc0\x00\x02\x01\x00"), Method::Rmx, permerror("bad-prefix"));
    says("_rmx.a.test. TXT \"ipv4:192.0.2.0/33\"\n", Method::Rmx, permerror("bad-prefix"));
    says("_rmx.a.test. TXT \"ipv6:2001:db8::/129\"\n", Method::Rmx, permerror("bad-prefix"));
    let list = "_rmx.a.test. TXT \"apl:l.test\"\nl.test. TYPE42 \\# 8 00012104c0000201\n";
    says(list, Method::Rmx, permerror("bad-apl"));
    let range = document("<m><r>192.0.2.0/33</r></m>");
    says(&ep("a.test", &range), Method::CallerId, permerror("bad-value"));
    let sender_id = "a.test. TXT \"spf2.0/pra ip4:192.0.2.0/33 -all\"\n";
    says(sender_id, Method::SenderId, permerror("syntax-error"));
}

#[test]
fn xml_bombs() {
    let laughs = "<!DOCTYPE ep [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><ep>&b;</ep>";
    says(&ep("a.test", laughs), Method::CallerId, (Permerror, "document-type"));
    let outside = "<!DOCTYPE ep SYSTEM 'file:///etc/passwd'><ep/>";
    says(&ep("a.test", outside), Method::CallerId, (Permerror, "document-type"));
    says(&ep("a.test", &document("&b;")), Method::CallerId, (Permerror, "foreign-entity"));
    let says_of = |text: String, cause| {
        let findings = judge_txt("_ep.a.test", &[text.into_bytes()]);
        assert_eq!(of(&findings, Method::CallerId), (Permerror, cause));
    };
    says_of("<ep>".repeat(10_000), "too-deep");
    says_of(document(&"<m/>".repeat(3_000)), "too-many-nodes");
}

#[test]
fn twenty_nested_indirects() {
    let refers = |domain: &str, to: &str| {
        ep(domain, &document(&format!("<m><indirect>{to}</indirect></m>")))
    };
    let mut zone = refers("a.test", "n1.test");
    for depth in 1..=20 {
        zone.push_str(&refers(&format!("n{depth}.test"), &format!("n{}.test", depth + 1)));
    }
    zone.push_str(&ep("n21.test", &document("<m><a>192.0.2.1</a></m>")));
    says(&zone, Method::CallerId, (Permerror, "indirect-limit"));
}

#[test]
fn loops() {
    let refers = |domain: &str, to: &str| {
        ep(domain, &document(&format!("<m><indirect>{to}</indirect></m>")))
    };
    says(&refers("a.test", "a.test"), Method::CallerId, (Nothing, "loop"));
    let three =
        refers("a.test", "b.test") + &refers("b.test", "c.test") + &refers("c.test", "a.test");
    says(&three, Method::CallerId, (Nothing, "loop"));
    let full = "_rmx.a.test. TXT \"full:\"\nx._rmx.a.test. TXT \"full:\"\n";
    says(full, Method::Rmx, (Permerror, "full-in-address-record"));
    let include = "a.test. TXT \"spf2.0/pra include:a.test -all\"\n";
    says(include, Method::SenderId, (Permerror, "term-limit"));
    let alias = "_ep.a.test. CNAME _ep.b.test.\n_ep.b.test. CNAME _ep.a.test.\n";
    says(alias, Method::CallerId, (FindingResult::Temperror, "dns-alias-loop"));
}

/// The findings where this name has these texts, and nothing else exists.
fn judge_txt(name: &str, texts: &[Vec<u8>]) -> Vec<Finding> {
    judge(&facts(FROM), |question, notebook| {
        let Question::Dns(dns) = question else { panic!("only DNS is asked") };
        let source = Source::default();
        let answer = if question.to_string() == format!("{name} TXT") {
            let texts: Vec<Txt> = texts.iter().map(|text| Octets::from(&**text)).collect();
            DnsAnswer::Txt(Arc::new(Answer::new(Outcome::of(texts), source)))
        } else {
            DnsAnswer::without_records(dns.record_type, Outcome::NoName, source)
        };
        notebook.note(&dns.name, answer);
    })
}

const NAMES: [(&str, Method); 5] = [
    ("_rmx.a.test", Method::Rmx),
    ("_ep.a.test", Method::CallerId),
    ("_smtp-client.a.test", Method::Dmp),
    ("1.2.0.192.in-addr._smtp-client.a.test", Method::Dmp),
    ("a.test", Method::SenderId),
];

#[test]
fn two_megabytes_of_txt() {
    for (name, method) in NAMES {
        for start in ["", "<ep", "dmp=", "spf2.0/pra ", "ipv4:192.0.2.9 ", "v=spf1 "] {
            let fill = start.repeat(65_500 / start.len().max(1));
            let text = if start.is_empty() { "x".repeat(65_500) } else { fill };
            let findings = judge_txt(name, &vec![text.into_bytes(); 32]);
            let (result, cause) = of(&findings, method);
            assert!(
                matches!(result, Nothing | Permerror | Fail),
                "{name} {start}: {result} {cause}"
            );
        }
    }
}

#[test]
fn duplicate_prefixes() {
    let whole = document("<m><a>192.0.2.1</a></m>");
    let (first, second) = whole.split_at(whole.find("</a>").unwrap());
    let zone = ep("a.test", &format!("01{first}")) + &ep("a.test", &format!("01{second}"));
    says(&zone, Method::CallerId, (Permerror, "bad-xml"));
    let zone = ep("a.test", &format!("01{first}")) + &ep("a.test", &format!("02{second}"));
    says(&zone, Method::CallerId, (Pass, "listed"));
}

#[test]
fn invalid_utf8() {
    let expected = [Nothing, Permerror, Nothing, Nothing, FindingResult::Fail];
    for ((name, method), expected) in NAMES.into_iter().zip(expected) {
        let text = match method {
            Method::CallerId => b"<ep xmlns='http://ms.net/1'>\xff</ep>".to_vec(),
            Method::Rmx => b"ipv4:192.0.2.1 \xff".to_vec(),
            Method::SenderId => b"spf2.0/pra \xff -all".to_vec(),
            _ => b"dmp=\xff".to_vec(),
        };
        let findings = judge_txt(name, &[text]);
        let (result, cause) = of(&findings, method);
        let expected = if method == Method::SenderId { Permerror } else { expected };
        assert_eq!(result, expected, "{name}: {cause}");
    }
}

#[test]
fn wrong_namespace() {
    for text in [
        "<ep xmlns='http://ms.net/2'><out><noMailServers/></out></ep>",
        "<ep><out><noMailServers/></out></ep>",
        "<x:ep xmlns:x='http://ms.net/1/'><x:out/></x:ep>",
    ] {
        says(&ep("a.test", text), Method::CallerId, (Permerror, "wrong-root"));
    }
}

/// The domain that is held responsible by Sender ID and by Caller ID; empty: none.
fn responsible(header: &[u8]) -> (String, String) {
    let findings = in_zone("", header);
    let domain = |method: Method| {
        let found =
            findings.iter().find(|one| one.method == method && one.identity == Identity::Pra);
        found.map(|finding| finding.domain.clone()).unwrap_or_default()
    };
    (domain(Method::SenderId), domain(Method::CallerId))
}

#[track_caller]
fn names(header: &[u8], sender_id: &str, caller_id: &str) {
    let expected = (sender_id.to_owned(), caller_id.to_owned());
    assert_eq!(responsible(header), expected, "{}", header.escape_ascii());
}

#[test]
fn ten_from_fields() {
    let ten: Vec<u8> =
        (0..10).flat_map(|n| format!("From: x@f{n}.test\r\n").into_bytes()).collect();
    names(&ten, "", "f0.test");
    let findings = in_zone("", &ten);
    assert_eq!(of(&findings, Method::SenderId), (Permerror, "no-pra"));
    names(&[b"Sender: s@s.test\r\n", &ten[..]].concat(), "s.test", "s.test");
    names(&[&ten[..], b"Resent-From: r@r.test\r\n"].concat(), "r.test", "r.test");
}

/// RFC 4407 section 2, and the draft's section 4.5, in every order of a block's fields: a
/// Resent-From above a Resent-Sender is of a later block only if trace fields stand between them.
#[test]
fn resent_blocks_in_every_order() {
    let fields = [
        "Resent-From: a@from.test",
        "Resent-Sender: a@sender.test",
        "Received: by x.test",
        "Sender: a@author-s.test",
        "From: a@author.test",
    ];
    let mut orders = 0;
    permutations(&mut [0, 1, 2, 3, 4], 5, &mut |order| {
        orders += 1;
        let place = |field: usize| order.iter().position(|one| *one == field).unwrap();
        let is_later = place(0) < place(2) && place(2) < place(1);
        let expected = if is_later { "from.test" } else { "sender.test" };
        let header: Vec<&str> = order.iter().map(|field| fields[*field]).collect();
        names(format!("{}\r\n", header.join("\r\n")).as_bytes(), expected, expected);
    });
    assert_eq!(orders, 120);
}

/// Heap's algorithm.
fn permutations(items: &mut [usize; 5], count: usize, each: &mut impl FnMut(&[usize; 5])) {
    if count == 1 {
        return each(items);
    }
    for index in 0..count {
        permutations(items, count - 1, each);
        let other = if count.is_multiple_of(2) { index } else { 0 };
        items.swap(other, count - 1);
    }
}

#[test]
fn group_syntax() {
    names(b"From: friends: x@a.test, y@b.test;\r\n", "", "");
    names(b"From: nobody:;\r\n", "", "");
    names(b"Sender: friends: x@a.test;\r\nFrom: y@b.test\r\n", "", "");
}

#[test]
fn quoted_specials() {
    for from in [
        "From: \"x, y <z@c.test>\" <x@a.test>\r\n",
        "From: \"a \\\" b@c.test\" (d@c.test) <x@a.test>\r\n",
        "From: <\"x@c.test\"@a.test>\r\n",
        "From: (c@c.test) x@a.test (d)\r\n",
        "From: <@c.test,@d.test:x@a.test>\r\n",
    ] {
        names(from.as_bytes(), "a.test", "a.test");
    }
    names(b"From: \"x <x@a.test>\r\n", "", "");
}

#[test]
fn eight_bit_headers() {
    names("From: J\u{f6}rg <x@a.test>\r\n".as_bytes(), "a.test", "a.test");
    names("From: x@b\u{fc}cher.test\r\n".as_bytes(), "xn--bcher-kva.test", "xn--bcher-kva.test");
    // No UTF-8: no reader can be sure of it.
    names(b"From: J\xf6rg <x@a.test>\r\n", "", "");
    names(b"From: x@a\xff.test\r\n", "", "");
    names(b"From: x\0@a.test\r\n", "", "");
}

#[test]
fn folded_names() {
    names(b"From:\r\n x@a.test\r\n", "a.test", "a.test");
    names(b"From: \"a\r\n\tb\"\r\n <x@a.test>\r\n", "a.test", "a.test");
    names(b"FROM\t: x@a.test\r\n", "a.test", "a.test");
    names(b"From: =?utf-8?q?x=40c=2Etest?= <x@a.test>\r\n", "a.test", "a.test");
}

/// A name server may say that there are a thousand of anything.
#[test]
fn a_thousand_records() {
    let findings = judge(&facts(FROM), |question, notebook| {
        let Question::Dns(dns) = question else { panic!("only DNS is asked") };
        let hosts = || {
            (0..1000).map(|index| Mx { preference: 0, exchange: format!("h{index}.test").into() })
        };
        let answer = match dns.record_type {
            quivive_evidence::RecordType::Mx => DnsAnswer::Mx(Arc::new(Answer::new(
                Outcome::of(hosts().collect()),
                Source::default(),
            ))),
            other => DnsAnswer::without_records(other, Outcome::NoData, Source::default()),
        };
        notebook.note(&dns.name, answer);
        assert!(notebook.txt("nothing.test").is_none());
    });
    assert_eq!(of(&findings, Method::MailFromMx), (Permerror, "mx-limit"));
}
