//! Messages that arrived in a Maildir.

use std::fs;
use std::path::Path;

/// The messages in `new`, in no order; none where there is no such folder yet.
pub fn messages(maildir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(maildir.join("new")) else { return Vec::new() };
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let octets = fs::read(entry.expect("the folder is read").path()).expect("a message is");
        String::from_utf8_lossy(&octets).into_owned()
    };
    entries.map(read).collect()
}

/// How many messages there are.
pub fn count(maildir: &Path) -> usize {
    fs::read_dir(maildir.join("new")).map_or(0, Iterator::count)
}

/// The value of a header field of a message, unfolded; the topmost of several.
pub fn field(message: &str, name: &str) -> Option<String> {
    let fields = fields(message);
    fields.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// All header fields of a message, from the top, unfolded.
pub fn fields(message: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in message.lines().take_while(|line| !line.is_empty()) {
        match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => value.push_str(line),
            (_, _, Some((name, value))) => fields.push((name.to_owned(), value.trim().to_owned())),
            _ => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded() {
        let message = "A: one\n two\nB: three\n\nC: body\n";
        assert_eq!(field(message, "a").as_deref(), Some("one two"));
        assert_eq!(field(message, "B").as_deref(), Some("three"));
        assert_eq!(field(message, "C"), None);
    }
}
