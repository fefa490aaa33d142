//! The text of a refusal: a template of the operator's, filled with what is known.

use std::fmt;

/// What a template says unless it is set.
pub const DEFAULT_TEMPLATE: &str =
    "{method}: {reason}[; {domain} says: \"{explanation}\"][ (case {case})][; see {link}]";

/// How long a template may be, in octets.
pub const TEMPLATE_OCTETS_MAX: usize = 300;

/// How long the text of a reply gets, in octets: with its codes it stays within a line of 512 (RFC
/// 5321 section 4.5.3.1.5).
pub const TEXT_OCTETS_MAX: usize = 480;

/// What a template can name.
pub const PLACES: &[&str] =
    &["method", "reason", "explanation", "result", "domain", "address", "case", "link", "receiver"];

/// Where these two of the places stand.
const REASON: usize = 1;
const EXPLANATION: usize = 2;

/// What stands where something was cut.
const CUT: &str = "...";

/// A text with places in braces. What stands in square brackets is left out where a place in it has
/// nothing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    is_optional: bool,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Which of [`PLACES`].
    Place(usize),
}

/// What is wrong with a template, with the cure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError(String);

/// What a template is filled with, in the order of [`PLACES`]: printable ASCII; empty for what
/// there is not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filling(pub(crate) [String; PLACES.len()]);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A place that there is not, a brace or bracket without its other, or octets that a reply
    /// cannot hold.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let error = |text: String| Err(TemplateError(text));
        if text.is_empty() || text.len() > TEMPLATE_OCTETS_MAX {
            return error(format!("a text has from 1 to {TEMPLATE_OCTETS_MAX} octets"));
        }
        if let Some(wrong) = text.chars().find(|c| !matches!(c, ' '..='~')) {
            return error(format!(
                "`{}` cannot stand in a reply; write ASCII",
                wrong.escape_debug()
            ));
        }
        let mut groups = vec![Group::new(false)];
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let group = groups.last_mut().expect("there is always one");
            match next {
                '[' if group.is_optional => {
                    return error("a `[` stands within brackets; close them first".to_owned());
                }
                ']' if !group.is_optional => {
                    return error("a `]` closes nothing; write a `[` before it".to_owned());
                }
                '[' | ']' => {
                    let is_optional = next == '[';
                    groups.push(Group::new(is_optional));
                    rest = &rest[1..];
                }
                '{' => {
                    let Some(end) = rest.find('}') else {
                        return error("a `{` is not closed; write `}` behind the name".to_owned());
                    };
                    let name = &rest[1..end];
                    let Some(place) = PLACES.iter().position(|place| *place == name) else {
                        let there_are = PLACES.join(", ");
                        return error(format!("`{{{name}}}` is no place; there are: {there_are}"));
                    };
                    group.parts.push(Part::Place(place));
                    rest = &rest[end + 1..];
                }
                '}' => return error("a `}` closes nothing; write a `{` before it".to_owned()),
                _ => {
                    let end = rest.find(['[', ']', '{', '}']).unwrap_or(rest.len());
                    group.parts.push(Part::Text(rest[..end].to_owned()));
                    rest = &rest[end..];
                }
            }
        }
        if groups.last().is_some_and(|group| group.is_optional) {
            return error("a `[` is not closed; write a `]`".to_owned());
        }
        Ok(Self { text: text.to_owned(), groups })
    }

    /// Whether one of [`PLACES`] stands outside square brackets, so that its text remains where it
    /// has nothing to say.
    pub fn needs(&self, place: &str) -> bool {
        let is_it = |part: &Part| matches!(part, Part::Place(at) if PLACES[*at] == place);
        self.groups.iter().any(|group| !group.is_optional && group.parts.iter().any(is_it))
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a reply. Too long, it goes without the domain's own explanation, then with less
    /// of the reason, so that case and link stay whole; still too long, it is cut.
    pub(crate) fn fill(&self, mut filling: Filling) -> String {
        let text = self.filled(&filling);
        if text.len() <= TEXT_OCTETS_MAX {
            return text;
        }
        filling.0[EXPLANATION].clear();
        let mut text = self.filled(&filling);
        let excess = text.len().saturating_sub(TEXT_OCTETS_MAX) + CUT.len();
        let reason = &mut filling.0[REASON];
        if text.len() > TEXT_OCTETS_MAX && reason.len() > excess {
            reason.truncate(reason.len() - excess);
            reason.push_str(CUT);
            text = self.filled(&filling);
        }
        // ASCII alone: every octet is a character.
        if text.len() > TEXT_OCTETS_MAX {
            text.truncate(TEXT_OCTETS_MAX - CUT.len());
            text.push_str(CUT);
        }
        text
    }

    fn filled(&self, Filling(values): &Filling) -> String {
        let mut text = String::new();
        for group in &self.groups {
            let is_empty = |part: &Part| matches!(part, Part::Place(at) if values[*at].is_empty());
            if group.is_optional && group.parts.iter().any(is_empty) {
                continue;
            }
            for part in &group.parts {
                text.push_str(match part {
                    Part::Text(text) => text,
                    Part::Place(at) => &values[*at],
                });
            }
        }
        text
    }
}

