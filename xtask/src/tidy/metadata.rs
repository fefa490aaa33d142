//! The part of `cargo metadata` that the rules read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::Result;
use crate::program::{cargo, output};

/// The packages that a build of the workspace takes on 64-bit Linux, tests included.
pub(super) struct Metadata {
    pub(super) packages: BTreeMap<String, Package>,
}

/// A package, under cargo's id for it.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) name: String,
    /// The folder of its manifest.
    pub(super) folder: PathBuf,
    pub(super) is_member: bool,
    /// Ids of what it links when it is used, neither for its own tests nor for its build script.
    pub(super) normal_dependencies: BTreeSet<String>,
}

pub(super) const PLATFORM: &str = "x86_64-unknown-linux-gnu";

impl Metadata {
    /// Asks cargo.
    pub(super) fn load() -> Result<Self> {
        let arguments = ["metadata", "--format-version", "1", "--filter-platform", PLATFORM];
        let text = output(&mut cargo(&arguments))?;
        let value: Value = serde_json::from_str(&text)?;
        Self::read(&value).ok_or_else(|| "cargo metadata has an unknown form".into())
    }

    fn read(value: &Value) -> Option<Self> {
        let mut packages = BTreeMap::new();
        let members: BTreeSet<&str> =
            value["workspace_members"].as_array()?.iter().filter_map(Value::as_str).collect();
        for node in value["resolve"]["nodes"].as_array()? {
            let id = node["id"].as_str()?;
            let dependencies = node["deps"].as_array()?.iter().filter(|edge| is_normal(edge));
            let package = Package {
                is_member: members.contains(id),
                normal_dependencies: dependencies
                    .filter_map(|edge| edge["pkg"].as_str().map(str::to_owned))
                    .collect(),
                ..Package::default()
            };
            packages.insert(id.to_owned(), package);
        }
        for described in value["packages"].as_array()? {
            // Packages for other platforms are described, not resolved.
            let Some(package) = packages.get_mut(described["id"].as_str()?) else { continue };
            package.name = described["name"].as_str()?.to_owned();
            package.folder = PathBuf::from(described["manifest_path"].as_str()?);
            package.folder.pop();
        }
        Some(Self { packages })
    }

    /// The packages of the workspace.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.values().filter(|package| package.is_member)
    }

    /// The packages that this one links itself.
    pub(super) fn links<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = &'a Package> {
        package.normal_dependencies.iter().filter_map(|id| self.packages.get(id))
    }

    /// The packages that this one links, itself or through others.
    pub(super) fn closure<'a>(&'a self, package: &'a Package) -> Vec<&'a Package> {
        let mut seen = BTreeSet::new();
        let mut open = vec![package];
        let mut found = Vec::new();
        while let Some(package) = open.pop() {
            for id in &package.normal_dependencies {
                if let Some(linked) = self.packages.get(id).filter(|_| seen.insert(id)) {
                    found.push(linked);
                    open.push(linked);
                }
            }
        }
        found
    }
}

fn is_normal(edge: &Value) -> bool {
    let kinds = edge["dep_kinds"].as_array();
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
}
