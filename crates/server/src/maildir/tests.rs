use std::os::unix::fs::PermissionsExt;

use quivive_mail::Charset;
use tempfile::TempDir;

use super::*;
use crate::spool::{MEMORY_MAX, Spool, SpoolWriter};

async fn spool(message: &[u8]) -> Spool {
    let mut writer = SpoolWriter::new(std::env::temp_dir(), u64::MAX);
    writer.write(message).await.unwrap();
    writer.finish().await.unwrap().unwrap()
}

fn paths(reverse_path: &str, recipients: &[&str]) -> (ReversePath, Vec<ForwardPath>) {
    let forward = |path: &&str| ForwardPath::parse(path.as_bytes(), Charset::Utf8).unwrap();
    let reverse_path = ReversePath::parse(reverse_path.as_bytes(), Charset::Utf8).unwrap();
    (reverse_path, recipients.iter().map(forward).collect())
}

async fn deliver(maildir: &Maildir, spool: &Spool) -> Result<String, MaildirError> {
    let (reverse_path, recipients) = paths("<a@b.test>", &["<\"../../x\"@c.test>", "<postmaster>"]);
    let envelope = Envelope { reverse_path: &reverse_path, recipients: &recipients };
    let new_fields = [("X".to_owned(), "y\r\n z".to_owned())];
    maildir.deliver(envelope, EditedMessage::new(spool, &new_fields, &[])).await
}

fn files(folder: &TempDir, name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.path().join("mail").join(name)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

async fn open(folder: &TempDir) -> Maildir {
    Maildir::open(folder.path().join("mail"), "mx.example.test").await.unwrap()
}

const TOP: &str = "Return-Path: <a@b.test>\n\
    Delivered-To: \"../../x\"@c.test\nDelivered-To: Postmaster\nX: y\n z\n";

#[tokio::test]
async fn a_message_becomes_one_file_in_new() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = open(&folder).await;
    let name = deliver(&maildir, &spool(b"To: x\r\n\r\nbody\r\n").await).await.unwrap();
    let file = folder.path().join("mail/new").join(&name);
    assert_eq!(files(&folder, "new"), std::slice::from_ref(&file));
    assert_eq!(files(&folder, "tmp"), Vec::<PathBuf>::new());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{TOP}To: x\n\nbody\n"));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&folder.path().join("mail/new")), 0o700);
}

#[tokio::test]
async fn a_large_message_with_lines_over_every_chunk_border() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = open(&folder).await;
    let message = "\r\n".to_owned() + &"line\r\nx\r\r\n".repeat(MEMORY_MAX / 3);
    let name = deliver(&maildir, &spool(message.as_bytes()).await).await.unwrap();
    let file = std::fs::read(folder.path().join("mail/new").join(name)).unwrap();
    assert!(file == [TOP, &message.replace("\r\n", "\n")].concat().as_bytes());
}

#[tokio::test]
async fn the_null_reverse_path() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = open(&folder).await;
    let (reverse_path, recipients) = paths("<>", &["<j\u{f6}rg@c.test>"]);
    let envelope = Envelope { reverse_path: &reverse_path, recipients: &recipients };
    let spool = spool(b"").await;
    maildir.deliver(envelope, EditedMessage::new(&spool, &[], &[])).await.unwrap();
    let text = std::fs::read_to_string(&files(&folder, "new")[0]).unwrap();
    assert_eq!(text, "Return-Path: <>\nDelivered-To: j\u{f6}rg@c.test\n");
}

#[tokio::test]
async fn names_are_unique_and_hold_nothing_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = Maildir::open(folder.path().join("mail"), "../a:b\0\u{f6}").await.unwrap();
    let spool = spool(b"To: x\r\n").await;
    let again = Maildir::open(folder.path().join("mail"), "../a:b\0\u{f6}").await.unwrap();
    let start = format!("P{}Q", std::process::id());
    for maildir in [&maildir, &again].repeat(10) {
        let name = deliver(maildir, &spool).await.unwrap();
        let (_, name) = name.split_once(&start).unwrap();
        let (delivery, host) = name.split_once('.').unwrap();
        assert!(delivery.parse::<u64>().is_ok(), "{name}");
        assert_eq!(host, "..\\057a\\072b\\000\\303\\266");
    }
    assert_eq!(files(&folder, "new").len(), 20);
}

