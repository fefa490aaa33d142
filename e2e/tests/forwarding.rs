//! A Postfix that forwards: senders rewritten and bounces brought home by its maps, by its milter
//! with the alias table, and by a milter where mail comes a second time, as the page says.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use quivive_e2e::client::Dialogue;
use quivive_e2e::peer::{self, Peer};
use quivive_e2e::quivive::{self, Serve};
use quivive_e2e::srs::{DOMAIN, SECRET};
use quivive_e2e::{book, maildir, nsd, postfix, wait};
use tempfile::TempDir;

/// The sender's domain permits its own host alone.
const DNS: &str = "sender.test. TXT \"v=spf1 ip4:192.0.2.25 -all\"\n";

const MESSAGE: &str = "From: user@sender.test\r\nTo: info@example.test\r\nSubject: hello\r\n\r\n\
    How are you?";

/// `info@example.test` and `far@example.test` lead elsewhere, all else at `example.test` stays.
const ALIASES: &str = "info@example.test far@final.test\nfar@example.test far@final.test\n";

/// How the last host refuses whom the aliases lead to.
const REFUSING: &str = "smtpd_recipient_restrictions = check_recipient_access inline:\
    {{far@final.test = 550 5.1.1 No such user here}}\n";

/// The hosts beside the one that forwards: where aliases lead, and where the sender is at home.
struct Others {
    last: Peer,
    home: Peer,
    nsd: Peer,
    /// The secret, and the alias table.
    folder: TempDir,
}

impl Others {
    /// The last host has these settings.
    fn start(last: &str) -> Self {
        let folder = peer::open_folder();
        let secret = folder.path().join("srs.secret");
        fs::write(&secret, format!("{SECRET}\n")).expect("the folder is ours");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("it is ours");
        fs::write(folder.path().join("aliases"), ALIASES).expect("the folder is ours");
        let last = postfix::start_with(&format!("virtual_mailbox_domains = final.test\n{last}"));
        let home = postfix::start_with("virtual_mailbox_domains = sender.test\n");
        Self { last, home, nsd: nsd::start(DNS), folder }
    }

    /// What of the page speaks of its names and places, in ours.
    fn placed(&self, text: &str) -> String {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        text.replace("fwd.example", DOMAIN)
            .replace("here.example", "example.test")
            .replace("srs.secret", &file("srs.secret"))
            .replace("/etc/postfix/virtual", &file("aliases"))
    }

    fn srs(&self) -> String {
        self.placed(
            "[srs]\ndomain = \"fwd.example\"\nsecret_file = \"srs.secret\"\n\
             own_domains = [\"here.example\"]\n",
        )
    }

    /// The lines of a Postfix that sends the others' mail to them.
    fn routes(&self) -> String {
        let route = |domain: &str, host: &Peer| {
            format!("{{{domain} = smtp:[{}]:{}}}", host.address.ip(), host.address.port())
        };
        format!(
            "transport_maps = inline:{{ {}, {} }}\nmyhostname = mx.fwd.example.net\n",
            route("final.test", &self.last),
            route("sender.test", &self.home),
        )
    }

    /// The one message that arrived at a host.
    fn arrived(&self, host: &Peer, forwarder: &Peer) -> String {
        let folder = postfix::maildir(host);
        let found = || Some(maildir::messages(&folder)).filter(|messages| !messages.is_empty());
        let messages = wait::within(wait::DEADLINE, found);
        let mut messages = messages.unwrap_or_else(|| {
            panic!("nothing arrived\n{}\nlast: {}", forwarder.log(), self.last.log())
        });
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }

    /// What was forwarded has a return path of ours, with the sender in it.
    fn forwarded(&self, forwarder: &Peer) {
        let message = self.arrived(&self.last, forwarder);
        let path = maildir::field(&message, "Return-Path").expect("it has one");
        let ours = format!("=sender.test=user@{DOMAIN}>");
        assert!(path.starts_with("<SRS0=") && path.ends_with(&ours), "{path}\n{}", forwarder.log());
    }

