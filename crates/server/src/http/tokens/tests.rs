use std::fs::{Permissions, metadata, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::secret_file::FileError;

fn token(name: &str, expires: Option<u64>) -> (Token, String) {
    Token::new(name, [Scope::Check], expires).unwrap()
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    (folder, path)
}

fn mode(path: &PathBuf) -> u32 {
    metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_token_is_found_by_its_whole_text() {
    let (first, first_text) = token("first", None);
    let (second, second_text) = token("second", None);
    let mut list = TokenList::default();
    list.add(first.clone()).unwrap();
    list.add(second.clone()).unwrap();
    assert_eq!(list.find(&first_text, 0), Some(&first));
    assert_eq!(list.find(&second_text, 0), Some(&second));
    assert_eq!(first_text.len(), PREFIX.len() + 43);
    let cut = &first_text[..first_text.len() - 1];
    let longer = format!("{first_text}A");
    for text in ["", cut, &longer, PREFIX, &first_text.to_uppercase(), "first", "é"] {
        assert_eq!(list.find(text, 0), None, "{text}");
    }
}

#[test]
fn tokens_expire() {
    let (token, text) = token("a", Some(1_000));
    let mut list = TokenList::default();
    list.add(token).unwrap();
    assert!(list.find(&text, 999).is_some());
    assert!(list.find(&text, 1_000).is_none());
}

#[test]
fn names_are_one_word_and_differ() {
    for name in ["", "a b", "-a", "a/b", "a\n", "é", &"a".repeat(NAME_OCTETS_MAX + 1)] {
        assert_eq!(Token::new(name, [Scope::Check], None).err(), Some(TokenError::Name), "{name}");
    }
    assert_eq!(Token::new("a", [], None).err(), Some(TokenError::NoScope));
    let mut list = TokenList::default();
    list.add(token("a", None).0).unwrap();
    assert_eq!(list.add(token("a", None).0), Err(TokenError::Taken("a".to_owned())));
    list.revoke("a").unwrap();
    assert_eq!(list.revoke("a"), Err(TokenError::Unknown("a".to_owned())));
    list.add(token("a", None).0).unwrap();
}

#[test]
fn there_are_not_too_many() {
    let mut list = TokenList::default();
    for index in 0..TOKENS_MAX {
        list.add(token(&index.to_string(), None).0).unwrap();
    }
    assert_eq!(list.add(token("more", None).0), Err(TokenError::TooMany));
}

#[test]
fn a_line_that_cannot_be_used_is_named() {
    let hash = format!("{HASHED_BY}{}", "ab".repeat(32));
    for (line, word) in [
        ("a check never".to_owned(), "a line has"),
        (format!("a/b check never {hash}"), "name"),
        (format!("a spam never {hash}"), "`spam` is no scope"),
        (format!("a check soon {hash}"), "`soon` is no time"),
        (format!("a check 1960-01-01T00:00:00Z {hash}"), "is no time"),
        (format!("a check never {}", &hash[7..]), "the hash"),
        (format!("a check never {hash}ab"), "the hash"),
        (format!("a check never {}", hash.to_uppercase()), "the hash"),
        (format!("a check never {hash}\nb check never {hash} x"), "a line has"),
        (format!("a check never {hash}\na check never {hash}"), "already"),
    ] {
        let text = format!("# remark\n\n{line}\n");
        let (number, problem) = TokenList::parse(&text).unwrap_err();
        assert_eq!(number, 2 + line.lines().count());
        assert!(problem.contains(word), "{problem}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "([a-c] (check,?|cases|probe)* (never|2027-01-31T12:00:00Z)? ?\
                                       (sha256:)?[0-9a-f]{0,64}\n?|#.*\n|.{0,20}){0,4}") {
        let _ = TokenList::parse(&text);
    }

    #[test]
    fn what_is_written_is_read(names in proptest::collection::btree_set("[A-Za-z0-9_.]{1,8}", 0..9),
                               expires in proptest::option::of(0_u64..4_000_000_000)) {
        let mut list = TokenList::parse("# remark\n\n").unwrap();
        for name in names {
            list.add(Token::new(&name, Scope::ALL.iter().copied(), expires).unwrap().0).unwrap();
        }
        prop_assert_eq!(TokenList::parse(&list.to_string()), Ok(list));
    }
}

#[test]
fn a_file_is_made_for_its_owner_and_keeps_its_mode_and_remarks() {
    let (_folder, path) = file();
    assert!(matches!(read(&path), Err(TokensError::File(FileError::Absent { .. }))));
    let (first, text) = token("first", None);
    change(&path, |list| list.add(first)).unwrap();
    assert_eq!(mode(&path), NEW_MODE_SEEN);
    assert!(read(&path).unwrap().find(&text, 0).is_some());
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.starts_with("# The tokens") && !written.contains(&text), "{written}");
    write(&path, written + "# mine\n").unwrap();
    set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    change(&path, |list| list.add(token("second", None).0)).unwrap();
    change(&path, |list| list.revoke("first")).unwrap();
    assert_eq!(mode(&path), 0o640);
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("# mine\nsecond check never"), "{written}");
}

const NEW_MODE_SEEN: u32 = 0o600;

#[test]
fn a_change_that_cannot_be_made_changes_nothing() {
    let (folder, path) = file();
    change(&path, |list| list.add(token("a", None).0)).unwrap();
    let before = std::fs::read_to_string(&path).unwrap();
    let error = change(&path, |list| list.revoke("b")).unwrap_err();
    assert!(error.to_string().contains("there is no token `b`"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "nothing is left behind");
    let nowhere = folder.path().join("no/folder");
    let error = change(&nowhere, |list| list.revoke("b")).unwrap_err();
    assert!(matches!(error, TokensError::File(FileError::Unwritable { .. })), "{error}");
}

#[test]
fn changes_at_the_same_time_are_all_made() {
    let (_folder, path) = file();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let path = &path;
            scope.spawn(move || {
                for index in 0..5 {
                    let name = format!("{thread}-{index}");
                    change(path, |list| list.add(token(&name, None).0)).unwrap();
                }
            });
        }
    });
    assert_eq!(read(&path).unwrap().tokens().count(), 40);
}

