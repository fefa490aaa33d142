//! Other implementations, built and fetched outside the workspace, so that nothing of theirs enters
//! ours.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The packages of pyspf, by their exact versions.
const PYSPF: &[&str] = &["pyspf==2.0.14", "dnspython==2.9.2"];

/// mail-auth, built from `bench/peers`.
pub(crate) fn mail_auth(root: &Path, folder: &Path) -> Result<Command, String> {
    let target = root.join("target/bench-peers");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked", "--quiet", "--manifest-path"]);
    build.arg(root.join("bench/peers/Cargo.toml")).arg("--target-dir").arg(&target);
    run(&mut build)?;
    let mut command = Command::new(target.join("release/quivive-bench-peers"));
    command.arg(folder);
    Ok(command)
}

/// pyspf as a measured program.
pub(crate) fn pyspf(root: &Path, folder: &Path) -> Result<Command, String> {
    let packages = pyspf_packages(root)?;
    let mut command = Command::new("python3");
    command.arg(root.join("bench/peers/pyspf.py")).arg(folder).env("PYTHONPATH", packages);
    Ok(command)
}

/// The folder of pyspf, fetched by pip into `target/peers`.
pub(crate) fn pyspf_packages(root: &Path) -> Result<PathBuf, String> {
    let packages = root.join("target/peers/pyspf");
    if !packages.join("spf.py").is_file() {
        let mut fetch = Command::new("python3");
        fetch.args(["-m", "pip", "install", "--quiet", "--target"]).arg(&packages).args(PYSPF);
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
