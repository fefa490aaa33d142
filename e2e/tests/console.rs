//! The pages in a real browser: by day, by night, on a phone. And the numbers before promtool.

use std::io::Write;
use std::process::{Command, Stdio};

use quivive_e2e::browser::{Browser, Look};
use quivive_e2e::client::Dialogue;
use quivive_e2e::quivive::{self, Serve};
use quivive_e2e::web::{self, fetch};
use quivive_e2e::{peer, wait};
use tempfile::TempDir;

const ZONE: &str = "\
pass.test. 300 TXT \"v=spf1 ip4:127.0.0.0/8 -all\"
fail.test. 300 TXT \"v=spf1 include:more.fail.test -all exp=why.fail.test\"
more.fail.test. 300 TXT \"v=spf1 ip4:192.0.2.0/24 ~all\"
why.fail.test. 300 TXT \"<script>alert(1)</script> says %{d}\"
broken.test. 300 TXT \"v=spf1 ip4:<img/src=x> -all\"
;!servfail slow.test
";

/// What is wrong with a page for whoever reads it with other eyes: contrast of text (WCAG 2.2,
/// 1.4.3), labels, headings, headers of tables, names of pictures, what is wider than the screen.
const LOOK_OVER: &str = include_str!("look_over.js");

fn configuration(zone: &str, console: &str) -> String {
    format!(
        r#"
hostname = "mx.example.test"
[resolver]
zone = "{zone}"
[store]
path = "cases.db"
[[listen]]
door = "gateway"
address = "127.0.0.1:0"
next_hop = "maildir:Maildir"
[[listen]]
door = "console"
address = "127.0.0.1:0"
{console}
[[listen]]
door = "public"
address = "127.0.0.1:0"
url = "http://127.0.0.1:1/"
[actions.spf.mailfrom]
fail = "reject"
permerror = "reject"
temperror = "defer"
"#
    )
}

/// A daemon with its zone and what closes its console at absolute paths.
struct World {
    serve: Serve,
    scheme: &'static str,
    _files: TempDir,
}

/// What stands between a browser and the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Not,
    ByPassword,
    ByPasswordAndTls,
}

impl World {
    fn start(closed: Closed) -> Self {
        let files = peer::open_folder();
        let path = |name: &str| files.path().join(name).display().to_string();
        let write = |name: &str, text: &str| {
            std::fs::write(path(name), text).expect("the folder is ours");
            path(name)
        };
        let zone = write("world.zone", ZONE);
        let mut lines = String::new();
        if closed != Closed::Not {
            let password = write("console.password", &hash("open sesame"));
            lines += &format!("password_file = \"{password}\"\n");
        }
        let has_tls = closed == Closed::ByPasswordAndTls;
        if has_tls {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
            let made = made.expect("a key");
            let certificate = write("c.pem", &made.cert.pem());
            let key = write("k.pem", &made.signing_key.serialize_pem());
            lines += &format!("tls = {{ certificate = \"{certificate}\", key = \"{key}\" }}\n");
        }
        let serve = Serve::start(&configuration(&zone, &lines));
        Self { serve, scheme: if has_tls { "https" } else { "http" }, _files: files }
    }

    fn console(&self) -> String {
        format!("{}://{}", self.scheme, self.serve.address("console"))
    }
}

