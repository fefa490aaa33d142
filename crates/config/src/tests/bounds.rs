//! No text makes the parser panic or grow, and files are read as texts are.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::contract::CONTRACT;
use super::errors;
use crate::{Config, ERRORS_MAX, EXCEPTIONS_MAX, FILE_OCTETS_MAX, LIST_MAX, LISTENERS_MAX, sample};

#[test]
fn a_text_has_a_bound() {
    let comment = format!("#{}", "x".repeat(FILE_OCTETS_MAX - 1));
    assert_eq!(errors(&comment), [""; 0]);
    let error = format!("configuration: the configuration is longer than {FILE_OCTETS_MAX} octets");
    assert_eq!(errors(&format!("{comment}x")), [error]);
}

#[test]
fn listeners_have_a_bound() {
    let listen = "[[listen]]\ndoor=\"gateway\"\naddress=\"[::1]:0\"\nnext_hop=\"maildir:m\"\n";
    assert_eq!(errors(&listen.repeat(LISTENERS_MAX)), [""; 0]);
    let error = "257:1: too many listeners: 65, at most 64 are taken";
    assert_eq!(errors(&listen.repeat(LISTENERS_MAX + 1)), [error]);
}

#[test]
fn exceptions_have_a_bound() {
    let exceptions = |count| {
        let exception = "{domains=[\"a.test\"],skip=true},";
        format!("exception = [{}]", exception.repeat(count))
    };
    assert_eq!(errors(&exceptions(EXCEPTIONS_MAX)), [""; 0]);
    let error = "1:310014: too many values: 10001, at most 10000 are taken";
    assert_eq!(errors(&exceptions(EXCEPTIONS_MAX + 1)), [error]);
}

#[test]
fn lists_have_a_bound() {
    let servers = |count| format!("resolver.servers = [{}]", "\"::1\",".repeat(count));
    assert_eq!(errors(&servers(LIST_MAX)), [""; 0]);
    assert_eq!(errors(&servers(LIST_MAX + 1)).len(), 1);
}

#[test]
fn errors_have_a_bound() {
    let keys: String = (0..=ERRORS_MAX).map(|key| format!("key{key} = 1\n")).collect();
    assert_eq!(errors(&keys).len(), ERRORS_MAX);
    assert_eq!(errors(&"a = 1\n".repeat(2 * ERRORS_MAX)).len(), ERRORS_MAX);
}

#[test]
fn a_deep_table_is_an_error() {
    let deep = format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(errors(&deep)[0].contains("max recursion depth"), "{:?}", errors(&deep)[0]);
}

#[test]
fn a_files_folder_is_where_paths_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    fs::write(&path, "[resolver]\nzone = \"z.zone\"\n").unwrap();
    let zone = Config::read(&path).unwrap().resolver.zone;
    assert_eq!(zone, Some(folder.path().join("z.zone")));
}

#[test]
fn a_files_errors_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    let only_error = |octets: &[u8]| {
        fs::write(&path, octets).unwrap();
        let errors = Config::read(&path).unwrap_err();
        let [error] = &errors[..] else { panic!("one error, not {errors:?}") };
        error.to_string().replace(path.to_str().unwrap(), "quivive.toml")
    };
    let unknown = "quivive.toml:1:1: unknown key `hostnam`; did you mean `hostname`?";
    assert_eq!(only_error(b"hostnam = 1"), unknown);
    let not_utf8 = "quivive.toml:2:4: this is not UTF-8; TOML is written in UTF-8 only";
    assert_eq!(only_error(b"#\n# \xc3\xbc\xff"), not_utf8);
    let long = "quivive.toml: the configuration is longer than 1048576 octets";
    assert_eq!(only_error(&vec![b'#'; FILE_OCTETS_MAX + 1]), long);
    let missing = Config::read(&folder.path().join("none.toml")).unwrap_err();
    assert!(missing[0].to_string().ends_with("none.toml: cannot read this file: entity not found"));
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Config::parse(&String::from_utf8_lossy(&octets), Path::new("/"));
    }

    #[test]
    fn no_words_make_it_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\n", "\"", "\"\"", "1", "true", "[]",
                "listen", "door", "\"gateway\"", "\"milter\"", "tls", "actions", "spf", "mailfrom",
                "fail", "\"reject\"", "methods", "exception", "resolver", "servers", "zone", "#",
            ]),
            0..60,
        ),
    ) {
        let _ = Config::parse(&words.concat(), Path::new("/"));
    }

    /// Lines of a good text, some of them lost, doubled or in another order.
    #[test]
    fn no_order_of_lines_makes_it_panic(
        lines in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let all = format!("{CONTRACT}{}", sample());
        let all: Vec<_> = all.lines().collect();
        let text: Vec<_> = lines.iter().map(|index| *index.get(&all)).collect();
        let _ = Config::parse(&text.join("\n"), Path::new("/"));
    }
}
