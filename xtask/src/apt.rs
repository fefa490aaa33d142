//! Debian packages: installed where that is harmless, else unpacked into a folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::program::{is_root, output, program, run};

/// Installs packages that bring no service and displace nothing.
///
/// # Errors
/// Without root, or where an installed package would have to go.
pub(crate) fn install(packages: &[&str]) -> Result {
    if !is_root() {
        return Err(format!("missing: {}. Install as root.", packages.join(" ")).into());
    }
    with_fresh_lists(|| {
        let plan = simulate(packages)?;
        if let Some(removed) = plan.removed.first() {
            return Err(format!("{packages:?} would remove {removed}: install by hand").into());
        }
        let arguments = ["install", "--yes", "--no-install-recommends"];
        run(apt_get(&arguments).args(packages))
    })
}

/// Unpacks packages and those of their dependencies that are not installed into `folder`, in the
/// layout of a merged `/usr`. The machine itself is left as it is: no service, no mail server.
pub(crate) fn unpack(packages: &[&str], folder: &Path) -> Result {
    let archives = folder.join("archives");
    let tree = folder.join("tree");
    with_fresh_lists(|| {
        for made in [&archives, &tree] {
            if made.exists() {
                fs::remove_dir_all(made)?;
            }
            fs::create_dir_all(made)?;
        }
        let plan = simulate(packages)?;
        if plan.installed.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = plan.installed.iter().map(String::as_str).collect();
        run(apt_get(&["download", "--quiet"]).args(names).current_dir(&archives))
    })?;
    for entry in fs::read_dir(&archives)? {
        let archive = entry?.path();
        run(Command::new("dpkg").arg("-x").arg(archive).arg(&tree))?;
    }
    merge_usr(&tree)?;
    fs::remove_dir_all(&archives)?;
    Ok(())
}

/// What apt-get would do.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    installed: Vec<String>,
    removed: Vec<String>,
}

fn simulate(packages: &[&str]) -> Result<Plan> {
    let arguments = ["--simulate", "install", "--no-install-recommends"];
    Ok(Plan::read(&output(apt_get(&arguments).args(packages))?))
}

impl Plan {
    /// Reads lines like `Inst nsd (4.6.1-1 Debian:12 [amd64])`.
    fn read(said: &str) -> Self {
        let named = |verb: &str| {
            let rest = said.lines().filter_map(|line| line.strip_prefix(verb));
            rest.filter_map(|rest| rest.split_whitespace().next()).map(str::to_owned).collect()
        };
        Self { installed: named("Inst "), removed: named("Remv ") }
    }
}

/// A second attempt with fresh lists: they may be missing, or name archives that are gone.
fn with_fresh_lists(attempt: impl Fn() -> Result) -> Result {
    attempt().or_else(|error| {
        eprintln!("{error}: once more with fresh package lists");
        run(&mut apt_get(&["update"]))?;
        attempt()
    })
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = program("apt-get", arguments, Path::new("/"));
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
    command
}

/// Many packages still bring `/bin` and `/lib`; an overlay over `/usr` needs their files there.
fn merge_usr(tree: &Path) -> Result {
    for name in ["bin", "sbin", "lib", "lib64"] {
        let (from, to) = (tree.join(name), tree.join("usr").join(name));
        if from.is_dir() {
            fs::create_dir_all(&to)?;
            run(Command::new("cp").arg("--archive").arg(from.join(".")).arg(&to))?;
            fs::remove_dir_all(&from)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_what_comes_and_goes() {
        let said = "Reading package lists...\nRemv exim4 [4.96]\n\
            Inst libnsl2 [1.3.0-1] (1.3.0-2 Debian:12 [amd64])\nInst postfix (3.7.11 [amd64])\n\
            Conf postfix (3.7.11 [amd64])\n";
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let expected =
            Plan { installed: names(&["libnsl2", "postfix"]), removed: names(&["exim4"]) };
        assert_eq!(Plan::read(said), expected);
    }
}
