use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use crate::problem::quoted;
use crate::reading::Reading;
use crate::section::expected;
use crate::{Built, Problem, Row, write};

/// How long a list may be.
pub const LIST_MAX: usize = 10_000;

/// A value of the file, with its place.
pub(crate) type Item<'a> = Spanned<DeValue<'a>>;

/// A type that a setting can have.
pub(crate) trait Value: Sized + PartialEq {
    /// The type in words, with its article.
    fn kind() -> String;

    /// A value as TOML.
    fn example() -> String;

    /// Reads a value; `None` if it is wrong, which is noted.
    fn read(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Self>;

    /// The value as TOML, on one line; `None` if it is not set.
    fn write(&self) -> Option<String>;

    /// The rows, if it is a table of settings.
    fn rows() -> Vec<Row> {
        Vec::new()
    }

    /// The header of its section, if it is a table.
    fn header(_name: &str) -> String {
        String::new()
    }

    /// The value as sections of the file, if it is a table.
    fn sections(&self, _name: &str) -> Option<String> {
        None
    }
}

/// A value that is written as a string.
pub(crate) trait Word: Sized + PartialEq {
    /// The type in words, with its article.
    const KIND: &'static str;
    /// A value.
    const EXAMPLE: &'static str;

    /// Reads the text; relative paths start at the folder.
    fn parse(text: &str, folder: &Path) -> Result<Self, Problem>;

    /// The text.
    fn text(&self) -> String;

    /// Whether this version has what the word names; if not, how the error calls it.
    fn built(&self) -> Result<(), Problem> {
        Ok(())
    }
}

impl<T: Word> Value for T {
    fn kind() -> String {
        T::KIND.to_owned()
    }

    fn example() -> String {
        write::string(T::EXAMPLE)
    }

    fn read(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let DeValue::String(text) = item.get_ref() else {
            return expected::<T, _>(item, reading);
        };
        match T::parse(text, reading.folder) {
            Ok(word) => {
                if let Err(problem) = word.built() {
                    reading.require(Built::Later, &item.span(), problem);
                }
                Some(word)
            }
            Err(problem) => {
                reading.error(&item.span(), problem);
                None
            }
        }
    }

    fn write(&self) -> Option<String> {
        Some(write::string(&self.text()))
    }
}

impl Value for bool {
    fn kind() -> String {
        "true or false".to_owned()
    }

    fn example() -> String {
        "true".to_owned()
    }

    fn read(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        match item.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => expected::<Self, _>(item, reading),
        }
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for usize {
    fn kind() -> String {
        "a number".to_owned()
    }

    fn example() -> String {
        "10".to_owned()
    }

    fn read(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let number = match item.get_ref() {
            DeValue::Integer(integer) => natural(integer),
            _ => None,
        };
        number.or_else(|| expected::<Self, _>(item, reading))
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl<T: Value> Value for Option<T> {
    fn kind() -> String {
        T::kind()
    }

    fn example() -> String {
        T::example()
    }

    fn read(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        T::read(item, reading).map(Some)
    }

    fn write(&self) -> Option<String> {
        self.as_ref()?.write()
    }

    fn rows() -> Vec<Row> {
        T::rows()
    }
}

/// A list keeps its good values when one is wrong, so that they are checked as well.
impl<T: Value> Value for Vec<T> {
    fn kind() -> String {
        format!("a list, each {}", T::kind())
    }

    fn example() -> String {
        format!("[{}]", T::example())
    }

    fn read(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let DeValue::Array(items) = item.get_ref() else {
            return expected::<Self, _>(item, reading);
        };
        if let Some(first_beyond) = items.get(LIST_MAX) {
            let problem = Problem::TooMany { what: "values", found: items.len(), max: LIST_MAX };
            reading.error(&first_beyond.span(), problem);
            return None;
        }
        Some(items.iter().filter_map(|item| T::read(item, reading)).collect())
    }

    fn write(&self) -> Option<String> {
        let values: Vec<_> = self.iter().filter_map(T::write).collect();
        Some(format!("[{}]", values.join(", ")))
    }

    fn rows() -> Vec<Row> {
        T::rows()
    }

    fn header(name: &str) -> String {
        if T::rows().is_empty() { String::new() } else { format!("[[{name}]]") }
    }

    fn sections(&self, name: &str) -> Option<String> {
        // The item writes `[name]`; an array of tables is written with a second pair of brackets.
        let sections = self.iter().map(|item| {
            item.sections(name)
                .map(|section| section.replacen(&format!("[{name}]"), &format!("[[{name}]]"), 1))
        });
        let sections: Option<Vec<_>> = sections.collect();
        sections.filter(|_| !T::rows().is_empty()).map(|sections| sections.join("\n"))
    }
}

impl Word for String {
    const KIND: &'static str = "a text";
    const EXAMPLE: &'static str = "text";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        Ok(text.to_owned())
    }

    fn text(&self) -> String {
        self.clone()
    }
}

impl Word for PathBuf {
    const KIND: &'static str = "a path";
    const EXAMPLE: &'static str = "file";

    fn parse(text: &str, folder: &Path) -> Result<Self, Problem> {
        if text.is_empty() || text.contains('\0') {
            return Err(Problem::Invalid(format!("`{}` is no path", quoted(text))));
        }
        Ok(folder.join(text))
    }

    fn text(&self) -> String {
        self.display().to_string()
    }
}

/// A word out of a choice of them.
pub(crate) fn choose<T: Copy>(
    what: &'static str,
    text: &str,
    all: impl Iterator<Item = (&'static str, T)>,
) -> Result<T, Problem> {
    let all: Vec<_> = all.collect();
    let found = all.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
    found.ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|(word, _)| *word).collect();
        Problem::unknown(what, text, &words)
    })
}

fn natural(integer: &DeInteger<'_>) -> Option<usize> {
    usize::from_str_radix(integer.as_str(), integer.radix()).ok()
}
