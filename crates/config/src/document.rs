//! The documents that are made from the table: the sample, the effective values, the reference.

use crate::actions::ACTIONS;
use crate::methods::METHODS;
use crate::settings::Settings;
use crate::{Built, Config, Door, Reload, Row, table};

/// What the file begins with.
const SAMPLE_HEAD: &str = "\
# The configuration of Quivive. A line that begins with `# key =` shows a default, one that begins
# with `# e.g. key =` a setting that has none. Relative paths start at this file's folder.
";

/// How long a line of the sample's prose may be.
const COLUMNS_MAX: usize = 100;

/// A sample file: every setting that this version has, with its default and what it is.
///
/// What must be set is set, everything else is a comment.
pub fn sample() -> String {
    let mut toml = SAMPLE_HEAD.to_owned();
    let rows: Vec<_> = table().into_iter().filter(Row::is_built).collect();
    for row in rows.iter().filter(|row| row.header.is_empty()) {
        toml.push('\n');
        toml.push_str(&sample_line(row));
    }
    for row in rows.iter().filter(|row| !row.header.is_empty()) {
        toml.push('\n');
        toml.push_str(&prose(&row.prose));
        toml.push_str(&sample_section(row));
    }
    toml
}

/// The effective values as a file that describes the same configuration. Secrets are not in it, for
/// they stand in files of their own.
pub fn show(config: &Config) -> String {
    let mut lines = String::new();
    let mut sections = String::new();
    for (value, row) in config.values().into_iter().zip(table()).filter(|(_, row)| row.is_built()) {
        match (row.header.is_empty(), value.value, value.sections) {
            (true, Some(toml), _) => lines.push_str(&format!("{} = {toml}\n", value.name)),
            (false, _, Some(toml)) if !toml.is_empty() => {
                sections.push_str(&format!("\n{toml}"));
            }
            _ => {}
        }
    }
    lines + &sections
}

/// The reference of all settings, for the book.
pub fn reference_markdown() -> String {
    let mut markdown = "# Settings\n\nAll settings, with those that this version does not have \
                        yet. Those are errors at load, unless they are written with their default.\n"
        .to_owned();
    let (sections, lines): (Vec<_>, Vec<_>) =
        table().into_iter().partition(|row| !row.header.is_empty());
    reference_rows(&lines, &mut markdown);
    for section in &sections {
        markdown.push_str(&format!("\n## `{}`\n\n{}\n", section.header, section.prose));
        reference_rows(&section.rows, &mut markdown);
        // A table that is a section as well has its rows there.
        let below = |row: &&Row| {
            !row.rows.is_empty() && sections.iter().all(|section| section.name != row.name)
        };
        for row in section.rows.iter().filter(below) {
            markdown.push_str(&format!("\n### `{}` in `{}`\n", row.name, section.header));
            reference_rows(&row.rows, &mut markdown);
        }
    }
    reference_words(&mut markdown);
    markdown
}

/// A section that may stand several times is a comment, unless something in it is set: an empty one
/// would be one.
fn sample_section(section: &Row) -> String {
    let set = section.rows.iter().any(|row| row.set_in_sample);
    let comment = if section.header.starts_with("[[") && !set { "# " } else { "" };
    let lines: String = section.rows.iter().filter(|row| row.is_built()).map(sample_line).collect();
    format!("{comment}{}\n{lines}", section.header)
}

fn sample_line(row: &Row) -> String {
    let (name, example) = (row.name, &row.example);
    let line = match &row.default {
        _ if row.set_in_sample => format!("{name} = {example}\n"),
        Some(default) if default == "[]" => format!("# {name} = []  # such as {example}\n"),
        Some(default) if row.default_is_toml => format!("# {name} = {default}\n"),
        _ => format!("# e.g. {name} = {example}\n"),
    };
    prose(&row.prose) + &line
}

/// A sentence as comments of at most 100 columns.
fn prose(text: &str) -> String {
    let mut comment = "##".to_owned();
    let mut columns = comment.len();
    for word in text.split_whitespace() {
        if columns + 1 + word.len() > COLUMNS_MAX {
            comment.push_str("\n##");
            columns = 2;
        }
        comment.push_str(&format!(" {word}"));
        columns += 1 + word.len();
    }
    comment + "\n"
}

/// The words that are no keys: doors, actions, and what each method can judge.
fn reference_words(markdown: &mut String) {
    let list = |words: Vec<(&'static str, Built)>| {
        let words = words.into_iter().map(|(word, built)| format!("`{word}`{}", later(built)));
        words.collect::<Vec<_>>().join(", ")
    };
    let doors = Door::ALL.iter().map(|(door, built)| (door.word(), *built)).collect();
    let actions = ACTIONS.iter().map(|(action, built)| (action.word(), *built)).collect();
    markdown.push_str(&format!(
        "\n## Words\n\nDoors: {}.\n\nActions: {}.\n",
        list(doors),
        list(actions)
    ));
    markdown.push_str("\n| method | identities |\n|---|---|\n");
    for row in METHODS {
        let identities = row.identities.iter().map(|identity| (identity.word(), Built::Now));
        let (method, later) = (row.method, later(row.built));
        markdown.push_str(&format!("| `{method}`{later} | {} |\n", list(identities.collect())));
    }
}

fn later(built: Built) -> &'static str {
    match built {
        Built::Now => "",
        Built::Later => " (not in this version)",
    }
}

fn reference_rows(rows: &[Row], markdown: &mut String) {
    markdown.push_str("\n| setting | type | default | reload | |\n|---|---|---|---|---|\n");
    for row in rows {
        let range = row.range.as_ref();
        let kind = range.map_or_else(
            || row.kind.clone(),
            |range| format!("{} from {} to {}", row.kind, range.start(), range.end()),
        );
        let default = match &row.default {
            None => "must be set".to_owned(),
            Some(default) if row.default_is_toml => format!("`{default}`"),
            Some(words) => words.clone(),
        };
        let reload = match row.reload {
            Reload::Live => "yes",
            Reload::Restart => "no",
        };
        let (name, prose, later) = (row.name, &row.prose, later(row.built));
        let cells = [&format!("`{name}`{later}"), &kind, &default, reload, prose].join(" | ");
        markdown.push_str(&format!("| {cells} |\n"));
    }
}
