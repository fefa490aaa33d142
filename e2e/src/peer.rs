//! A real server from Debian's packages, unpacked and never installed.
//!
//! It runs in a mount namespace in which its own `/usr` and `/etc` lie over the machine's, so that
//! compiled-in paths hold, and as the first process of a process namespace, so that all it starts
//! ends with it.

use std::fs::{self, File, Permissions};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::wait;

/// The account number given to the first account of a peer, which owns what it writes.
pub const OWNER: u32 = 61_000;

/// How often a start is tried: the port may be taken between its choice and its use.
const STARTS_MAX: usize = 3;

/// Names a file that peers are to find as `/etc/resolv.conf` instead of the machine's own.
pub const RESOLV_CONF: &str = "QUIVIVE_RESOLV_CONF";

/// Lays the tree `$1` over the machine and becomes the rest of the arguments.
const ENTER: &str = r#"
tree=$1; shift
for folder in usr etc; do
    mount -t overlay overlay -o "lowerdir=$tree/$folder:/$folder" "/$folder" || exit 97
done
if [ -n "$QUIVIVE_RESOLV_CONF" ]; then
    mount --bind "$QUIVIVE_RESOLV_CONF" /etc/resolv.conf || exit 97
fi
exec "$@"
"#;

/// A running server; it is killed when this is dropped, or when the thread that started it ends.
pub struct Peer {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl Peer {
    /// Starts a peer: `prepare` writes its configuration into a folder and gives its command line,
    /// `is_ready` says whether it answers.
    ///
    /// # Panics
    /// When it does not start, with its log.
    pub fn start(
        name: &str,
        prepare: impl Fn(&Path, SocketAddr) -> Vec<String>,
        is_ready: impl Fn(SocketAddr) -> bool,
    ) -> Self {
        Self::start_on(free_address, name, prepare, is_ready)
    }

    /// As [`Peer::start`], at this address.
    ///
    /// # Panics
    /// When the address is not free, too.
    pub fn start_at(
        address: SocketAddr,
        name: &str,
        prepare: impl Fn(&Path, SocketAddr) -> Vec<String>,
        is_ready: impl Fn(SocketAddr) -> bool,
    ) -> Self {
        Self::start_on(|| address, name, prepare, is_ready)
    }

    fn start_on(
        choose_address: impl Fn() -> SocketAddr,
        name: &str,
        prepare: impl Fn(&Path, SocketAddr) -> Vec<String>,
        is_ready: impl Fn(SocketAddr) -> bool,
    ) -> Self {
        let mut log = String::new();
        for _ in 0..STARTS_MAX {
            let folder = open_folder();
            let address = choose_address();
            let words = prepare(folder.path(), address);
            let output = File::create(folder.path().join("log")).expect("the log can be made");
            let errors = output.try_clone().expect("the log can be written twice");
            let child = command(name, &words).stdout(output).stderr(errors).spawn();
            let mut peer = Self { address, child: child.expect("unshare starts"), folder };
            let ready = || {
                let ended = peer.child.try_wait().expect("it is our child").is_some();
                if ended { Some(false) } else { is_ready(address).then_some(true) }
            };
            if wait::within(wait::DEADLINE, ready) == Some(true) {
                return peer;
            }
            log = peer.log();
        }
        panic!("{name} does not start:\n{log}");
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process that stands for it; its own are below.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to its outputs so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Peer {
    /// Returns when all its processes are gone.
    fn drop(&mut self) {
        // The namespace ends with its first process, for whose end unshare waits.
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let first = children.ok().and_then(|ids| ids.split(' ').next().map(str::to_owned));
        let killed = first.is_some_and(|first| {
            Command::new("kill")
                .args(["-KILL", &first])
                .status()
                .is_ok_and(|status| status.success())
        });
        if !killed {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A command line run among the files of a peer; not started yet, without input.
///
/// # Panics
/// When the peer is not unpacked.
pub fn command<W: AsRef<str>>(name: &str, words: &[W]) -> Command {
    let tree = tree(name);
    assert!(tree.is_dir(), "{name} is not unpacked: run `cargo xtask test` once, as root");
    let mut command = Command::new("setpriv");
    // Servers lie where only root looks for programs.
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork"]);
    command.args(["--kill-child=KILL", "sh", "-c", ENTER, "sh"]).arg(tree);
    command.args(words.iter().map(AsRef::as_ref)).stdin(Stdio::null());
    command
}

/// A folder that accounts other than ours can enter.
pub fn open_folder() -> TempDir {
    let folder = TempDir::with_prefix("quivive-").expect("a temporary folder can be made");
    let permissions = Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), permissions).expect("the folder is ours");
    folder
}

/// A folder within `folder` that belongs to the peer's account.
pub fn owned_folder(folder: &Path, name: &str) -> PathBuf {
    let owned = folder.join(name);
    fs::create_dir(&owned).expect("the folder is new");
    std::os::unix::fs::chown(&owned, Some(OWNER), Some(OWNER)).expect("tests run as root");
    owned
}

/// Whether a peer can be started.
pub fn is_unpacked(name: &str) -> bool {
    tree(name).is_dir()
}

/// Whether a TCP connection is taken there.
pub fn accepts(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

fn tree(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers").join(name)
}

/// A port that was free a moment ago on a loopback address that nobody else uses: two tests that
/// choose at the same time never meet.
pub fn free_address() -> SocketAddr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let process = std::process::id().to_be_bytes();
    let count = COUNT.fetch_add(1, Ordering::Relaxed) % 254 + 1;
    // 127.0.0.0/16 is left to clients and to whatever else runs here.
    let address = Ipv4Addr::new(127, process[2].max(1), process[3], count as u8);
    let address = IpAddr::V4(address);
    for _ in 0..100 {
        let stream = TcpListener::bind((address, 0)).expect("loopback has a free port");
        let port = stream.local_addr().expect("it is bound").port();
        if UdpSocket::bind((address, port)).is_ok() {
            return (address, port).into();
        }
    }
    panic!("no port is free for both UDP and TCP");
}
