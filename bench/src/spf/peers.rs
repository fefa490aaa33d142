//! Other implementations, built and fetched outside the workspace, so that nothing of theirs enters
//! ours.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::root;

pub(crate) const PYSPF: &str = "pyspf 2.0.14";
pub(crate) const LIBSPF2: &str = "libspf2 1.2.10";

/// The packages of pyspf, by their exact versions.
const PYSPF_PACKAGES: &[&str] = &["pyspf==2.0.14", "dnspython==2.9.2"];

/// A library of the same language, built from a folder of `bench` with a lock file of its own.
pub(crate) struct Library {
    pub(crate) name: &'static str,
    folder: &'static str,
    program: &'static str,
}

/// The yardstick first.
pub(crate) const LIBRARIES: [Library; 2] = [
    Library { name: "mail-auth 0.15.1", folder: "peers", program: "quivive-bench-peers" },
    Library { name: "viaspf 0.6.0", folder: "peers/viaspf", program: "quivive-bench-viaspf" },
];

impl Library {
    /// Builds it: a program that measures itself.
    pub(crate) fn command(&self, folder: &Path) -> Result<Command, String> {
        let target = root().join("target/bench-peers");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        // Some want a newer compiler than ours, and do without.
        build.args(["build", "--release", "--locked", "--quiet", "--ignore-rust-version"]);
        build.arg("--manifest-path");
        build.arg(root().join("bench").join(self.folder).join("Cargo.toml"));
        run(build.arg("--target-dir").arg(&target))?;
        let mut command = Command::new(target.join("release").join(self.program));
        command.arg(folder);
        Ok(command)
    }
}

/// libspf2 as a measured program, built against the library that `cargo xtask bench` unpacks.
pub(crate) fn libspf2(folder: &Path) -> Result<Command, String> {
    let libraries = root().join("target/peers/libspf2/usr/lib");
    let libraries = libraries
        .canonicalize()
        .map_err(|_| "not unpacked: `cargo xtask bench` does it, as root".to_owned())?;
    let target = root().join("target/bench-peers");
    std::fs::create_dir_all(&target).map_err(|error| error.to_string())?;
    let program = target.join("libspf2");
    let mut build = Command::new("cc");
    build.args(["-O2", "-o"]).arg(&program).arg(root().join("bench/peers/libspf2.c"));
    build.arg(libraries.join("libspf2.so.2"));
    run(build.arg(format!("-Wl,-rpath,{}", libraries.display())))?;
    let mut command = Command::new(program);
    command.arg(folder);
    Ok(command)
}

/// pyspf as a measured program.
pub(crate) fn pyspf(folder: &Path) -> Result<Command, String> {
    let packages = pyspf_packages(&root())?;
    let mut command = Command::new("python3");
    command.arg(root().join("bench/peers/pyspf.py")).arg(folder).env("PYTHONPATH", packages);
    Ok(command)
}

/// The folder of pyspf, fetched by pip into `target/peers`.
pub(crate) fn pyspf_packages(root: &Path) -> Result<PathBuf, String> {
    let packages = root.join("target/peers/pyspf");
    if !packages.join("spf.py").is_file() {
        let mut fetch = Command::new("python3");
        fetch
            .args(["-m", "pip", "install", "--quiet", "--target"])
            .arg(&packages)
            .args(PYSPF_PACKAGES);
        run(&mut fetch)?;
    }
    Ok(packages)
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}: {status}")),
        Err(error) => Err(format!("cannot start {name}: {error}")),
    }
}
