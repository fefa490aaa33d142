//! Other programs that rewrite addresses: PostSRSd, Mail::SRS and Exim; and addresses for them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use crate::peer::{self, Peer};
use crate::wait;

/// The secret that all share.
pub const SECRET: &str = "tops3cr3t-and-long";

/// The domain of rewritten addresses.
pub const DOMAIN: &str = "fwd.example.net";

/// Mail::SRS at the day that its first argument names, for lines `forward ADDR` and `reverse ADDR`;
/// it prints an empty line for what it refuses.
const PERL: &str = r#"
BEGIN { my $now = shift @ARGV; *CORE::GLOBAL::time = sub { $now } }
use Mail::SRS;
my ($secret, $domain) = @ARGV;
my $srs = Mail::SRS->new(Secret => [$secret], Separator => '=');
$SIG{__WARN__} = sub { };
while (my $line = <STDIN>) {
    chomp $line;
    my ($verb, $address) = split / /, $line, 2;
    my $said = eval {
        $verb eq 'forward' ? $srs->forward($address, $domain) : $srs->reverse($address)
    };
    print defined $said ? $said : '', "\n";
}
"#;

/// Starts PostSRSd; it listens on its address for senders, and on the port given back for
/// recipients.
pub fn postsrsd() -> (Peer, SocketAddr) {
    let prepare = |folder: &Path, address: SocketAddr| {
        fs::write(folder.join("secret"), format!("{SECRET}\n")).expect("the folder is ours");
        let reverse = reverse_port(address).port();
        let secret = format!("-s{}", folder.join("secret").display());
        let (listen, forward) = (format!("-l{}", address.ip()), format!("-f{}", address.port()));
        let domain = format!("-d{DOMAIN}");
        let reverse = format!("-r{reverse}");
        ["postsrsd", &secret, &domain, &listen, &forward, &reverse, "-4"]
            .map(str::to_owned)
            .to_vec()
    };
    let is_ready = |address| peer::accepts(address) && peer::accepts(reverse_port(address));
    let peer = Peer::start("postsrsd", prepare, is_ready);
    let reverse = reverse_port(peer.address);
    (peer, reverse)
}

fn reverse_port(address: SocketAddr) -> SocketAddr {
    let port = if address.port() < u16::MAX { address.port() + 1 } else { address.port() - 1 };
    (address.ip(), port).into()
}

/// What a tcp_table answers to these keys, all of which are asked ahead.
///
/// # Panics
/// When an answer is missing.
pub fn ask(table: SocketAddr, keys: &[String]) -> Vec<String> {
    let stream = TcpStream::connect(table).expect("the table listens");
    stream.set_read_timeout(Some(wait::DEADLINE)).expect("a time is given");
    let mut writer = stream.try_clone().expect("the stream has two ends");
    let questions: String = keys.iter().map(|key| format!("get {}\n", encoded(key))).collect();
    let asking = thread::spawn(move || writer.write_all(questions.as_bytes()));
    let answers = BufReader::new(stream).lines().take(keys.len());
    let answers: Vec<String> =
        answers.map(|answer| decoded(&answer.expect("an answer comes"))).collect();
    asking.join().expect("no panic").expect("the table reads");
    assert_eq!(answers.len(), keys.len(), "answers of {table}");
    answers
}

/// What Mail::SRS says to these lines, with the empty text for what it refuses.
///
/// # Panics
/// When it does not run.
pub fn mail_srs(now: u64, lines: &[String]) -> Vec<String> {
    let words = ["perl", "-e", PERL, &now.to_string(), SECRET, DOMAIN];
    answers("mail-srs", &words, lines)
}

/// What Exim expands these to, in its order.
///
/// # Panics
/// When it does not run.
pub fn exim(expressions: &[String]) -> Vec<String> {
    let folder = peer::open_folder();
    let file = folder.path().join("exim.conf");
    fs::write(&file, "primary_hostname = x.example\n").expect("the folder is ours");
    let file = file.display().to_string();
    let mut said = answers("exim", &["exim4", "-C", &file, "-be"], expressions);
    // It prompts for each, and once more.
    let prompt = |line: &mut String| *line = line.trim_start_matches("> ").to_owned();
    said.iter_mut().for_each(prompt);
    said.truncate(expressions.len());
    said
}

fn answers(name: &str, words: &[&str], lines: &[String]) -> Vec<String> {
    let mut command = peer::command(name, words);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("unshare starts");
    let mut input = child.stdin.take().expect("the input is piped");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let writing = thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writing.join().expect("no panic").expect("it reads");
    let said: Vec<String> =
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert!(said.len() >= lines.len(), "{name} said {} lines to {}", said.len(), lines.len());
    said
}

/// So many senders, always the same: plain ones, and ones with everything that an address may hold
/// without quotes, some rewritten already.
pub fn senders(count: usize) -> Vec<String> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    (0..count).map(|number| dice.sender(number)).collect()
}

struct Dice(u64);

impl Dice {
    /// One of so many, by an xorshift generator.
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn word(&mut self, octets: &[u8], longest: usize) -> String {
        let length = self.throw(longest) + 1;
        (0..length).map(|_| char::from(octets[self.throw(octets.len())])).collect()
    }

    fn sender(&mut self, number: usize) -> String {
        let plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let all = b"abcXYZ0189!#$&'*+-/=?^_`{|}~";
        let domain =
            format!("{}.{}.example", self.word(b"abcdef-xyz019", 12), self.word(b"abc", 3));
        let domain = domain.replace("-.", "x.").trim_start_matches('-').to_owned();
        let local = match self.throw(8) {
            0..4 => self.word(plain, 20),
            4 | 5 => self.word(all, 24),
            6 => {
                let mark = ["=", "+", "-"][self.throw(3)];
                let tag = ["SRS0", "srs0"][self.throw(2)];
                format!("{tag}{mark}{}=JP=a.example={}", self.word(plain, 4), self.word(all, 8))
            }
            _ => {
                let mark = ["=", "+", "-"][self.throw(3)];
                format!("SRS1={}=b.example={mark}{}=c", self.word(plain, 4), self.word(plain, 8))
            }
        };
        format!("{local}.{number}@{domain}")
    }
}

fn encoded(key: &str) -> String {
    key.replace('%', "%25").replace(' ', "%20")
}

fn decoded(answer: &str) -> String {
    answer.replace("%20", " ").replace("%25", "%")
}
