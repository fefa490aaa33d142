//! A stranger's text on a page: inert, and nothing in it invisible.

use std::fmt;

use askama::filters::HtmlSafe;

/// How much of one text is shown, in characters. A TXT record may have 60 kB.
pub(crate) const CHARACTERS_MAX: usize = 2_000;

/// Text that others chose. On a page it is isolated, so that its direction stays its own, escaped,
/// and bounded; what cannot be seen is written as `\u{202e}`.
///
/// Only for the content of elements, never within a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown(String);

impl Shown {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl HtmlSafe for Shown {}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<bdi>")?;
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(CHARACTERS_MAX) {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                hidden if is_hidden(hidden) => {
                    write!(f, "<span class=\"escape\">\\u{{{:x}}}</span>", u32::from(hidden))?;
                }
                visible => write!(f, "{visible}")?,
            }
        }
        match characters.count() {
            0 => {}
            rest => write!(f, "<span class=\"escape\">… {rest} more</span>")?,
        }
        f.write_str("</bdi>")
    }
}

/// Whether a character is not seen, or changes how others are seen: controls, marks of direction,
/// characters without width, separators of lines, tags.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        Shown::new(text).to_string()
    }

    #[test]
    fn markup_is_inert() {
        assert_eq!(
            html("<script a='1' b=\"2\">&"),
            "<bdi>&lt;script a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;</bdi>"
        );
    }

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        for (hidden, code) in
            [('\0', "0"), ('\r', "d"), ('\u{85}', "85"), ('\u{202e}', "202e"), ('\u{feff}', "feff")]
        {
            let expected = format!("<bdi>a<span class=\"escape\">\\u{{{code}}}</span>b</bdi>");
            assert_eq!(html(&format!("a{hidden}b")), expected);
        }
    }

    #[test]
    fn other_scripts_stay_as_they_are() {
        assert_eq!(html("почта.示例.😀.مثال"), "<bdi>почта.示例.😀.مثال</bdi>");
    }

    #[test]
    fn length_is_bounded() {
        let text = "é".repeat(CHARACTERS_MAX);
        assert_eq!(html(&text), format!("<bdi>{text}</bdi>"));
        let longer = html(&format!("{text}xyz"));
        assert!(longer.ends_with("é<span class=\"escape\">… 3 more</span></bdi>"), "{longer}");
    }
}
