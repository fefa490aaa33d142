use std::path::Path;

use crate::Problem;
use crate::problem::quoted;
use crate::value::Word;

/// Who may use a UNIX socket: the permissions of its file, without special bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketMode(u32);

impl SocketMode {
    /// As `chmod` takes it.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl Word for SocketMode {
    const KIND: &'static str = "an octal mode";
    const EXAMPLE: &'static str = "0660";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let is_octal =
            (3..=4).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| is_octal && *mode <= 0o777);
        let invalid = || {
            let text = quoted(text);
            Problem::Invalid(format!("`{text}` is no mode of a socket; write one such as `0660`"))
        };
        mode.map(Self).ok_or_else(invalid)
    }

    fn text(&self) -> String {
        format!("{:04o}", self.0)
    }
}
