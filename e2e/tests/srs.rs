//! Forwarding addresses among the programs that write them: byte for byte in both directions, and
//! bounces that come home through two Postfixes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use quivive_e2e::client::Dialogue;
use quivive_e2e::peer::{self, Peer};
use quivive_e2e::quivive::{self, Serve};
use quivive_e2e::srs::{self, DOMAIN, SECRET, ask, senders};
use quivive_e2e::{book, maildir, nsd, postfix, wait};
use quivive_srs::{Dialect, Forwarded, Reversed, Rules, Secrets, Srs};

/// How many addresses go through each program.
const ADDRESSES: usize = 4000;

/// Exim expands a line at a time.
const ADDRESSES_OF_EXIM: usize = 500;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs()
}

/// Runs a comparison, once more if midnight came between: stamps have the day.
fn within_a_day(compare: impl Fn()) {
    let day = || now() / 86_400;
    loop {
        let before = day();
        let compared = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&compare));
        match compared {
            Ok(()) => return,
            Err(_) if day() != before => {}
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn signing(dialect: Dialect) -> Srs {
    let secrets = Secrets::parse(SECRET.as_bytes()).expect("it is a secret");
    Srs::new(&secrets, Rules { signs: dialect, ..Rules::default() })
}

fn forward(srs: &Srs, sender: &str, now: u64) -> String {
    match srs.forward(sender, DOMAIN, now) {
        Ok(Forwarded::Rewritten(address)) => address,
        _ => String::new(),
    }
}

fn reverse(srs: &Srs, address: &str, now: u64) -> String {
    match srs.reverse(address, now) {
        Ok(Reversed::Original(original)) => original.address,
        _ => String::new(),
    }
}

/// The page says what these tests prove, and no more.
#[track_caller]
fn the_page_says(row: &str) {
    let page = book::page("srs.md");
    assert!(page.lines().any(|line| line == row), "docs/srs.md lacks the line\n{row}");
}

/// A folder with the secret, as an operator keeps it.
fn secret_folder() -> tempfile::TempDir {
    let folder = peer::open_folder();
    let path = folder.path().join("srs.secret");
    fs::write(&path, format!("{SECRET}\n")).expect("the folder is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    folder
}

fn settings(folder: &tempfile::TempDir) -> String {
    let path = folder.path().join("srs.secret");
    format!(
        "[srs]\ndomain = \"{DOMAIN}\"\nsecret_file = \"{}\"\nlocal_part_max = 250\n",
        path.display()
    )
}

#[test]
fn postsrsd_gives_the_same_answers() {
    let folder = secret_folder();
    let table = |map| {
        let listen = format!(
            "[[listen]]\ndoor = \"tcp-table\"\naddress = \"127.0.0.1:0\"\nmap = \"{map}\"\n"
        );
        Serve::start(&(settings(&folder) + &listen))
    };
    let (ours_forward, ours_reverse) = (table("forward"), table("reverse"));
    let (postsrsd, its_reverse) = srs::postsrsd();
    within_a_day(|| {
        let mut keys = senders(ADDRESSES);
        keys.extend(["bla", "a@fwd.example.net", "SRS1=x@c.example"].map(str::to_owned));
        let its = ask(postsrsd.address, &keys);
        let ours = ask(ours_forward.address("tcp-table"), &keys);
        for ((key, its), ours) in keys.iter().zip(&its).zip(&ours) {
            assert_eq!(ours, its, "forward {key}");
        }
        // What each signs, and some of it with a character changed.
        let mut signed: Vec<String> = its
            .iter()
            .filter_map(|answer| answer.strip_prefix("200 "))
            .map(str::to_owned)
            .collect();
        let tampered: Vec<String> =
            signed.iter().step_by(7).map(|address| address.replacen('=', "=x", 1)).collect();
        signed.extend(tampered);
        signed.extend(
            ["test@example.com", "SRS0=@fwd.example.net", "SRS0=a=b@fwd.example.net"]
                .map(str::to_owned),
        );
        let its = ask(its_reverse, &signed);
        let ours = ask(ours_reverse.address("tcp-table"), &signed);
        let passed = its.iter().filter(|answer| answer.starts_with("200 ")).count();
        assert!(passed > ADDRESSES * 9 / 10, "{passed}");
        for ((key, its), ours) in signed.iter().zip(&its).zip(&ours) {
            assert_eq!(ours, its, "reverse {key}");
        }
    });
    the_page_says(
        "| PostSRSd 1.10 (Debian) | yes | yes | the same answers to 4,000 addresses over tcp_table |",
    );
}

#[test]
fn mail_srs_gives_the_same_answers() {
    let srs = signing(Dialect::MailSrs);
    let now = now();
    let keys = senders(ADDRESSES);
    let lines: Vec<String> = keys.iter().map(|key| format!("forward {key}")).collect();
    let its = srs::mail_srs(now, &lines);
    for (key, its) in keys.iter().zip(&its) {
        assert_eq!(forward(&srs, key, now), *its, "forward {key}");
    }
    // As they are, smashed, and with a character changed.
    let mut signed: Vec<String> = its.clone();
    signed.extend(its.iter().step_by(3).map(|address| address.to_lowercase()));
    signed.extend(its.iter().step_by(3).map(|address| address.to_uppercase()));
    signed.extend(its.iter().step_by(7).map(|address| address.replacen('=', "=x", 1)));
    for days in [0, 1, 21, 22, 600, 1023] {
        let later = now + days * 86_400;
        let lines: Vec<String> = signed.iter().map(|key| format!("reverse {key}")).collect();
        let its = srs::mail_srs(later, &lines);
        for (key, its) in signed.iter().zip(&its) {
            assert_eq!(reverse(&srs, key, later), *its, "reverse {key} after {days} days");
        }
    }
    the_page_says(
        "| Mail::SRS 0.31 (Debian) | yes | yes | the same results for 4,000 addresses, also smashed, changed and late |",
    );
}

/// What Exim expands within braces may hold none of these.
fn is_plain(address: &str) -> bool {
    !address.contains(['{', '}', '$', '\\', ','])
}

#[test]
fn exim_gives_the_same_answers() {
    let srs = signing(Dialect::Exim);
    let keys: Vec<String> = senders(ADDRESSES).into_iter().filter(|key| is_plain(key)).collect();
    let keys = &keys[..ADDRESSES_OF_EXIM];
    within_a_day(|| {
        let now = now();
        let expressions: Vec<String> = keys
            .iter()
            .map(|key| format!("${{srs_encode {{{SECRET}}}{{{key}}}{{{DOMAIN}}}}}"))
            .collect();
        let its = srs::exim(&expressions);
        for (key, its) in keys.iter().zip(&its) {
            assert_eq!(forward(&srs, key, now), *its, "forward {key}");
            assert_eq!(reverse(&srs, its, now), *key, "reverse {its}");
        }
        let local = |address: &str| address.rsplit_once('@').map(|(local, _)| local.to_owned());
        let expressions: Vec<String> = keys
            .iter()
            .filter_map(|key| local(&forward(&srs, key, now)))
            .map(|local| {
                format!("${{if inbound_srs {{{local}}}{{{SECRET}}}{{$srs_recipient}}{{no}}}}")
            })
            .collect();
        for (key, its) in keys.iter().zip(srs::exim(&expressions)) {
            assert_eq!(its, key.to_lowercase(), "inbound_srs of {key}");
        }
    });
    the_page_says(
        "| Exim 4.96 (Debian) | yes, with `dialect = \"exim\"` or in `believed_dialects` | yes, with `dialect = \"exim\"` | the same results for 500 addresses by `srs_encode` and `inbound_srs` |",
    );
}

/// The sender's domain permits its own host alone, the forwarder's the addresses of this machine.
const DNS: &str = "sender.test. TXT \"v=spf1 ip4:192.0.2.25 -all\"\n\
    fwd.example.net. TXT \"v=spf1 ip4:127.0.0.0/8 -all\"\n";

/// Mail for `info@example.test` leads to `far@final.test`, behind another Quivive that checks it.
struct Forwarding {
    forwarder: Serve,
    /// What leads elsewhere goes out here.
    relay: Peer,
    finally: Serve,
    last: Peer,
    home: Peer,
    _nsd: Peer,
    _secret: tempfile::TempDir,
}

/// A Postfix that takes what we send, and sends each domain's mail where it belongs.
fn relay_settings(transports: &[(&str, std::net::SocketAddr)]) -> String {
    let routes: Vec<String> = transports
        .iter()
        .map(|(domain, address)| {
            format!("{{{domain} = smtp:[{}]:{}}}", address.ip(), address.port())
        })
        .collect();
    format!(
        "mynetworks = 127.0.0.0/8\nvirtual_mailbox_domains =\n\
         smtpd_relay_restrictions = permit_mynetworks, reject\n\
         transport_maps = inline:{{ {} }}\n\
         myhostname = mx.fwd.example.net\nsmtp_helo_name = mx.fwd.example.net\n",
        routes.join(", ")
    )
}

impl Forwarding {
    /// The last host has these settings.
    fn start(last: &str) -> Self {
        let nsd = nsd::start(DNS);
        let secret = secret_folder();
        let home = postfix::start_with("virtual_mailbox_domains = sender.test\n");
        let last = postfix::start_with(&format!("virtual_mailbox_domains = final.test\n{last}"));
        let last_hop = format!("smtp:{}", last.address);
        let finally = Serve::start(&quivive::gateway(nsd.address, &last_hop, "").replace(
            "recipient_domains = [\"example.test\"]",
            "recipient_domains = [\"final.test\"]",
        ));
        let forwarder_address = peer::free_address();
        let relay = postfix::start_with(&relay_settings(&[
            ("final.test", finally.address("gateway")),
            ("fwd.example.net", forwarder_address),
            ("sender.test", home.address),
        ]));
        let aliases = secret.path().join("aliases");
        fs::write(&aliases, "info@example.test far@final.test\n").expect("the folder is ours");
        let more = format!(
            "{}[outgoing]\nrelay = \"smtp:{}\"\n[forwarding]\nalias_file = \"{}\"\n",
            settings(&secret),
            relay.address,
            aliases.display(),
        );
        let next = format!("smtp:{}", home.address);
        let configuration = quivive::gateway(nsd.address, &next, "")
            .replace("127.0.0.1:0", &forwarder_address.to_string());
        let forwarder = Serve::start(&(configuration + &more));
        Self { forwarder, relay, finally, last, home, _nsd: nsd, _secret: secret }
    }

    /// A message of `user@sender.test` to the alias, from where that domain's mail comes. What is
    /// deferred comes again, as mail does: a Postfix of the world may still be starting.
    fn send(&self) {
        let address = self.forwarder.address("gateway");
        let message = "From: user@sender.test\r\nTo: info@example.test\r\nSubject: hello\r\n\r\n\
            How are you?";
        let taken = wait::within(wait::DEADLINE, || {
            let mut client = Dialogue::open_as(address, "192.0.2.25", "mx.sender.test");
            let reply = client.message("user@sender.test", "info@example.test", message);
            Some(reply).filter(|reply| !reply.starts_with('4'))
        });
        let logs = || self.relay.log() + &self.forwarder.log();
        assert!(taken.is_some_and(|reply| reply.starts_with("250 ")), "{}", logs());
    }

    /// The message that arrived in this box.
    fn arrived(&self, postfix: &Peer) -> String {
        let folder = postfix::maildir(postfix);
        let arrived = || Some(maildir::messages(&folder)).filter(|messages| !messages.is_empty());
        let looked = wait::within(wait::DEADLINE, arrived);
        let mut messages = looked.unwrap_or_else(|| {
            panic!(
                "nothing arrived\nforwarder: {}\nrelay: {}\nlast: {}",
                self.forwarder.log(),
                self.relay.log(),
                self.finally.log()
            )
        });
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }
}

#[test]
fn a_bounce_comes_home_through_two_postfixes() {
    let refusal = "smtpd_recipient_restrictions = check_recipient_access inline:\
        {{far@final.test = 550 5.1.1 No such user here}}\n";
    let world = Forwarding::start(refusal);
    world.send();
    let bounce = world.arrived(&world.home);
    assert_eq!(maildir::field(&bounce, "Return-Path").as_deref(), Some("<>"), "{bounce}");
    assert!(bounce.contains("No such user here"), "{bounce}");
    let log = world.forwarder.log();
    assert!(log.contains("srs.mailfrom=rewritten") && log.contains("srs.rcpt=pass"), "{log}");
    let relay = world.relay.log();
    assert!(relay.contains("to=<user@sender.test>") && relay.contains("status=sent"), "{relay}");
}

#[test]
fn what_is_forwarded_passes_spf_at_the_last_host() {
    let world = Forwarding::start("");
    world.send();
    let message = world.arrived(&world.last);
    let results = maildir::field(&message, "Authentication-Results").expect("a result");
    assert!(results.contains("spf=pass"), "{message}");
    assert!(results.contains("fwd.example.net"), "{message}");
    let path = maildir::field(&message, "Return-Path").expect("a return path");
    assert!(path.starts_with("<SRS0=") && path.ends_with("=sender.test=user@fwd.example.net>"));
    // As the sender's own it would have been refused there.
    let mut client = Dialogue::open(world.finally.address("gateway"));
    client.say("EHLO mx.fwd.example.net", "250");
    let refusal = client.message("user@sender.test", "far@final.test", "Subject: x\r\n\r\nx");
    assert!(refusal.starts_with("550 5.7.23 "), "{refusal}");
}
