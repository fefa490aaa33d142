use std::fmt;
use std::path::PathBuf;

/// Where in a configuration something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, if the text came from one.
    pub file: Option<PathBuf>,
    /// Line and column, both from 1, the column in characters; `None` for the file as a whole.
    pub position: Option<(usize, usize)>,
}

impl Place {
    /// The place of an octet in a text. An offset beyond the end is the end.
    pub(crate) fn of(text: &str, offset: usize, file: Option<PathBuf>) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|octet| *octet == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        Self { file, position: Some((line, column)) }
    }
}

/// `quivive.toml:12:8`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.position) {
            (Some(file), Some((line, column))) => {
                write!(f, "{}:{line}:{column}", file.display())
            }
            (Some(file), None) => write!(f, "{}", file.display()),
            (None, Some((line, column))) => write!(f, "{line}:{column}"),
            (None, None) => f.write_str("configuration"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_one() {
        let at = |offset| Place::of("a\nbü\nc", offset, None).position;
        assert_eq!(at(0), Some((1, 1)));
        assert_eq!(at(1), Some((1, 2)));
        assert_eq!(at(2), Some((2, 1)));
        assert_eq!(at(4), Some((2, 2)), "inside a character is at it");
        assert_eq!(at(5), Some((2, 3)));
        assert_eq!(at(6), Some((3, 1)));
        assert_eq!(at(99), Some((3, 2)));
    }

    #[test]
    fn a_place_reads_like_a_compiler_wrote_it() {
        let file = Some(PathBuf::from("quivive.toml"));
        assert_eq!(Place::of("ab", 1, file.clone()).to_string(), "quivive.toml:1:2");
        assert_eq!(Place { file, position: None }.to_string(), "quivive.toml");
        assert_eq!(Place::of("ab", 1, None).to_string(), "1:2");
    }
}
