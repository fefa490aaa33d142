//! Chromium through ChromeDriver, by the few commands of WebDriver that the tests need.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peer::{self, Peer};
use crate::wait;

/// What keeps Chromium from asking the world, and lets it run as root.
const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
];

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A desktop by day.
    Light,
    /// A desktop by night.
    Dark,
    /// A phone.
    Narrow,
}

/// A browser with one window; it ends with this value.
pub struct Browser {
    driver: Peer,
    session: String,
    _profile: TempDir,
}

impl Look {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::Narrow];

    fn width(self) -> u32 {
        if self == Self::Narrow { 360 } else { 1280 }
    }
}

impl Browser {
    /// Starts ChromeDriver and a browser with a profile of its own.
    ///
    /// # Panics
    /// When one of them does not start.
    pub fn start() -> Self {
        let prepare = |_: &Path, address: SocketAddr| {
            vec!["chromedriver".to_owned(), format!("--port={}", address.port())]
        };
        let is_ready = |address: SocketAddr| peer::accepts(on_loopback(address));
        let driver = Peer::start("chromium", prepare, is_ready);
        let profile = peer::open_folder();
        let own = format!("--user-data-dir={}", profile.path().display());
        let arguments: Vec<&str> = ARGUMENTS.iter().copied().chain([own.as_str()]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            // The certificates of tests are their own.
            "acceptInsecureCerts": true,
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": arguments },
        }}});
        let mut browser = Self { driver, session: String::new(), _profile: profile };
        let begun = browser.call("POST", "/session", &wanted);
        browser.session = begun["sessionId"].as_str().expect("a session has an id").to_owned();
        browser
    }

    /// Looks at pages like this from now on.
    pub fn look(&self, look: Look) {
        let scheme = if look == Look::Dark { "dark" } else { "light" };
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
        let metrics = json!({ "width": look.width(), "height": 800, "deviceScaleFactor": 1,
            "mobile": look == Look::Narrow });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Goes to a page and waits until it is there.
    pub fn go(&self, url: &str) {
        self.in_session("POST", "/url", &json!({ "url": url }));
    }

    /// What a function body gives on the page.
    pub fn run(&self, body: &str) -> Value {
        self.in_session("POST", "/execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// Clicks on what a selector finds.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.in_session("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Types into what a selector finds, in place of what stood there.
    pub fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.in_session("POST", &format!("/element/{element}/clear"), &json!({}));
        self.in_session("POST", &format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// What the console of the browser said since the last time, save recommendations.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.in_session("POST", "/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().cloned().unwrap_or_default();
        let loud = entries.iter().filter(|entry| entry["level"] != "DEBUG");
        loud.map(|entry| entry["message"].to_string()).collect()
    }

    fn element(&self, selector: &str) -> String {
        let by = json!({ "using": "css selector", "value": selector });
        let found = self.in_session("POST", "/element", &by);
        let ids = found.as_object().and_then(|found| found.values().next()?.as_str());
        ids.expect("an element has an id").to_owned()
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.in_session("POST", "/goog/cdp/execute", &body);
    }

    fn in_session(&self, method: &str, path: &str, body: &Value) -> Value {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    /// # Panics
    /// When the driver answers with an error.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (head, answer) = exchange(on_loopback(self.driver.address), method, path, body);
        let mut answer: Value = serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("{path}: {error}: {head}{answer}"));
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path} {body}: {answer}");
        answer["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser; should it be gone, so is the browser's namespace.
        if !self.session.is_empty() && !std::thread::panicking() {
            self.in_session("DELETE", "", &json!({}));
        }
    }
}

/// ChromeDriver listens on 127.0.0.1 alone.
fn on_loopback(address: SocketAddr) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, address.port()).into()
}

/// One request of HTTP/1.1 and its answer: head and body.
fn exchange(server: SocketAddr, method: &str, path: &str, body: &Value) -> (String, String) {
    let body = body.to_string();
    let mut stream = TcpStream::connect(server).expect("the driver listens");
    stream.set_read_timeout(Some(wait::DEADLINE)).expect("a time is given");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).expect("the driver reads");
    let mut answer = Vec::new();
    let mut part = [0; 8192];
    loop {
        let count = stream.read(&mut part).expect("the driver answers");
        answer.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&answer);
        let (head, rest) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().ok()).flatten()
        });
        if count == 0 || length.is_some_and(|length| rest.len() >= length) {
            return (head.to_owned(), rest.to_owned());
        }
    }
}