#[test]
fn what_others_could_change_or_read_is_refused_with_the_cure() {
    let (folder, path) = file();
    change(&path, |list| list.add(token("a", None).0)).unwrap();
    for (mode, is_taken) in [
        (0o600, true),
        (0o400, true),
        (0o640, true),
        (0o644, false),
        (0o660, false),
        (0o602, false),
        (0o601, false),
    ] {
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        match read(&path) {
            Ok(_) => assert!(is_taken, "{mode:o}"),
            Err(error) => {
                assert!(!is_taken, "{error}");
                let named = error.to_string();
                let cure = format!("chmod {:03o} ", mode & 0o750);
                assert!(named.contains(&format!("mode {mode:03o}")) && named.contains(&cure));
                // Nor is it written: others could have put in what would be taken over.
                assert!(change(&path, |_| Ok(())).is_err());
            }
        }
    }
    let error = read(folder.path()).unwrap_err();
    assert!(matches!(error, TokensError::File(FileError::Other { .. })));
}

#[test]
fn a_file_is_bounded() {
    let (_folder, path) = file();
    write(&path, "#".repeat(FILE_OCTETS_MAX)).unwrap();
    set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(read(&path).unwrap().tokens().count(), 0);
    write(&path, "#".repeat(FILE_OCTETS_MAX + 1)).unwrap();
    assert!(matches!(read(&path), Err(TokensError::File(FileError::Other { .. }))));
}

#[tokio::test]
async fn tokens_are_followed_while_their_file_changes() {
    let (_folder, path) = file();
    let (first, text) = token("first", None);
    change(&path, |list| list.add(first)).unwrap();
    let tokens = Tokens::looking(&path, Duration::ZERO).unwrap();
    assert!(tokens.current().await.find(&text, 0).is_some());
    change(&path, |list| list.revoke("first")).unwrap();
    assert!(tokens.current().await.find(&text, 0).is_none());
    let (second, text) = token("second", None);
    change(&path, |list| list.add(second)).unwrap();
    assert!(tokens.current().await.find(&text, 0).is_some());
    // What cannot be used changes nothing.
    write(&path, "nonsense\n").unwrap();
    assert!(tokens.current().await.find(&text, 0).is_some());
    std::fs::remove_file(&path).unwrap();
    assert!(tokens.current().await.find(&text, 0).is_some());
    change(&path, |list| list.add(token("third", None).0)).unwrap();
    assert!(tokens.current().await.find(&text, 0).is_none());
}

#[tokio::test]
async fn the_file_is_not_looked_at_for_every_request() {
    let (_folder, path) = file();
    let (first, text) = token("first", None);
    change(&path, |list| list.add(first)).unwrap();
    let tokens = Tokens::looking(&path, Duration::from_secs(3600)).unwrap();
    change(&path, |list| list.revoke("first")).unwrap();
    assert!(tokens.current().await.find(&text, 0).is_some());
}
