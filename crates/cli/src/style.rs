//! Colours, and peers' text made fit for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use quivive_evidence::FindingResult;
use quivive_verdict::Action;

/// What stands out.
pub(crate) const STRONG: Style = Style::new().bold();

/// What is there for whoever looks for it.
pub(crate) const QUIET: Style = Style::new().dimmed();

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
const BROKEN: Style = AnsiColor::Magenta.on_default().bold();

/// What was promised and was kept, or not.
pub(crate) fn of_promise(is_kept: bool) -> Style {
    if is_kept { GOOD } else { BAD }
}

/// How a doubt is shown.
pub(crate) fn of_doubt() -> Style {
    DOUBTFUL
}

/// How a result is shown.
pub(crate) fn of_result(result: FindingResult) -> Style {
    match result {
        FindingResult::Pass => GOOD,
        FindingResult::Fail => BAD,
        FindingResult::Softfail | FindingResult::Policy => DOUBTFUL,
        FindingResult::Temperror | FindingResult::Permerror => BROKEN,
        FindingResult::Neutral | FindingResult::None => STRONG,
    }
}

/// How an action is shown.
pub(crate) fn of_action(action: Action) -> Style {
    match action {
        Action::Accept | Action::Mark => GOOD,
        Action::Defer | Action::Hold => DOUBTFUL,
        Action::Reject | Action::Discard => BAD,
    }
}

/// A stranger's text as it may go to a terminal: what could move the cursor, change colours or turn
/// the direction of writing is escaped.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return text.into();
    }
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmful(character) {
            write!(printable, "\\u{{{:x}}}", u32::from(character))
                .expect("a String takes all text");
        } else {
            printable.push(character);
        }
    }
    printable.into()
}

/// A stranger's text, printable, and cut after this many characters.
pub(crate) fn excerpt(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", printable(&text[..end])),
        None => printable(text).into_owned(),
    }
}

/// Control characters, and those that reorder or hide what stands around them.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_cursor_is_escaped() {
        assert_eq!(printable("a\u{1b}[2J\r\n"), "a\\u{1b}[2J\\u{d}\\u{a}");
        assert_eq!(printable("\u{9b}1m\u{202e}x"), "\\u{9b}1m\\u{202e}x");
        assert!(matches!(printable("müller@bücher.example"), Cow::Borrowed(_)));
    }

    #[test]
    fn excerpts_are_cut_between_characters() {
        assert_eq!(excerpt("übung", 5), "übung");
        assert_eq!(excerpt("übung", 2), "üb…");
    }
}