    /// A report that the last host does not know whom the alias leads to is with the sender.
    fn came_home(&self, forwarder: &Peer) {
        let bounce = self.arrived(&self.home, forwarder);
        assert_eq!(maildir::field(&bounce, "Return-Path").as_deref(), Some("<>"), "{bounce}");
        assert!(bounce.contains("No such user here"), "{bounce}");
    }
}

/// A message of `user@sender.test`, from where that domain's mail comes. What is deferred comes
/// again, as mail does: a Postfix may still be starting.
fn send(forwarder: &Peer, recipient: &str) {
    let taken = wait::within(wait::DEADLINE, || {
        let mut client = Dialogue::open_as(forwarder.address, "192.0.2.25", "mx.sender.test");
        let reply = client.message("user@sender.test", recipient, MESSAGE);
        Some(reply).filter(|reply| !reply.starts_with('4'))
    });
    let taken = taken.unwrap_or_default();
    assert!(taken.starts_with("250 "), "{taken}\n{}", forwarder.log());
}

/// Sends a bounce to this recipient, and gives the first reply that is none of success, or the
/// last.
fn bounce(forwarder: &Peer, recipient: &str) -> String {
    let mut client = Dialogue::open_as(forwarder.address, "192.0.2.77", "mx.final.test");
    client.message("", recipient, "Subject: gone\r\n\r\nNo such user here")
}

/// A block of the page.
fn block(language: &str) -> String {
    let mut blocks = book::blocks(&book::page("srs.md"), language);
    assert!(!blocks.is_empty(), "docs/srs.md has no block {language}");
    blocks.remove(0)
}

/// The page's maps for who comes from PostSRSd, in their order: tcp_table, socketmap.
const TABLES: [&str; 2] = ["tcp", "socketmap"];

/// A Postfix that looks its addresses up as the page says, by the first or the second way.
struct ByTables {
    others: Others,
    serve: Serve,
    postfix: Peer,
}

impl ByTables {
    fn start(way: &str, last: &str) -> Self {
        let others = Others::start(last);
        // What the page says about them stands where the daemon is found again after a restart.
        let addresses = [10001, 10002, 10003].map(|port| (port, peer::free_address()));
        let at = |mut text: String| {
            for (port, address) in &addresses {
                text = text.replace(&format!("127.0.0.1:{port}"), &address.to_string());
            }
            text
        };
        let page = book::page("srs.md");
        let listeners = book::blocks(&page, "toml").into_iter();
        let listeners = listeners
            .filter(|block| block.contains(if way == "tcp" { "tcp-table" } else { "socketmap" }));
        let configuration = format!(
            "[methods]\nspf = \"off\"\n[store]\npath = \"\"\n{}{}",
            others.srs(),
            at(listeners.collect()),
        );
        let maps = book::blocks(&page, "text").into_iter();
        let maps = maps.filter(|block| block.contains(&format!("sender_canonical_maps = {way}:")));
        let mut maps: String = maps.collect();
        if way == "socketmap" {
            maps += "sender_canonical_classes = envelope_sender\n\
                recipient_canonical_classes = envelope_recipient, header_recipient\n";
        }
        let serve = Serve::start(&configuration);
        let settings = format!(
            "{}{}relay_domains = {DOMAIN}\nvirtual_alias_maps = texthash:{}\n",
            at(maps),
            others.routes(),
            others.folder.path().join("aliases").display(),
        );
        let postfix = postfix::start_with(&settings);
        Self { others, serve, postfix }
    }
}

#[test]
fn postfix_rewrites_by_our_maps_as_by_postsrsds() {
    for way in TABLES {
        let ByTables { others, postfix, .. } = &ByTables::start(way, "");
        send(postfix, "info@example.test");
        others.forwarded(postfix);
        // Our own users are not rewritten.
        let mut client = Dialogue::open_as(postfix.address, "192.0.2.25", "mx.example.test");
        let taken = client.message("own@example.test", "far@example.test", MESSAGE);
        assert!(taken.starts_with("250 "), "{way}: {taken}");
        let folder = postfix::maildir(&others.last);
        let own = wait::until("a second message", || {
            let own = |message: &String| message.contains("<own@example.test>");
            maildir::messages(&folder).into_iter().find(own)
        });
        assert_eq!(maildir::field(&own, "Return-Path").as_deref(), Some("<own@example.test>"));
        // What is forged is no match: nobody has that address.
        let forged = bounce(postfix, &format!("SRS0=AAAA=2W=sender.test=user@{DOMAIN}"));
        assert!(forged.starts_with("250 ") || forged.starts_with('5'), "{way}: {forged}");
        assert_eq!(maildir::count(&postfix::maildir(&others.home)), 0, "{way}");
    }
}

