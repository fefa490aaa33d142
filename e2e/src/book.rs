//! Pages of the book, as far as they can be run: configurations, and commands with what they say.

use std::fs;
use std::path::Path;

/// A command of a page with the lines that it prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// For a shell.
    pub command: String,
    /// What follows it on the page; `...` stands for anything.
    pub output: Vec<String>,
}

/// The text of a page of `docs`.
///
/// # Panics
/// When there is no such page.
pub fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of a page in this language, in their order.
pub fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(found) = line.strip_prefix("```").filter(|found| !found.is_empty()) else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if found == language {
            blocks.push(block.join("\n") + "\n");
        }
    }
    blocks
}

/// The examples of a page: in its `console` blocks, what begins with `$ ` is a command, which goes
/// on in the lines that begin with blanks.
pub fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for block in blocks(page, "console") {
        for line in block.lines() {
            match (line.strip_prefix("$ "), examples.last_mut()) {
                (Some(command), _) => {
                    examples.push(Example { command: command.to_owned(), output: Vec::new() });
                }
                (None, Some(last)) if line.starts_with(' ') && last.output.is_empty() => {
                    last.command += "\n";
                    last.command += line;
                }
                (None, Some(last)) => last.output.push(line.to_owned()),
                (None, None) => panic!("output without a command: {line}"),
            }
        }
    }
    examples
}

impl Example {
    /// Whether this is what the page promises.
    pub fn says(&self, said: &str) -> bool {
        let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
        lines.len() == self.output.len()
            && lines.iter().zip(&self.output).all(|(line, promised)| matches(line, promised))
    }
}

/// Whether a line is the promised one, with anything in place of `...`.
fn matches(line: &str, promised: &str) -> bool {
    let parts: Vec<&str> = promised.split("...").collect();
    let [first, between @ .., last] = parts.as_slice() else { return line == promised };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for part in between {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_have_commands_and_output() {
        let page = "text\n```toml\na = 1\n```\n```console\n$ one\nsaid\n$ two \\\n  more\n```\n\
                    ```console\n$ three\na ... b\n```\n";
        assert_eq!(blocks(page, "toml"), ["a = 1\n"]);
        let examples = examples(page);
        let commands: Vec<&str> = examples.iter().map(|example| &*example.command).collect();
        assert_eq!(commands, ["one", "two \\\n  more", "three"]);
        assert!(examples[0].says("said\n") && !examples[0].says("said\nmore\n"));
        assert!(examples[1].says("") && !examples[1].says("x"));
        assert!(examples[2].says("a x b") && !examples[2].says("a x c"));
    }
}
