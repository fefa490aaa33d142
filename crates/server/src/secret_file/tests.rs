use std::fs::{Permissions, metadata, read_dir, set_permissions};
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

const KIND: Kind = Kind { name: "file of words", octets_max: 100, cure: "write one" };

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words");
    (folder, path)
}

fn add(path: &Path, trust: Trust, word: &str) -> Result<usize, FileError> {
    change(KIND, path, trust, |octets| {
        let mut octets = octets.unwrap_or_default().to_vec();
        octets.extend_from_slice(word.as_bytes());
        let length = octets.len();
        Ok((octets, length))
    })
}

fn mode(path: &Path) -> u32 {
    metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_file_is_made_for_its_owner_and_changed_as_a_whole() {
    let (folder, path) = file();
    let absent = read(KIND, &path, Trust::IfClosed).unwrap_err().to_string();
    assert!(absent.starts_with("there is no file of words /"), "{absent}");
    assert!(absent.ends_with("; write one"), "{absent}");
    assert_eq!(add(&path, Trust::IfClosed, "one ").unwrap(), 4);
    assert_eq!(mode(&path), 0o600);
    set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(add(&link, Trust::IfClosed, "two").unwrap(), 7);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "a link stays one");
    assert_eq!(mode(&path), 0o640);
    assert_eq!(read(KIND, &path, Trust::IfClosed).unwrap(), b"one two");
    assert_eq!(read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
}

#[test]
fn what_others_could_read_or_change_counts_only_where_that_is_wanted() {
    let (_folder, path) = file();
    add(&path, Trust::IfClosed, "x").unwrap();
    for open in [0o644, 0o660, 0o602, 0o601] {
        set_permissions(&path, Permissions::from_mode(open)).unwrap();
        let error = read(KIND, &path, Trust::IfClosed).unwrap_err().to_string();
        let cure = format!("(mode {open:03o}); say: chmod {:03o} /", open & 0o750);
        assert!(error.contains(&cure), "{error}");
        assert!(add(&path, Trust::IfClosed, "x").is_err());
        assert_eq!(mode(&path), open, "nothing has changed");
        read(KIND, &path, Trust::InAnyCase).unwrap();
        add(&path, Trust::InAnyCase, "x").unwrap();
        assert_eq!(mode(&path), open & 0o750, "a change closes it");
    }
}

#[test]
fn files_are_bounded_and_are_files() {
    let (folder, path) = file();
    add(&path, Trust::IfClosed, &"x".repeat(KIND.octets_max)).unwrap();
    assert_eq!(read(KIND, &path, Trust::IfClosed).unwrap().len(), KIND.octets_max);
    add(&path, Trust::IfClosed, "x").unwrap();
    for trust in [Trust::IfClosed, Trust::InAnyCase] {
        let error = read(KIND, &path, trust).unwrap_err();
        assert!(matches!(error, FileError::Other { .. }), "{error}");
    }
    let error = read(KIND, folder.path(), Trust::IfClosed).unwrap_err();
    assert!(matches!(error, FileError::Other { .. }), "{error}");
}

#[test]
fn changes_that_cannot_be_made_change_nothing() {
    let (folder, path) = file();
    add(&path, Trust::IfClosed, "one").unwrap();
    let refused = change(KIND, &path, Trust::IfClosed, |_| {
        Err::<(Vec<u8>, ()), _>(FileError::Line {
            path: path.clone(),
            line: 1,
            problem: "no".to_owned(),
        })
    });
    assert!(refused.unwrap_err().to_string().ends_with("words:1: no"));
    assert_eq!(read(KIND, &path, Trust::IfClosed).unwrap(), b"one");
    assert_eq!(read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = folder.path().join("no/folder");
    let error = add(&nowhere, Trust::IfClosed, "x").unwrap_err();
    assert!(matches!(error, FileError::Unwritable { .. }), "{error}");
}
