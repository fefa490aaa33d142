use std::path::{Path, PathBuf};

use crate::Problem;
use crate::settings::settings;
use crate::value::Word;

settings! {
    /// Where cases and held messages are kept.
    pub struct Store: Default {
        /// The database, a path; "" for none.
        path: Database = Database(None), example "\"quivive.db\""; Restart, Now;
        /// How many days a case is kept.
        retain_days: usize = 30, in 1..=3650; Restart, Now;
        /// How many MiB all cases may take; the oldest make room.
        retain_mib: usize = 1024, in 1..=1_048_576; Restart, Now;
        /// After how many days the local parts of addresses become hashes; 0: never.
        hash_addresses_after_days: usize = 0, in 0..=3650; Restart, Now;
    }
}

/// A SQLite file, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database(pub Option<PathBuf>);

impl Word for Database {
    const KIND: &'static str = "a path";
    const EXAMPLE: &'static str = "quivive.db";

    fn parse(text: &str, folder: &Path) -> Result<Self, Problem> {
        match text {
            "" => Ok(Self(None)),
            text => PathBuf::parse(text, folder).map(|path| Self(Some(path))),
        }
    }

    fn text(&self) -> String {
        self.0.as_ref().map_or(String::new(), |path| path.display().to_string())
    }

    fn built(&self) -> Result<(), Problem> {
        let scheme = self.0.as_ref().and_then(|path| {
            path.components().find_map(|part| {
                let part = part.as_os_str().to_str()?;
                matches!(part, "postgres:" | "postgresql:").then(|| part.to_owned())
            })
        });
        match scheme {
            None => Ok(()),
            Some(word) => Err(Problem::NotInThisVersion {
                what: "database",
                word,
                cure: "name the file of a SQLite database".to_owned(),
            }),
        }
    }
}