/// What `quivive config password` makes of it.
fn hash(password: &str) -> String {
    let mut command = Command::new(quivive::program());
    command.args(["config", "password"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let line = format!("{password}\n");
    child.stdin.take().unwrap().write_all(line.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("it writes UTF-8")
}

/// Mail of every kind; the public id of one that was refused.
fn send_mail(serve: &Serve) -> String {
    let gateway = serve.address("gateway");
    let mut page = None;
    for (helo, from, reply) in [
        ("mx.pass.test", "a@pass.test", "250"),
        ("mx.pass.test", "b@pass.test", "250"),
        ("mx.fail.test", "\"'><script>alert(2)</script>\"@fail.test", "550"),
        ("mx.broken.test", "c@broken.test", "550"),
        ("mx.slow.test", "d@slow.test", "451"),
        ("<script>alert(3)</script>", "e@fail.test", "550"),
        ("[127.0.0.1]", "", "250"),
    ] {
        let mut dialogue = Dialogue::open(gateway);
        dialogue.say(&format!("HELO {helo}"), "");
        dialogue.say(&format!("MAIL FROM:<{from}>"), "250");
        let said = dialogue.say("RCPT TO:<someone@example.test>", reply);
        if let Some((_, id)) = said.split_once("/why/") {
            page = Some(id.trim().to_owned());
        }
        if reply == "250" {
            dialogue.say("DATA", "354");
            dialogue.say("Subject: x\r\n\r\nx\r\n.", "250");
        }
        dialogue.say("QUIT", "221");
    }
    page.expect("a refusal names its page")
}

/// Cases are written off the message's path.
fn wait_for_cases(serve: &Serve, count: usize) {
    let metrics = || fetch(serve.address("console"), "/metrics");
    let written = format!("quivive_store_written_total {count}");
    wait::until("the cases", || metrics().lines().any(|line| line == written).then_some(()));
}

#[test]
fn every_page_is_good_to_read_by_day_by_night_and_on_a_phone() {
    let world = World::start(Closed::Not);
    let id = send_mail(&world.serve);
    wait_for_cases(&world.serve, 7);
    let browser = Browser::start();
    let console = world.console();
    let public = format!("http://{}", world.serve.address("public"));
    browser.go(&format!("{console}/cases"));
    let links =
        browser.run("return [...document.querySelectorAll('tbody a')].map(one => one.href)");
    let mut pages: Vec<String> =
        links.as_array().unwrap().iter().map(|link| link.as_str().unwrap().to_owned()).collect();
    assert_eq!(pages.len(), 7);
    for path in [
        "/",
        "/simulate",
        "/cases",
        "/cases?q=nothing+like+this",
        "/cases?client=x",
        "/cases/none",
        "/health",
    ] {
        pages.push(format!("{console}{path}"));
    }
    pages.push(format!("{public}/why/{id}"));
    pages.push(format!("{public}/why/none"));
    browser.complaints();
    for look in Look::ALL {
        browser.look(look);
        for page in &pages {
            browser.go(page);
            let problems = browser.run(LOOK_OVER);
            assert_eq!(problems, serde_json::json!([]), "{page} {look:?}");
            // The browser itself says so when a page is answered with another status than 200.
            let loud: Vec<_> = browser
                .complaints()
                .into_iter()
                .filter(|text| !text.contains("the server responded with a status of 4"))
                .collect();
            assert_eq!(loud, [""; 0], "{page} {look:?}");
        }
    }
}

#[test]
fn a_what_if_is_tried_and_shown() {
    let world = World::start(Closed::Not);
    send_mail(&world.serve);
    wait_for_cases(&world.serve, 7);
    let browser = Browser::start();
    for look in Look::ALL {
        browser.look(look);
        browser.go(&format!("{}/cases?address=e@fail.test", world.console()));
        browser.click("tbody a");
        browser.write("#records", "fail.test TXT v=spf1 ip4:127.0.0.1 include:new.test -all");
        browser.click("main form button");
        let text = || browser.run("return document.querySelector('main').innerText").to_string();
        wait::until("a match", || text().contains("ip4:127.0.0.1 match").then_some(()));
        assert!(text().contains("accepted"), "{}", text());
        assert_eq!(browser.run(LOOK_OVER), serde_json::json!([]), "{look:?}");
        browser.write("#records", "fail.test TXT v=spf1 include:new.test -all");
        browser.click("main form button");
        wait::until("what is lacking", || text().contains("new.test TXT").then_some(()));
        assert_eq!(browser.run(LOOK_OVER), serde_json::json!([]), "{look:?}");
        assert_eq!(browser.complaints(), [""; 0]);
    }
}

#[test]
fn another_record_is_tried_on_recorded_mail() {
    let world = World::start(Closed::Not);
    send_mail(&world.serve);
    wait_for_cases(&world.serve, 7);
    let browser = Browser::start();
    let text = || browser.run("return document.querySelector('main').innerText").to_string();
    for look in Look::ALL {
        browser.look(look);
        browser.go(&format!("{}/simulate", world.console()));
        assert_eq!(browser.run(LOOK_OVER), serde_json::json!([]), "{look:?}");
        browser.write("#domain", "pass.test");
        browser.write("#records", "v=spf1 ip4:192.0.2.0/24 ~all");
        browser.click("main form button");
        wait::until("what breaks", || text().contains("2 messages would break").then_some(()));
        assert!(text().contains("Tomorrow"), "{}", text());
        assert_eq!(browser.run(LOOK_OVER), serde_json::json!([]), "{look:?}");
        browser.write("#traffic", "192.0.2.7 8200\n127.0.0.1 1350\n2001:db8::7 40");
        browser.click("main form button");
        wait::until("the named senders", || text().contains("2001:db8::7").then_some(()));
        assert_eq!(browser.run(LOOK_OVER), serde_json::json!([]), "{look:?}");
        // What comes of it is where one looks, and hostile text and numbers do no harm.
        assert_eq!(browser.run("return location.hash"), "#outcome");
        let top = "return document.querySelector('#outcome').getBoundingClientRect().top";
        wait::until("the outcome in view", || {
            let top = browser.run(top).as_f64()?;
            (0.0..400.0).contains(&top).then_some(())
        });
        browser.write("#records", "v=spf1 <script>alert(4)</script> \u{202e}a -all");
        browser.write("#traffic", "192.0.2.7 18446744073709551615\n127.0.0.1 1");
        browser.click("main form button");
        wait::until("the fault", || text().contains("\\\\u{202e}").then_some(()));
        assert!(text().contains("To mend it"), "{}", text());
        assert_eq!(browser.run(LOOK_OVER), serde_json::json!([]), "{look:?}");
        assert_eq!(browser.complaints(), [""; 0]);
    }
}

#[test]
fn a_password_opens_the_console() {
    signs_in_and_out(&World::start(Closed::ByPassword));
}

#[test]
fn a_password_opens_the_console_by_tls() {
    signs_in_and_out(&World::start(Closed::ByPasswordAndTls));
}

fn signs_in_and_out(world: &World) {
    let console = world.console();
    let browser = Browser::start();
    for look in Look::ALL {
        browser.look(look);
        browser.go(&format!("{console}/cases"));
        wait_for_page(&browser, "/login");
        assert_eq!(browser.run(LOOK_OVER), serde_json::json!([]), "{look:?}");
        browser.write("#password", "open sesame");
        browser.click("main form button");
        wait_for_page(&browser, "/");
        assert_eq!(browser.run("return document.cookie"), "", "no script sees the session");
        assert_eq!(browser.run(LOOK_OVER), serde_json::json!([]), "{look:?}");
        browser.click(".leave button");
        wait_for_page(&browser, "/login");
    }
    browser.write("#password", "wrong");
    browser.click("main form button");
    let text = || browser.run("return document.querySelector('main').innerText").to_string();
    wait::until("the refusal", || text().contains("This is not the password").then_some(()));
    assert_eq!(browser.run(LOOK_OVER), serde_json::json!([]));
}

/// A form is sent when it is clicked; the next page comes when the server has answered.
fn wait_for_page(browser: &Browser, path: &str) {
    let is_there = || browser.run("return document.readyState + location.pathname");
    wait::until(path, || (is_there() == format!("complete{path}")).then_some(()));
}

#[test]
fn promtool_takes_the_metrics() {
    let world = World::start(Closed::Not);
    send_mail(&world.serve);
    wait_for_cases(&world.serve, 7);
    let answer = fetch(world.serve.address("console"), "/metrics");
    let (_, metrics) = answer.split_once("\r\n\r\n").expect("a head and a body");
    web::are_taken_by_promtool(metrics);
}