impl Group {
    fn new(is_optional: bool) -> Self {
        Self { is_optional, parts: Vec::new() }
    }
}

impl Default for Template {
    fn default() -> Self {
        Self::parse(DEFAULT_TEMPLATE).expect("the default is a template")
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filling(pairs: &[(&str, &str)]) -> Filling {
        let mut filling = Filling::default();
        for (name, value) in pairs {
            let at = PLACES.iter().position(|place| place == name).unwrap();
            filling.0[at] = (*value).to_owned();
        }
        filling
    }

    #[test]
    fn groups_go_where_something_is_missing() {
        let template = Template::default();
        let pairs = [("method", "SPF"), ("reason", "no"), ("domain", "a.example")];
        assert_eq!(template.fill(filling(&pairs)), "SPF: no");
        let pairs = [&pairs[..], &[("explanation", "why"), ("case", "7"), ("link", "https://x/7")]];
        assert_eq!(
            template.fill(filling(&pairs.concat())),
            "SPF: no; a.example says: \"why\" (case 7); see https://x/7"
        );
    }

    #[test]
    fn what_stands_outside_brackets_is_needed() {
        let template = Template::parse("{reason}[; see {link}]").unwrap();
        assert!(template.needs("reason") && !template.needs("link") && !template.needs("case"));
    }

    #[test]
    fn what_is_no_template_is_said_with_the_cure() {
        for (text, said) in [
            ("", "octets"),
            ("{who}", "there are: method"),
            ("{reason", "not closed"),
            ("reason}", "closes nothing"),
            ("[[x]]", "close them first"),
            ("x]", "closes nothing"),
            ("[x", "not closed"),
            ("a\r\nb", "ASCII"),
            ("\u{e9}", "ASCII"),
            (&"x".repeat(TEMPLATE_OCTETS_MAX + 1), "octets"),
        ] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_text_is_bounded_and_loses_the_strangers_part_first() {
        let long = "x".repeat(TEXT_OCTETS_MAX);
        let pairs = [("method", "SPF"), ("reason", "no"), ("domain", "a.example")];
        let pairs = [&pairs[..], &[("explanation", &long), ("case", "7")]].concat();
        assert_eq!(Template::default().fill(filling(&pairs)), "SPF: no (case 7)");
        // What leads on stays whole.
        assert_eq!((PLACES[REASON], PLACES[EXPLANATION]), ("reason", "explanation"));
        let pairs = [("reason", &*long), ("case", "7"), ("link", "https://x/7")];
        let text = Template::default().fill(filling(&pairs));
        assert_eq!(text.len(), TEXT_OCTETS_MAX);
        assert!(text.ends_with("xxx... (case 7); see https://x/7"), "{text}");
        let long_link = [("reason", "no"), ("link", &long)];
        assert_eq!(Template::default().fill(filling(&long_link)).len(), TEXT_OCTETS_MAX);
        let text = Template::default().fill(filling(&[("reason", &long)]));
        assert_eq!(text.len(), TEXT_OCTETS_MAX);
        assert!(text.ends_with("..."));
    }
}
