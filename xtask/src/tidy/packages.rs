//! What the workspace may depend on: licences, bans, one version of each crate.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use super::licences::is_allowed;
use super::metadata::PLATFORM;
use crate::Result;
use crate::program::{cargo, output};

/// Crates that must not be linked, with the reason. A closing `*` stands for any rest.
const BANNED: &[(&str, &str)] = &[
    ("openssl", "one TLS stack: rustls"),
    ("openssl-sys", "one TLS stack: rustls"),
    ("native-tls", "one TLS stack: rustls"),
    ("ring", "one provider of cryptography: aws-lc-rs"),
    ("async-std", "one runtime: tokio"),
    ("viaspf", "GPL"),
    ("spftrace", "GPL"),
    ("spf-milter", "GPL"),
    ("indymilter*", "GPL"),
    ("milter", "GPL"),
    ("viadkim", "GPL"),
    ("dkim-milter", "GPL"),
    ("sieve-rs", "AGPL"),
];

/// Packages whose licence is not on the list, with the reason why that is right.
const LICENCE_EXCEPTIONS: &[(&str, &str)] = &[];

/// Crates that come in several versions, with the reason why that cannot be helped.
const DUPLICATES: &[(&str, &str)] = &[
    ("base64", "sqlx has not moved to 0.23 yet"),
    ("block-buffer", "below sha2"),
    ("cpufeatures", "below sha2"),
    ("crypto-common", "below sha2"),
    ("digest", "below sha2"),
    ("hashbrown", "below hashlink in sqlx"),
    ("sha2", "sqlx has not moved to 0.11 yet"),
    ("syn", "reads code at build time; macros of hickory and serde moved to 3, others have not"),
    ("synstructure", "macros at build time; those of rustls's certificates and of zerovec differ"),
    ("unicode-width", "miette has not moved to 0.2 yet"),
];

/// What a build of the workspace takes on 64-bit Linux, tests included, as `cargo tree` sees it:
/// unlike `cargo metadata` it leaves out what no feature switches on.
struct Taken {
    name: String,
    version: String,
    licence: String,
}

pub(super) fn check(report: &mut Report) -> Result {
    let taken = taken()?;
    licences(&taken, report);
    bans(&taken, report);
    duplicates(&taken, report);
    Ok(())
}

fn taken() -> Result<Vec<Taken>> {
    let arguments = ["tree", "--workspace", "--edges", "normal,build,dev", "--prefix", "none"];
    let platform = ["--target", PLATFORM, "--format", "{p}\t{l}"];
    let tree = output(cargo(&arguments).args(platform))?;
    let lines: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let read = |line: &str| {
        // `syn v2.0.119 (proc-macro)`, a tab, `MIT OR Apache-2.0`
        let (package, licence) = line.split_once('\t')?;
        let mut words = package.split(' ');
        let name = words.next()?.to_owned();
        let version = words.next()?.strip_prefix('v')?.to_owned();
        Some(Taken { name, version, licence: licence.to_owned() })
    };
    lines
        .into_iter()
        .filter(|line| !line.is_empty())
        .map(|line| {
            read(line).ok_or_else(|| format!("cargo tree has an unknown form: {line}").into())
        })
        .collect()
}

fn licences(taken: &[Taken], report: &mut Report) {
    for package in taken {
        let excepted = LICENCE_EXCEPTIONS.iter().any(|(name, _)| *name == package.name);
        if !excepted && !is_allowed(&package.licence) {
            let Taken { name, licence, .. } = package;
            report.problem(format!("{name}: licence {licence:?} is not on the list"));
        }
    }
}

fn bans(taken: &[Taken], report: &mut Report) {
    for package in taken {
        let banned = BANNED.iter().find(|(name, _)| match name.strip_suffix('*') {
            Some(start) => package.name.starts_with(start),
            None => package.name == *name,
        });
        if let Some((_, reason)) = banned {
            report.problem(format!("{} is banned: {reason}", package.name));
        }
    }
}

fn duplicates(taken: &[Taken], report: &mut Report) {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in taken {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let is_known = |name: &str| DUPLICATES.iter().any(|(known, _)| *known == name);
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        if !is_known(name) {
            report.problem(format!("{name} comes in several versions: {versions:?}"));
        }
    }
    for (name, _) in DUPLICATES {
        if versions.get(name).is_none_or(|versions| versions.len() == 1) {
            report.warning(format!("{name} comes in one version now: take it off xtask's list"));
        }
    }
}
