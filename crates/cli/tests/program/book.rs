//! The commands in the book: each is run, and says what the page says.
//!
//! In a block that begins with ```` ```console ````, `$ cat FILE` shows a file that is made, and
//! `$ quivive ...` a command that is run where these files are, after `echo 'TEXT' |` with that on
//! its input. What the page cuts it marks by a line of `...`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::run::{program, stderr, stdout};

/// A command of a page and what stands below it.
#[derive(Debug, PartialEq, Eq)]
struct Command {
    words: Vec<String>,
    output: String,
}

#[test]
fn lint() {
    check("lint.md", 11);
}

#[test]
fn publish() {
    check("publish.md", 5);
}

#[test]
fn simulate() {
    check("simulate.md", 1);
}

#[test]
fn console() {
    check_with("console.md", 1, &[("quivive.toml", "toml")]);
}

#[test]
fn submission() {
    check_with("submission.md", 5, &[("quivive.toml", "toml"), ("grants", "grants")]);
}

/// Runs the commands of a page, which are this many at least.
#[track_caller]
fn check(page: &str, at_least: usize) {
    check_with(page, at_least, &[]);
}

/// As [`check`], where these files are: each is the page's first block in this language.
#[track_caller]
fn check_with(page: &str, at_least: usize, files: &[(&str, &str)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = fs::read_to_string(&path).unwrap();
    let commands = commands(&text);
    let folder = tempfile::tempdir().unwrap();
    for (name, language) in files {
        let (_, block) = text.split_once(&format!("```{language}\n")).unwrap();
        let (block, _) = block.split_once("```\n").unwrap();
        fs::write(folder.path().join(name), block).unwrap();
    }
    let mut run = 0;
    for Command { words, output } in commands {
        match &*words[0] {
            "cat" => fs::write(folder.path().join(&words[1]), output).unwrap(),
            "quivive" | "echo" => {
                run += 1;
                let said = said(&words, folder.path());
                assert!(
                    is_shown(&said, &output),
                    "{page}: $ {}\nsays:\n{said}\nand not:\n{output}",
                    words.join(" ")
                );
            }
            other => panic!("{page}: nobody knows how to run `{other}`"),
        }
    }
    assert!(run >= at_least, "{page} has {run} commands");
}

/// What a command says where its files are.
fn said(words: &[String], folder: &Path) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (input, arguments) = match &*words {
        ["echo", input, "|", "quivive", arguments @ ..] => (format!("{input}\n"), arguments),
        ["quivive", arguments @ ..] => (String::new(), arguments),
        other => panic!("nobody knows how to run {other:?}"),
    };
    let mut command = program(arguments);
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    // One that wants no input may be gone.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let said = child.wait_with_output().unwrap();
    stdout(&said) + &stderr(&said)
}

/// Whether a text is what a page shows of it. Blanks at the ends of lines do not count.
fn is_shown(said: &str, shown: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    };
    let (said, shown) = (lines(said), lines(shown));
    let mut said = said.as_slice();
    let mut parts = shown.split(|line| line == "...").peekable();
    let Some(first) = parts.next() else { return false };
    let Some(rest) = said.strip_prefix(first) else { return false };
    said = rest;
    if parts.peek().is_none() {
        return said.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return said.ends_with(part);
        }
        let found = said.windows(part.len().max(1)).position(|window| window == part);
        let Some(at) = found else { return false };
        said = &said[at + part.len()..];
    }
    true
}

fn commands(page: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut in_block = false;
    let mut is_continued = false;
    for line in page.lines() {
        match line {
            "```console" => in_block = true,
            "```" => in_block = false,
            _ if !in_block => {}
            line if is_continued => {
                let command = commands.last_mut().expect("a line goes on from another");
                is_continued = line.ends_with('\\');
                command.words.extend(words(line.trim_end_matches('\\')));
            }
            line => match line.strip_prefix("$ ") {
                Some(line) => {
                    is_continued = line.ends_with('\\');
                    let words = words(line.trim_end_matches('\\'));
                    commands.push(Command { words, output: String::new() });
                }
                None => {
                    let command = commands.last_mut().expect("a block begins with a command");
                    command.output.push_str(line);
                    command.output.push('\n');
                }
            },
        }
    }
    commands
}

/// Words as a shell takes them: apart by blanks, those in single quotes whole.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn pages_are_read_as_shells_would() {
    let page = "text\n```console\n$ cat a.zone\n; one\n; two\n$ quivive lint 'a b' \\\n   \
         --json\nsaid\n```\n";
    let command = |words: &[&str], output: &str| Command {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        output: output.to_owned(),
    };
    assert_eq!(
        commands(page),
        [
            command(&["cat", "a.zone"], "; one\n; two\n"),
            command(&["quivive", "lint", "a b", "--json"], "said\n"),
        ]
    );
}

#[test]
fn what_is_cut_may_be_anything() {
    assert!(is_shown("a\nb\nc\n", "a\nb\nc"));
    assert!(is_shown("a\nb\nc\n", "a\n...\nc"));
    assert!(is_shown("a\nb\nc\nd\n", "a\n...\nc\n..."));
    assert!(!is_shown("a\nb\nc\n", "a\nb"));
    assert!(!is_shown("a\nb\nc\n", "a\n...\nb"));
    assert!(!is_shown("b\n", "a"));
}
