//! Values as TOML.

use crate::Row;
use crate::settings::Settings;

/// A basic string (TOML 1.1 section "String").
pub(crate) fn string(text: &str) -> String {
    let mut toml = String::with_capacity(text.len() + 2);
    toml.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => toml.extend(['\\', character]),
            control if control.is_control() => {
                toml.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            other => toml.push(other),
        }
    }
    toml.push('"');
    toml
}

/// `{ certificate = "c.pem", key = "k.pem" }`
pub(crate) fn inline_table(settings: &impl Settings) -> String {
    let entries = settings.values().into_iter();
    inline(entries.filter_map(|entry| Some((entry.name.to_owned(), entry.value?))))
}

/// `{ key = value, ... }`
pub(crate) fn inline(entries: impl Iterator<Item = (String, String)>) -> String {
    let entries: Vec<_> = entries.map(|(key, value)| format!("{key} = {value}")).collect();
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
}

/// The header and a line for each setting that this version has.
pub(crate) fn section(header: &str, settings: &impl Settings) -> String {
    let mut toml = format!("{header}\n");
    for (entry, row) in settings.values().into_iter().zip(rows_of(settings)) {
        if let Some(value) = entry.value.filter(|_| row.is_built()) {
            toml.push_str(&format!("{} = {value}\n", entry.name));
        }
    }
    toml
}

/// An inline table of what must be there.
pub(crate) fn example_table(rows: &[Row]) -> String {
    let required = rows.iter().filter(|row| row.set_in_sample);
    inline(required.map(|row| (row.name.to_owned(), row.example.clone())))
}

fn rows_of<S: Settings>(_: &S) -> Vec<Row> {
    S::rows()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(string("a\"b\\c\nd\u{7f}é"), r#""a\"b\\c\u000Ad\u007Fé""#);
    }

    #[test]
    fn an_empty_table_is_a_table() {
        assert_eq!(inline(std::iter::empty()), "{}");
    }
}
