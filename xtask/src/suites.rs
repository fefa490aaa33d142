//! Conformance suites that tests read and the project does not carry: fetched from package
//! registries by their ordinary clients.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{is_installed, program, run};
use crate::{Result, apt, root};

const SPF_SUITE: &str = "rfc7208-tests.yml";
const SPF_PACKAGE: &str = "pyspf";
const SPF_VERSION: &str = "2.0.14";
const SPF_SHA256: &str = "57a7ef01bda090173aafb6af0106251686ed73f03db4e911fcd34c57fc347186";

/// The folder of suites, in which `spf` holds the OpenSPF suite for RFC 7208: beside the workspace,
/// or in `target`, where it is fetched first if need be.
pub(crate) fn fetch() -> Result<PathBuf> {
    let beside = root().join("../shared/suites");
    if beside.join("spf").join(SPF_SUITE).is_file() {
        return Ok(beside);
    }
    let suites = root().join("target/suites");
    let folder = suites.join("spf");
    if folder.join(SPF_SUITE).is_file() {
        return Ok(suites);
    }
    fs::create_dir_all(&folder)?;
    let work = folder.join("download");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir(&work)?;
    download_source(&work)?;
    unpack_suite(&work, &folder)?;
    fs::remove_dir_all(&work)?;
    Ok(suites)
}

/// Lets pip fetch the source archive, with the digest that it must have.
fn download_source(work: &Path) -> Result {
    let wanted = format!("{SPF_PACKAGE}=={SPF_VERSION} --hash=sha256:{SPF_SHA256}\n");
    fs::write(work.join("wanted.txt"), wanted)?;
    let arguments = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"];
    let attempt =
        || run(program("python3", &arguments, work).args(["--dest", ".", "-r", "wanted.txt"]));
    if !has_pip() {
        apt::install(&["python3-pip"])?;
    }
    attempt().or_else(|error| {
        eprintln!("{error}: once more");
        attempt()
    })
}

fn has_pip() -> bool {
    let version = || Command::new("python3").args(["-m", "pip", "--version"]).output();
    is_installed("python3") && version().is_ok_and(|output| output.status.success())
}

fn unpack_suite(work: &Path, folder: &Path) -> Result {
    let source = format!("{SPF_PACKAGE}-{SPF_VERSION}");
    let inside = format!("{source}/test/{SPF_SUITE}");
    let archive = format!("{source}.tar.gz");
    run(&mut program("tar", &["-xzf", &archive, &inside], work))?;
    // Renamed last: what is there is whole.
    fs::rename(work.join(inside), folder.join(SPF_SUITE))?;
    Ok(())
}