#[test]
fn bounces_come_home_by_our_maps() {
    for way in TABLES {
        let ByTables { others, postfix, .. } = &ByTables::start(way, REFUSING);
        send(postfix, "info@example.test");
        others.came_home(postfix);
    }
}

#[test]
fn while_the_table_is_down_mail_is_deferred_and_not_lost() {
    for way in TABLES {
        let ByTables { others, mut serve, postfix } = ByTables::start(way, "");
        send(&postfix, "info@example.test");
        others.forwarded(&postfix);
        serve.signal("KILL");
        serve.wait();
        let mut client = Dialogue::open_as(postfix.address, "192.0.2.25", "mx.sender.test");
        let deferral = client.message("user@sender.test", "far@example.test", MESSAGE);
        assert!(deferral.starts_with('4'), "{way}: {deferral}\n{}", postfix.log());
        serve.start_again();
        send(&postfix, "far@example.test");
        let folder = postfix::maildir(&others.last);
        wait::until("the deferred message", || (maildir::count(&folder) == 2).then_some(()));
        let ours = |message: &String| message.contains("Return-Path: <SRS0=");
        assert!(maildir::messages(&folder).iter().all(ours), "{way}");
    }
}

/// A Postfix whose milters rewrite.
struct ByMilter {
    postfix: Peer,
    serve: Serve,
    others: Others,
}

impl ByMilter {
    /// By the page's block of this name, with its alias table if that is the way.
    fn start(way: &str, last: &str) -> Self {
        let others = Others::start(last);
        let mut tables = others.placed(&block("milter.toml"));
        if way == "aliases" {
            tables += &others.placed(&block("aliases.toml"));
        }
        let tables = tables
            .replace("127.0.0.1:8891", &peer::free_address().to_string())
            .replace("127.0.0.1:8892", &peer::free_address().to_string());
        let serve = Serve::start(&quivive::doors(others.nsd.address, &tables));
        let again = peer::free_address();
        let [judging, rewriting] = serve.addresses("milter")[..] else { panic!("two milters") };
        let at = |text: String| {
            let inet = |address: SocketAddr| format!("{}:{}", address.ip(), address.port());
            text.replace("127.0.0.1:8891", &inet(judging))
                .replace("127.0.0.1:8892", &inet(rewriting))
                .replace("127.0.0.1:10026", &inet(again))
                .replace("[127.0.0.1]:10026", &format!("[{}]:{}", again.ip(), again.port()))
        };
        let mut settings = at(others.placed(&block(&format!("{way}.main.cf")))) + &others.routes();
        let mut services = String::new();
        if way == "again" {
            settings += &others.placed("virtual_alias_maps = texthash:/etc/postfix/virtual\n");
            services = at(block("again.master.cf"));
        }
        let postfix = postfix::start_as("postfix", &settings, |_| services.clone());
        Self { postfix, serve, others }
    }
}

const WAYS: [&str; 2] = ["aliases", "again"];

#[test]
fn the_milter_rewrites_what_leads_elsewhere() {
    for way in WAYS {
        let ByMilter { postfix, others, .. } = &ByMilter::start(way, "");
        send(postfix, "info@example.test");
        others.forwarded(postfix);
        let message = others.arrived(&others.last, postfix);
        assert!(message.contains("spf=pass"), "{way}: {message}");
        // What stays keeps its sender.
        send(postfix, "box@example.test");
        let stayed = others.arrived(postfix, postfix);
        let path = maildir::field(&stayed, "Return-Path");
        assert_eq!(path.as_deref(), Some("<user@sender.test>"), "{way}");
    }
}

