use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::Problem;
use crate::problem::quoted;
use crate::reading::Reading;
use crate::settings::{Key, Settings};
use crate::value::{Item, Value};

/// A table of the file, and where it stands.
pub(crate) struct Section<'a> {
    table: &'a DeTable<'a>,
    span: Range<usize>,
    not_built_above: usize,
}

impl<'a> Section<'a> {
    pub(crate) fn new(table: &'a DeTable<'a>, span: Range<usize>, reading: &Reading<'_>) -> Self {
        Self { table, span, not_built_above: reading.not_built() }
    }

    /// The table that a value is; an error if it is none.
    pub(crate) fn of_item<T: Value>(item: &'a Item<'a>, reading: &mut Reading<'_>) -> Option<Self> {
        match item.get_ref() {
            DeValue::Table(table) => Some(Self::new(table, item.span(), reading)),
            _ => expected::<T, _>(item, reading),
        }
    }

    /// Where the section starts.
    pub(crate) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// Where a key stands, following tables downwards; where that ends, the last that is there.
    pub(crate) fn key_span(&self, path: &[&str]) -> Range<usize> {
        let mut table = self.table;
        let mut span = self.span.clone();
        for name in path {
            let Some((key, item)) = table.get_key_value(*name) else { break };
            span = key.span();
            let DeValue::Table(below) = item.get_ref() else { break };
            table = below;
        }
        span
    }

    /// A value by its key.
    pub(crate) fn item(&self, name: &str) -> Option<&'a Item<'a>> {
        self.table.get(name)
    }

    /// The keys and values, in the order of the keys.
    pub(crate) fn entries(
        &self,
    ) -> impl Iterator<Item = (&'a str, Range<usize>, &'a Item<'a>)> + use<'a> {
        self.table.iter().map(|(key, item)| (key.get_ref().as_ref(), key.span(), item))
    }

    /// Every key that is none of these is an error.
    pub(crate) fn known(&self, what: &'static str, names: &[&str], reading: &mut Reading<'_>) {
        for (name, span, _) in self.entries() {
            if !names.contains(&name) {
                reading.error(&span, Problem::unknown(what, name, names));
            }
        }
    }

    /// The value of a key that must be there.
    ///
    /// In a section that asks for something which is not built yet nobody can say what is missing.
    pub(crate) fn required<T: Value>(&self, key: Key, reading: &mut Reading<'_>) -> Option<T> {
        if self.table.contains_key(key.name) {
            return self.value(&key, None, reading);
        }
        if reading.not_built() == self.not_built_above {
            let (prose, example) = (key.prose(), T::example());
            reading.error(&self.span, Problem::Missing { key: key.name, prose, example });
        }
        None
    }

    /// The value of a key, or its default.
    pub(crate) fn optional<T: Value>(&self, key: Key, default: T, reading: &mut Reading<'_>) -> T {
        self.value(&key, Some(&default), reading).unwrap_or(default)
    }

    /// A key that is not built yet may be written with its default: that asks for nothing.
    fn value<T: Value>(
        &self,
        key: &Key,
        default: Option<&T>,
        reading: &mut Reading<'_>,
    ) -> Option<T> {
        let item = self.table.get(key.name)?;
        if !in_range(key, item, reading) {
            return None;
        }
        let value = T::read(item, reading)?;
        if default != Some(&value) {
            let word = key.name.to_owned();
            let cure = "leave it out".to_owned();
            let problem = Problem::NotInThisVersion { what: "key", word, cure };
            reading.require(key.built, &self.key_span(&[key.name]), problem);
        }
        Some(value)
    }
}

/// The settings of a table that is not there.
pub(crate) fn of_defaults<S: Settings>() -> S {
    let table = DeTable::new();
    let mut reading = Reading::new("", Path::new(""), None);
    let section = Section::new(&table, 0..0, &reading);
    S::read_table(&section, &mut reading).expect("every setting of this table has a default")
}

/// Notes that a value has another type than it should.
pub(crate) fn expected<T: Value, U>(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<U> {
    let expected = format!("{} such as {}", T::kind(), T::example());
    reading.error(&item.span(), Problem::Expected { expected, found: found(item.get_ref()) });
    None
}

fn in_range(key: &Key, item: &Item<'_>, reading: &mut Reading<'_>) -> bool {
    let (Some(range), DeValue::Integer(integer)) = (&key.range, item.get_ref()) else {
        return true;
    };
    let number = u64::from_str_radix(integer.as_str(), integer.radix());
    let inside = number.is_ok_and(|number| range.contains(&number));
    if !inside {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        let found = quoted(&integer.to_string());
        reading.error(&item.span(), Problem::Expected { expected, found });
    }
    inside
}

fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(_) => "an integer".to_owned(),
        DeValue::Array(_) => "an array".to_owned(),
        other => format!("a {}", other.type_str()),
    }
}