#[tokio::test]
async fn an_error_in_the_middle_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = open(&folder).await;
    let spool = spool(&b"x: y\r\n".repeat(200_000)).await;
    spool.cut_for_test(4 * PENDING_MAX as u64);
    let error = deliver(&maildir, &spool).await.unwrap_err();
    assert!(matches!(error, MaildirError::Message(SpoolError::Read { .. })), "{error}");
    assert_eq!((files(&folder, "new").len(), files(&folder, "tmp").len()), (0, 0));
}

#[tokio::test]
async fn a_delivery_that_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = open(&folder).await;
    let (reverse_path, recipients) = paths("<>", &[]);
    let envelope = Envelope { reverse_path: &reverse_path, recipients: &recipients };
    let mut delivery = Delivery::new(&maildir.root, "name", envelope);
    delivery = delivery.write().unwrap();
    assert_eq!(files(&folder, "tmp").len(), 1);
    drop(delivery);
    assert_eq!(files(&folder, "tmp").len(), 0);
}

#[tokio::test]
async fn a_full_disk_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = open(&folder).await;
    let (reverse_path, recipients) = paths("<>", &[]);
    let envelope = Envelope { reverse_path: &reverse_path, recipients: &recipients };
    let mut delivery = Delivery::new(&maildir.root, "name", envelope).write().unwrap();
    delivery.file = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
    delivery.pending = b"x".to_vec();
    assert!(matches!(delivery.complete(), Err(MaildirError::Write { .. })));
    assert_eq!((files(&folder, "new").len(), files(&folder, "tmp").len()), (0, 0));
}

#[tokio::test]
async fn without_its_folders_nothing_is_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = open(&folder).await;
    let spool = spool(b"To: x\r\n").await;
    std::fs::remove_dir(folder.path().join("mail/new")).unwrap();
    let error = deliver(&maildir, &spool).await.unwrap_err();
    assert!(error.to_string().contains("mail/new"), "{error}");
    assert_eq!(files(&folder, "tmp").len(), 0);
    std::fs::remove_dir(folder.path().join("mail/tmp")).unwrap();
    let error = deliver(&maildir, &spool).await.unwrap_err();
    assert!(error.to_string().contains("mail/tmp"), "{error}");
}

#[tokio::test]
async fn folders_that_cannot_be_made_are_named() {
    // Neither in /proc nor below a file can anybody make a folder, the superuser included.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for root in [PathBuf::from("/proc/quivive"), file.join("mail")] {
        let error = Maildir::open(&root, "mx").await.unwrap_err();
        assert!(matches!(error, MaildirError::Prepare { .. }));
        assert!(error.to_string().contains(root.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn a_folder_that_may_not_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = open(&folder).await;
    let tmp = folder.path().join("mail/tmp");
    std::fs::set_permissions(&tmp, PermissionsExt::from_mode(0o500)).unwrap();
    // The superuser may write all the same.
    let may = std::fs::write(tmp.join("probe"), "").is_ok();
    let delivered = deliver(&maildir, &spool(b"To: x\r\n").await).await;
    assert_eq!(delivered.is_ok(), may);
    assert_eq!(files(&folder, "new").len(), usize::from(may));
}

#[tokio::test]
async fn leftovers_go_when_they_are_old() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await;
    let hour = Duration::from_secs(3600);
    for (name, age) in [("old", LEFTOVER_AGE + hour), ("young", LEFTOVER_AGE - hour)] {
        for place in ["tmp", "new"] {
            let file = File::create(folder.path().join("mail").join(place).join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
    }
    open(&folder).await;
    assert_eq!(files(&folder, "tmp"), [folder.path().join("mail/tmp/young")]);
    assert_eq!(files(&folder, "new").len(), 2);
}
