use quivive_evidence::{LintReport, Method, Notebook, Question, ROUNDS_MAX, Subject};
use quivive_resolver::Zone;

use super::*;
use crate::linted_methods;

/// The reports about `a.test`, and how many questions were asked.
fn inspect(world: &str) -> (Vec<LintReport>, usize) {
    let methods: Vec<Method> = linted_methods().collect();
    let inspector = Inspector::new(&methods, &Policy::new("mx.example"));
    let zone = Zone::parse(world.as_bytes()).unwrap();
    let subject = Subject { domain: Some("a.test".to_owned()), record: None };
    let mut notebook = Notebook::default();
    for _ in 0..ROUNDS_MAX {
        let Inspection { reports, missing } = inspector.inspect(&subject, &notebook);
        if missing.is_empty() {
            return (reports, notebook.len());
        }
        for question in &missing {
            let Question::Dns(dns) = question else { panic!("only DNS is asked") };
            notebook.note(&dns.name, zone.answer(dns));
        }
    }
    panic!("it asks for ever")
}

/// The contradictions: in whose report, and in which words.
fn contradictions(world: &str) -> Vec<(Method, String)> {
    let (reports, _) = inspect(world);
    let of = |report: &LintReport| {
        let method = report.method;
        let remarks = report.remarks.clone().into_iter();
        remarks.filter(|one| one.code == "contradiction").map(move |one| (method, one.message))
    };
    reports.iter().flat_map(of).collect()
}

#[track_caller]
fn says(world: &str, expected: &[(Method, &str)]) {
    let told = contradictions(world);
    let told: Vec<_> = told.iter().map(|(method, text)| (*method, &**text)).collect();
    assert_eq!(told, expected, "{world}");
}

const SPF: &str = "a.test. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n";

#[test]
fn schemes_that_say_the_same() {
    says(SPF, &[]);
    says(
        &format!(
            "{SPF}a.test. TXT \"spf2.0/mfrom,pra ip4:192.0.2.0/24 -all\"\n\
             _rmx.a.test. TXT \"ipv4:192.0.2.0/24\"\n\
             _ep.a.test. TXT \"<ep xmlns='http://ms.net/1'><out><m><r>192.0.2.0/24</r></m></out>\
             </ep>\"\n_smtp-client.a.test. TXT \"dmp=\"\n*._smtp-client.a.test. TXT \"dmp=deny\"\n\
             *.2.0.192.in-addr._smtp-client.a.test. TXT \"dmp=allow\"\n\
             *.ipv4.relays._email_.a.test. A 0.0.0.0\n*.ipv6.relays._email_.a.test. AAAA ::\n"
        ),
        &[],
    );
    // What is published for one scheme only contradicts nobody.
    says("_rmx.a.test. TXT \"ipv4:192.0.2.0/24\"\n", &[]);
    // No statement is no contradiction.
    says("a.test. TXT \"v=spf1 ?all\"\n_rmx.a.test. TXT \"ipv4:192.0.2.0/24\"\n", &[]);
    // A wildcard is nobody's list.
    says(&format!("{SPF}*.a.test. MX 10 in.a.test.\nin.a.test. A 198.51.100.1\n"), &[]);
}

#[test]
fn a_network_that_one_refuses() {
    says(
        &format!("{SPF}_rmx.a.test. TXT \"!ipv4:192.0.2.0/25 ipv4:192.0.2.0/24\"\n"),
        &[(Method::Rmx, "by SPF 192.0.2.0/25 may send for the domain, and by RMX not")],
    );
}

#[test]
fn one_says_that_nobody_sends() {
    says(
        &format!(
            "{SPF}_ep.a.test. TXT \"<ep xmlns='http://ms.net/1'><out><noMailServers/></out></ep>\"\n"
        ),
        &[(Method::CallerId, "by SPF 192.0.2.0/24 may send for the domain, and by Caller ID not")],
    );
    says(
        "a.test. TXT \"v=spf1 -all\"\n_rmx.a.test. TXT \"ipv4:192.0.2.7\"\n",
        &[(Method::Rmx, "by RMX 192.0.2.7 may send for the domain, and by SPF not")],
    );
    says(
        "a.test. TXT \"v=spf1 ip4:192.0.2.7 -all\"\nmail-from.a.test. MX 0 .\n\
         _smtp-client.a.test. TXT \"dmp=\"\n",
        &[(
            Method::Dmp,
            "by SPF 192.0.2.7 may send for the domain, and by MAIL-FROM MX and DMP not",
        )],
    );
}

#[test]
fn a_wider_network() {
    says(
        &format!("{SPF}_rmx.a.test. TXT \"ipv4:192.0.2.0/23\"\n"),
        &[(Method::Rmx, "by RMX 192.0.3.0, 192.0.3.255 may send for the domain, and by SPF not")],
    );
}

/// Hosts of the domain that call themselves otherwise are none of DRIP's.
#[test]
fn drip_refuses_only_a_name() {
    let drip = "*.ipv4.relays._email_.a.test. A 0.0.0.0\n*.ipv6.relays._email_.a.test. AAAA ::\n";
    says(&format!("{SPF}{drip}"), &[]);
    says(
        &format!(
            "a.test. TXT \"v=spf1 ip4:192.0.2.7 -all\"\n_rmx.a.test. TXT \"unused:\"\n{drip}\
                  192_0_2_7.ipv4.relays._email_.a.test. A 192.0.2.7\n"
        ),
        &[(Method::Drip, "by SPF and DRIP 192.0.2.7 may send for the domain, and by RMX not")],
    );
}

#[test]
fn what_decided_is_shown() {
    let (reports, _) =
        inspect(&format!("{SPF}_rmx.a.test. TXT \"!ipv4:192.0.2.0/24 host:h.a.test\"\n"));
    let rmx = reports.iter().find(|report| report.method == Method::Rmx).unwrap();
    let remark = rmx.remarks.iter().find(|one| one.code == "contradiction").unwrap();
    assert_eq!(&rmx.record[remark.span.0..remark.span.1], "!ipv4:192.0.2.0/24");
}

#[test]
fn samples_are_bounded() {
    let networks = |prefix: &str| -> String {
        (0..60).map(|index| format!("{prefix}:192.0.{}.0/25 ", index * 2)).collect()
    };
    let spf: String = networks("ip4");
    let (first, second) = spf.split_at(spf.len() / 2);
    let world = format!(
        "a.test. TXT \"v=spf1 \" \"{}\" \"{}\" \"{}\" \"{}\" \"{}\" \"{}\" \"-all\"\n\
         _smtp-client.a.test. TXT \"dmp=\"\n_rmx.a.test. TXT \"unused:\"\n",
        &first[..240],
        &first[240..480],
        &first[480..],
        &second[..240],
        &second[240..480],
        &second[480..],
    );
    let (reports, questions) = inspect(&world);
    // DMP asks one or two questions for each address that is tried.
    assert!(questions < 2 * SAMPLES_MAX + 40, "{questions}");
    let dmp = reports.iter().find(|report| report.method == Method::Dmp).unwrap();
    let told = dmp.remarks.iter().find(|one| one.code == "contradiction").unwrap();
    let end = "and 9 more may send for the domain, and by RMX and DMP not";
    assert!(told.message.ends_with(end), "{told:?}");
}
