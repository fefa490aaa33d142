//! The program itself, as its user runs it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use tempfile::TempDir;

use crate::{peer, wait};

/// Names a program to test instead of the workspace's own.
pub const PROGRAM: &str = "QUIVIVE_PROGRAM";

/// Makes a disk of `$1` octets in the folder `disk` and becomes the rest of the arguments.
const SMALL_DISK: &str = r#"
size=$1; shift
mount -t tmpfs -o "size=$size" quivive disk && TMPDIR=$PWD/disk exec "$@"
"#;

/// The path of the program, which is built first where it is not given: with optimisation if we
/// are.
///
/// # Panics
/// When it cannot be built.
pub fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(given) = std::env::var_os(PROGRAM) {
            return given.into();
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build = ["build", "--package", "quivive", "--message-format", "json"];
        let mut command = Command::new(cargo);
        command.args(build).current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let output = command.stdin(Stdio::null()).output().expect("cargo starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "quivive does not build:\n{errors}");
        let messages = String::from_utf8_lossy(&output.stdout);
        executable(&messages).expect("cargo says where the program is")
    })
}

/// The path in cargo's message about the program, which ends with `"executable":"PATH"}`.
fn executable(messages: &str) -> Option<PathBuf> {
    let after = |line: &str| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        Some(PathBuf::from(rest.split('"').next()?))
    };
    messages.lines().rev().find_map(after)
}

/// A configuration with one gateway for `example.test`, which believes XCLIENT from loopback,
/// refuses SPF fail and defers SPF temperror. `listener` has further lines for the gateway.
pub fn gateway(name_server: SocketAddr, next_hop: &str, listener: &str) -> String {
    let listener = format!(
        r#"
[[listen]]
door = "gateway"
address = "127.0.0.1:0"
recipient_domains = ["example.test"]
next_hop = "{next_hop}"
xclient_from = ["127.0.0.0/8"]
{listener}
"#
    );
    doors(name_server, &listener)
}

/// A configuration that refuses SPF fail and defers SPF temperror. `tables` has the listeners and
/// whatever else it is to have.
pub fn doors(name_server: SocketAddr, tables: &str) -> String {
    format!(
        r#"
hostname = "mx.example.test"
[resolver]
servers = ["{name_server}"]
[store]
path = ""
[methods]
spf = "enforce"
[actions.spf.mailfrom]
fail = "reject"
temperror = "defer"
{tables}
"#
    )
}

/// A running `quivive serve`; it is killed when this is dropped.
pub struct Serve {
    child: Child,
    folder: TempDir,
    /// Doors with their addresses, in the order of the configuration.
    listeners: Vec<(String, String)>,
    output: Receiver<String>,
}

impl Serve {
    /// Starts the daemon with this configuration, in a folder of its own, and waits for `ready`.
    ///
    /// # Panics
    /// When it does not become ready, with its log.
    pub fn start(configuration: &str) -> Self {
        Self::start_by(&[], configuration)
    }

    /// As [`Serve::start`], with a disk of so many octets at `disk` below its folder, which is also
    /// where it finds room for temporary files. Only the daemon sees it: [`Serve::disk`] leads
    /// there.
    pub fn start_on_small_disk(octets: usize, configuration: &str) -> Self {
        let size = octets.to_string();
        Self::start_by(&["unshare", "--mount", "sh", "-c", SMALL_DISK, "sh", &size], configuration)
    }

    /// Starts the daemon by a program that becomes it, in its folder.
    fn start_by(words: &[&str], configuration: &str) -> Self {
        let folder = peer::open_folder();
        fs::write(folder.path().join("quivive.toml"), configuration).expect("the folder is ours");
        fs::create_dir(folder.path().join("disk")).expect("the folder is new");
        let (child, output) = spawn(words, folder.path());
        let mut serve = Self { child, folder, listeners: Vec::new(), output };
        serve.wait_for_ready();
        serve
    }

    /// Ends the daemon as an operator does, and starts it again, with the configuration as it is
    /// now. Its log goes on.
    ///
    /// # Panics
    /// When it does not end well, or does not become ready.
    pub fn restart(&mut self) {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.log());
        self.start_again();
    }

    /// Starts the daemon again after its end, however that came.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn start_again(&mut self) {
        (self.child, self.output) = spawn(&[], self.folder.path());
        self.listeners.clear();
        self.wait_for_ready();
    }

    /// Takes the lines `listening DOOR ADDRESS` up to `ready`.
    fn wait_for_ready(&mut self) {
        while let Ok(line) = self.output.recv_timeout(wait::DEADLINE) {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["listening", door, address] => {
                    self.listeners.push((door.to_owned(), address.to_owned()));
                }
                ["ready"] => return,
                _ => panic!("unknown line of serve: {line}"),
            }
        }
        panic!("serve does not become ready:\n{}", self.log());
    }

    /// Where the first door of this name listens.
    ///
    /// # Panics
    /// When there is no such door, or when it listens on a UNIX socket.
    pub fn address(&self, door: &str) -> SocketAddr {
        self.listening(door).parse().expect("an address of the network")
    }

    /// Where all doors of this name listen, in the order of the configuration.
    ///
    /// # Panics
    /// When one of them listens on a UNIX socket.
    pub fn addresses(&self, door: &str) -> Vec<SocketAddr> {
        let of_door = self.listeners.iter().filter(|(name, _)| name == door);
        of_door.map(|(_, address)| address.parse().expect("an address of the network")).collect()
    }

    /// Where the first door of this name listens, in the words of the daemon.
    ///
    /// # Panics
    /// When there is no such door.
    pub fn listening(&self, door: &str) -> &str {
        let of_door = |(name, _): &&(String, String)| name == door;
        let (_, address) = self.listeners.iter().find(of_door).expect("there is such a door");
        address
    }

    /// The folder of the configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The disk of [`Serve::start_on_small_disk`], as the daemon sees it.
    pub fn disk(&self) -> PathBuf {
        let seen = format!("/proc/{}/root", self.child.id());
        Path::new(&seen).join(self.folder().strip_prefix("/").expect("it is absolute")).join("disk")
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Writes another configuration; it counts after [`Serve::signal`] with `HUP`.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn configure(&self, configuration: &str) {
        fs::write(self.folder.path().join("quivive.toml"), configuration)
            .expect("the folder is ours");
    }

    /// Sends a signal by its name: `TERM`, `HUP`, `KILL`.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{name} could not be sent");
    }

    /// Waits until the process has ended.
    pub fn wait(&mut self) -> ExitStatus {
        wait::until("the end of serve", || self.child.try_wait().expect("it is our child"))
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// The most memory that was resident so far, in KiB.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn peak_memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the process runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = peak.and_then(|rest| rest.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).expect("the kernel counts memory")
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The daemon in a folder, with what it prints.
fn spawn(words: &[&str], folder: &Path) -> (Child, Receiver<String>) {
    let log = fs::File::options().create(true).append(true).open(folder.join("log"));
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).args(words).arg(program());
    command.args(["serve", "--config"]).arg(folder.join("quivive.toml")).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.expect("the folder is ours"));
    let mut child = command.spawn().expect("the program starts");
    let output = lines(child.stdout.take().expect("the output is piped"));
    (child, output)
}

/// The lines of an output as they come; the thread ends with the output.
fn lines(output: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_the_program_is() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"/a/quivive\",\"fresh\":true}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/a/quivive")));
    }
}
