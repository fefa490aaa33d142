//! Other implementations as separate programs.

use std::io::{BufRead, BufReader, Error, Result, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::world::Case;

/// A program that judges cases.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// All peers that can be had, and why any is missing.
pub(crate) fn start() -> (Vec<Peer>, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let scripts = root.join("bench/peers/differential");
    let (mut peers, mut skipped) = (Vec::new(), Vec::new());
    let mut add = |name, command: std::result::Result<Command, String>| {
        let peer = command
            .and_then(|command| Peer::start(name, command).map_err(|error| error.to_string()));
        match peer {
            Ok(peer) => peers.push(peer),
            Err(reason) => skipped.push(format!("{name}: {reason}")),
        }
    };
    add(
        PYSPF,
        crate::spf::pyspf_packages(&root).map(|packages| {
            let mut command = Command::new("python3");
            command.arg(scripts.join("pyspf.py")).env("PYTHONPATH", packages);
            command
        }),
    );
    add(
        MAIL_SPF,
        mail_spf(&root).map(|folders| {
            let mut command = Command::new("perl");
            command.arg(scripts.join("mail_spf.pl")).env("PERL5LIB", folders);
            command
        }),
    );
    add(
        LIBSPF2,
        libspf2(&root).map(|library| {
            let mut command = Command::new("python3");
            command.arg(scripts.join("libspf2.py")).env("LIBSPF2", library);
            command
        }),
    );
    (peers, skipped)
}

pub(crate) const PYSPF: &str = "pyspf";
pub(crate) const MAIL_SPF: &str = "Mail::SPF";
pub(crate) const LIBSPF2: &str = "libspf2";

const NOT_UNPACKED: &str = "not unpacked: run `cargo xtask test` once, as root";

/// The folders of Mail::SPF's modules, which `cargo xtask differential` unpacks.
fn mail_spf(root: &Path) -> std::result::Result<String, String> {
    let tree = root.join("target/peers/mail-spf/usr");
    if !tree.join("share/perl5/Mail/SPF.pm").is_file() {
        return Err(NOT_UNPACKED.to_owned());
    }
    let compiled = folders_of(&tree.join("lib"))
        .into_iter()
        .flat_map(|folder| folders_of(&folder.join("perl5")));
    let all = std::iter::once(tree.join("share/perl5")).chain(compiled);
    Ok(all.map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(":"))
}

/// The library, which `cargo xtask differential` unpacks.
fn libspf2(root: &Path) -> std::result::Result<PathBuf, String> {
    let library = root.join("target/peers/libspf2/usr/lib/libspf2.so.2");
    if library.is_file() { Ok(library) } else { Err(NOT_UNPACKED.to_owned()) }
}

fn folders_of(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

impl Peer {
    fn start(name: &'static str, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("the output is piped"));
        Ok(Self { name, child, input, output })
    }

    /// A result a case, in order.
    pub(crate) fn judge(&mut self, cases: &[Case]) -> Result<Vec<String>> {
        let input = self.input.as_mut().expect("taken when dropped only");
        let mut results = Vec::new();
        for case in cases {
            input.write_all(case.lines().as_bytes())?;
            input.flush()?;
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                return Err(Error::other(format!("{} has ended", self.name)));
            }
            results.push(line.trim_end().to_owned());
        }
        Ok(results)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