#[test]
fn bounces_come_home_by_the_milter() {
    for way in WAYS {
        let ByMilter { postfix, serve, others } = &ByMilter::start(way, REFUSING);
        send(postfix, "info@example.test");
        others.came_home(postfix);
        let log = serve.log();
        assert!(log.contains("srs.mailfrom=rewritten") && log.contains("srs.rcpt=pass"), "{log}");
    }
}

#[test]
fn bounces_of_others_come_home_by_the_milter_and_forged_ones_do_not() {
    for way in WAYS {
        let ByMilter { postfix, others, .. } = &ByMilter::start(way, "");
        send(postfix, "info@example.test");
        let forwarded = others.arrived(&others.last, postfix);
        let path = maildir::field(&forwarded, "Return-Path").expect("it has one");
        let ours = path.trim_matches(['<', '>']);
        let refused = bounce(postfix, &ours.replace("=user@", "=used@"));
        assert!(refused.starts_with("550 5.1.1 "), "{way}: {refused}");
        let mut client = Dialogue::open_as(postfix.address, "192.0.2.25", "mx.sender.test");
        let refused = client.message("user@sender.test", ours, MESSAGE);
        assert!(refused.starts_with("550 5.7.1 Only bounces"), "{way}: {refused}");
        let taken = bounce(postfix, ours);
        assert!(taken.starts_with("250 "), "{way}: {taken}");
        others.came_home(postfix);
    }
}

#[test]
fn recipients_of_two_ways_are_parted() {
    // By the table the client sends the second one again.
    let ByMilter { postfix, others, .. } = &ByMilter::start("aliases", "");
    let mut client = Dialogue::open_as(postfix.address, "192.0.2.25", "mx.sender.test");
    client.say("MAIL FROM:<user@sender.test>", "250");
    client.say("RCPT TO:<box@example.test>", "250");
    let put_off = client.ask("RCPT TO:<info@example.test>");
    assert!(put_off.starts_with("452 4.5.3 ") && put_off.contains("by itself"), "{put_off}");
    client.say("DATA", "354");
    client.say(&format!("{MESSAGE}\r\n."), "250");
    send(postfix, "info@example.test");
    others.forwarded(postfix);
    others.arrived(postfix, postfix);
    // Behind the queue nobody notices.
    let ByMilter { postfix, others, .. } = &ByMilter::start("again", "");
    let mut client = Dialogue::open_as(postfix.address, "192.0.2.25", "mx.sender.test");
    client.say("MAIL FROM:<user@sender.test>", "250");
    client.say("RCPT TO:<box@example.test>", "250");
    client.say("RCPT TO:<info@example.test>", "250");
    client.say("DATA", "354");
    client.say(&format!("{MESSAGE}\r\n."), "250");
    others.forwarded(postfix);
    let stayed = others.arrived(postfix, postfix);
    let path = maildir::field(&stayed, "Return-Path");
    assert_eq!(path.as_deref(), Some("<user@sender.test>"));
}

#[test]
fn an_alias_of_two_ways_is_named_at_the_start() {
    let folder = peer::open_folder();
    fs::write(folder.path().join("srs.secret"), SECRET).expect("the folder is ours");
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(folder.path().join("srs.secret"), mode).expect("the file is ours");
    let parted = "team@here.example box@here.example, far@there.example\n";
    fs::write(folder.path().join("aliases"), parted).expect("the folder is ours");
    let configuration = block("milter.toml") + &block("aliases.toml");
    let configuration = configuration
        .replace("/etc/postfix/virtual", "aliases")
        .replace("127.0.0.1:8891", "127.0.0.1:0")
        .replace("127.0.0.1:8892", "127.0.0.1:0");
    let file = folder.path().join("quivive.toml");
    fs::write(&file, configuration).expect("the folder is ours");
    let serve = std::process::Command::new(quivive::program())
        .args(["serve", "--config"])
        .arg(&file)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&serve.stderr);
    assert_eq!(serve.status.code(), Some(1), "{said}");
    let named = "the alias `team@here.example` leads to addresses here and elsewhere";
    assert!(said.contains(named) && said.contains("`srs = \"alone\"`"), "{said}");
}
