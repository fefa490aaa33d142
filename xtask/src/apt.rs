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

struct Plan {
    installed: Vec<String>,
    removed: Vec<String>,
}

fn simulate(packages: &[&str]) -> Result<Plan> {
    let arguments = ["--simulate", "install", "--no-install-recommends"];
    let said = output(apt_get(&arguments).args(packages))?;
    let named = |verb: &str| {
        let rest = said.lines().filter_map(|line| line.strip_prefix(verb));
        rest.filter_map(|rest| rest.split_whitespace().next()).map(str::to_owned).collect()
    };
    Ok(Plan { installed: named("Inst "), removed: named("Remv ") })
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
