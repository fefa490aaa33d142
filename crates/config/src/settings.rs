use std::ops::RangeInclusive;

use crate::Config;
use crate::reading::Reading;
use crate::section::Section;
use crate::value::Value;

/// One setting, as the reference, the sample and the parser know it.
#[derive(Debug, Clone)]
pub struct Row {
    /// The key.
    pub name: &'static str,
    /// Its type, in words.
    pub kind: String,
    /// The default as TOML, or in words; `None` if the key must be set.
    pub default: Option<String>,
    /// Whether the default is TOML, and so can stand in a file.
    pub default_is_toml: bool,
    /// A value as TOML, for a sample where the default cannot be written.
    pub example: String,
    /// Whether the sample sets it, and does not show it in a comment only.
    pub set_in_sample: bool,
    /// The numbers that are allowed.
    pub range: Option<RangeInclusive<u64>>,
    /// Whether a running daemon takes a change.
    pub reload: Reload,
    /// Whether this version has it.
    pub built: Built,
    /// What it is, in a sentence or two.
    pub prose: String,
    /// The rows of the table that is its value; empty for a plain value.
    pub rows: Vec<Row>,
    /// How the section is written that this setting is: `[resolver]`, `[[listen]]`. Empty for
    /// a value that stands on a line.
    pub header: String,
}

/// Whether a running daemon takes a change of a setting at SIGHUP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// It does.
    Live,
    /// It has to be started anew.
    Restart,
}

/// Whether this version has what a row, a door, a method or an action names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// It has.
    Now,
    /// It parses; asking for it is an error.
    Later,
}

/// All settings: the rows of the file's top level, with those of the sections below them.
pub fn table() -> Vec<Row> {
    <Config as Settings>::rows()
}

/// A table of settings, and the structure that holds their values.
pub(crate) trait Settings: Sized {
    /// The rows, in the order in which they are written.
    fn rows() -> Vec<Row>;

    /// Reads a table. `None` if a required key is missing; every error is noted.
    fn read_table(section: &Section<'_>, reading: &mut Reading<'_>) -> Option<Self>;

    /// The values as TOML, in the order of the rows.
    fn values(&self) -> Vec<Written>;
}

/// A setting's value as TOML.
pub(crate) struct Written {
    pub(crate) name: &'static str,
    /// Behind its key; `None` if it is not set.
    pub(crate) value: Option<String>,
    /// As sections of the file, if it is a table.
    pub(crate) sections: Option<String>,
}

/// What the parser has to know of a row.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) prose: &'static [&'static str],
    pub(crate) range: Option<RangeInclusive<u64>>,
    pub(crate) built: Built,
}

impl Key {
    /// The lines of the documentation as one.
    pub(crate) fn prose(&self) -> String {
        self.prose.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    }

    /// The row, without a default.
    pub(crate) fn row<T: Value>(self, reload: Reload) -> Row {
        Row {
            name: self.name,
            kind: T::kind(),
            default: None,
            default_is_toml: false,
            example: T::example(),
            set_in_sample: true,
            reload,
            built: self.built,
            prose: self.prose(),
            range: self.range,
            rows: T::rows(),
            header: T::header(self.name),
        }
    }
}

impl Row {
    /// Whether this version has it, or anything in it.
    pub fn is_built(&self) -> bool {
        self.built == Built::Now && (self.rows.is_empty() || self.rows.iter().any(Self::is_built))
    }

    /// The row with a default that can be written, or with none.
    pub(crate) fn default_value<T: Value>(self, default: &T) -> Self {
        match default.write() {
            Some(toml) => {
                Self { default: Some(toml), default_is_toml: true, set_in_sample: false, ..self }
            }
            None => self.default_in_words("none"),
        }
    }

    /// The row with a default that is found out at the start.
    pub(crate) fn default_in_words(self, words: &str) -> Self {
        Self { default: Some(words.to_owned()), set_in_sample: false, ..self }
    }
}

