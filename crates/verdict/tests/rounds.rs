//! A message checked by all DNS methods at once takes no more rounds of questions than the deepest
//! of them alone, and each finds what it finds alone.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::sample::Index;
use quivive_evidence::{Facts, Finding, Method, Notebook, Question};
use quivive_resolver::Zone;
use quivive_testkit::vectors::{Vector, sheet};
use quivive_verdict::{Mode, Policy, Session, Stage};

const SHEETS: &[&str] = &["mail-from-mx", "rmx", "dmp", "caller-id", "sender-id", "lists"];

const METHODS: &[Method] = &[
    Method::Spf,
    Method::SenderId,
    Method::CallerId,
    Method::MailFromMx,
    Method::Rmx,
    Method::Dmp,
    Method::Drip,
    Method::Iprev,
    Method::Dnsbl,
    Method::Dnswl,
];

fn policy(methods: &[Method]) -> Policy {
    let mut policy = Policy::new("mx.example");
    policy.methods = methods.iter().map(|method| (*method, Mode::Report)).collect();
    policy.settings.rmx.type_number = Some(65280);
    policy.settings.dmp.helo_alternative = true;
    policy.settings.dnsbl = vec!["bl.test".parse().unwrap(), "parked.test".parse().unwrap()];
    policy.settings.dnswl = vec!["wl.test".parse().unwrap()];
    policy
}

/// What these methods find, and in how many rounds, if everything that is asked is answered.
fn judged(zone: &Zone, facts: &Facts, methods: &[Method]) -> (Vec<Finding>, usize) {
    let mut session = Session::new(Arc::new(policy(methods)));
    let mut notebook = Notebook::default();
    session.enter(Stage::Message, facts);
    for rounds in 0.. {
        let round = session.advance(facts, &notebook);
        if round.is_empty() {
            return (session.findings().cloned().collect(), rounds);
        }
        for question in round.questions() {
            let Question::Dns(dns) = question else { panic!("only DNS is asked") };
            notebook.note(&dns.name, zone.answer(dns));
        }
    }
    unreachable!("every inquiry ends")
}

static VECTORS: LazyLock<Vec<Vector>> =
    LazyLock::new(|| SHEETS.iter().flat_map(|name| sheet(name).vectors).collect());

static ZONE: LazyLock<Zone> = LazyLock::new(|| {
    let text: String =
        SHEETS.iter().map(|name| format!("$ORIGIN .\n{}", sheet(name).zone)).collect();
    Zone::parse(text.as_bytes()).unwrap()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn all_methods_at_once_take_no_more_rounds_than_the_deepest(
        parts in prop::array::uniform4(any::<Index>()),
    ) {
        // The client of one vector, the HELO name, sender and header of others.
        let [client, helo, sender, header] = parts.map(|index| index.get(&VECTORS));
        let mut facts = client.facts();
        facts.helo.clone_from(&helo.helo);
        facts.reverse_path.clone_from(&sender.mail_from);
        let of_header = header.facts();
        facts.header = of_header.header;
        facts.submitter = of_header.submitter;
        let (together, rounds) = judged(&ZONE, &facts, METHODS);
        let mut deepest = 0;
        for method in METHODS {
            let (alone, rounds) = judged(&ZONE, &facts, &[*method]);
            deepest = deepest.max(rounds);
            let same: Vec<_> =
                together.iter().filter(|finding| finding.method == *method).cloned().collect();
            prop_assert_eq!(alone, same);
        }
        prop_assert!(rounds <= deepest, "{} rounds, and the deepest takes {}", rounds, deepest);
    }
}