/// Defines a table of settings: a structure, its rows, its parser and its writer.
///
/// A row is `name: Type = default, in RANGE, shown "the default in words", example "TOML"; RELOAD,
/// BUILT`. Without a default the key is required. A default may name the settings above it. An
/// example that is `sampled` is set in the sample although there is a default.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident $(: $default_trait:ident)? {
            $(
                $(#[doc = $prose:literal])+
                $field:ident: $type:ty
                    $(= $default:expr)?
                    $(, in $range:expr)?
                    $(, shown $shown:literal)?
                    $(, example $example:literal $($sampled:ident)?)?;
                    $reload:ident, $built:ident;
            )+
        }
        $(check $check:path)?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $prose])+ pub $field: $type,)+
        }

        $(impl $default_trait for $name {
            fn default() -> Self {
                $crate::section::of_defaults()
            }
        })?

        impl $crate::settings::Settings for $name {
            fn rows() -> Vec<$crate::Row> {
                vec![$({
                    let row = $crate::settings::key!($field, [$($prose),+], [$($range)?], $built)
                        .row::<$type>($crate::Reload::$reload);
                    let row = $crate::settings::default!(row, $type, [$($default)?], [$($shown)?]);
                    $crate::settings::example!(row, $($example $($sampled)?)?)
                }),+]
            }

            fn read_table(
                section: &$crate::section::Section<'_>,
                reading: &mut $crate::reading::Reading<'_>,
            ) -> Option<Self> {
                section.known("key", &[$(stringify!($field)),+], reading);
                $(
                    let key = $crate::settings::key!($field, [$($prose),+], [$($range)?], $built);
                    let $field =
                        $crate::settings::read!(section, reading, key, $type $(, $default)?);
                )+
                let settings = Self { $($field: $crate::settings::take!($field $(, $default)?)),+ };
                $($check(&settings, section, reading);)?
                Some(settings)
            }

            fn values(&self) -> Vec<$crate::settings::Written> {
                vec![$($crate::settings::Written {
                    name: stringify!($field),
                    value: $crate::value::Value::write(&self.$field),
                    sections: $crate::value::Value::sections(&self.$field, stringify!($field)),
                }),+]
            }
        }

        impl $crate::value::Value for $name {
            fn kind() -> String {
                "a table".to_owned()
            }

            fn example() -> String {
                $crate::write::example_table(&<Self as $crate::settings::Settings>::rows())
            }

            fn read(
                item: &$crate::value::Item<'_>,
                reading: &mut $crate::reading::Reading<'_>,
            ) -> Option<Self> {
                let section = $crate::section::Section::of_item::<Self>(item, reading)?;
                <Self as $crate::settings::Settings>::read_table(&section, reading)
            }

            fn write(&self) -> Option<String> {
                Some($crate::write::inline_table(self))
            }

            fn rows() -> Vec<$crate::Row> {
                <Self as $crate::settings::Settings>::rows()
            }

            fn header(name: &str) -> String {
                format!("[{name}]")
            }

            fn sections(&self, name: &str) -> Option<String> {
                Some($crate::write::section(&format!("[{name}]"), self))
            }
        }
    };
}

macro_rules! key {
    ($field:ident, $prose:expr, [$($range:expr)?], $built:ident) => {
        $crate::settings::Key {
            name: stringify!($field),
            prose: &$prose,
            range: None$(.or(Some($range)))?,
            built: $crate::Built::$built,
        }
    };
}

macro_rules! default {
    ($row:ident, $type:ty, [$default:expr], [$shown:literal]) => {
        $row.default_in_words($shown)
    };
    ($row:ident, $type:ty, [$default:expr], []) => {{
        let default: $type = $default;
        $row.default_value(&default)
    }};
    ($row:ident, $type:ty, [], []) => {
        $row
    };
}

macro_rules! example {
    ($row:ident,) => {
        $row
    };
    ($row:ident, $example:literal) => {
        $crate::Row { example: $example.to_owned(), ..$row }
    };
    ($row:ident, $example:literal sampled) => {
        $crate::Row { example: $example.to_owned(), set_in_sample: true, ..$row }
    };
}

macro_rules! read {
    ($section:ident, $reading:ident, $key:ident, $type:ty) => {
        $section.required::<$type>($key, $reading)
    };
    ($section:ident, $reading:ident, $key:ident, $type:ty, $default:expr) => {
        $section.optional::<$type>($key, $default, $reading)
    };
}

macro_rules! take {
    ($field:ident) => {
        $field?
    };
    ($field:ident, $default:expr) => {
        $field
    };
}

pub(crate) use {default, example, key, read, settings, take};
