use super::*;

async fn filled(folder: &std::path::Path, octets: &[u8], piece: usize) -> Spool {
    let mut writer = SpoolWriter::new(folder, u64::MAX);
    for chunk in octets.chunks(piece) {
        assert_eq!(writer.write(chunk).await.unwrap(), Fit::Kept);
    }
    writer.finish().await.unwrap().unwrap()
}

async fn whole(spool: &Spool) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut chunks = spool.chunks();
    while let Some(chunk) = chunks.next().await.unwrap() {
        assert!((1..=CHUNK_MAX).contains(&chunk.len()));
        octets.extend_from_slice(chunk);
    }
    octets
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

#[tokio::test]
async fn small_messages_stay_in_memory() {
    for length in [0, 1, MEMORY_MAX] {
        let octets = pattern(length);
        let spool = filled("no folder at all".as_ref(), &octets, 5_000).await;
        assert!(!spool.is_in_file());
        assert_eq!(whole(&spool).await, octets);
        assert_eq!(spool.length(), length as u64);
    }
}

#[tokio::test]
async fn large_messages_go_to_a_file_without_a_name() {
    let folder = tempfile::tempdir().unwrap();
    for (length, piece) in [(MEMORY_MAX + 1, 4096), (1_000_003, 777), (2_000_000, 900_000)] {
        let octets = pattern(length);
        let spool = filled(folder.path(), &octets, piece).await;
        assert!(spool.is_in_file());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(whole(&spool).await, octets);
        assert_eq!(whole(&spool).await, octets);
    }
}

#[tokio::test]
async fn readers_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let octets = pattern(400_000);
    let spool = filled(folder.path(), &octets, 8192).await;
    let (mut one, mut two) = (spool.chunks(), spool.chunks());
    assert_eq!(one.next().await.unwrap().unwrap(), &octets[..CHUNK_MAX]);
    assert_eq!(one.next().await.unwrap().unwrap(), &octets[CHUNK_MAX..2 * CHUNK_MAX]);
    assert_eq!(two.next().await.unwrap().unwrap(), &octets[..CHUNK_MAX]);
}

#[tokio::test]
async fn the_limit_is_a_value() {
    let folder = tempfile::tempdir().unwrap();
    for limit in [10, 300_000] {
        let mut writer = SpoolWriter::new(folder.path(), limit);
        assert_eq!(writer.write(&pattern(limit as usize)).await.unwrap(), Fit::Kept);
        assert_eq!(writer.write(b"").await.unwrap(), Fit::Kept);
        assert_eq!(writer.write(b"x").await.unwrap(), Fit::TooLarge);
        assert_eq!(writer.write(b"x").await.unwrap(), Fit::TooLarge);
        assert_eq!(writer.length(), limit + 2);
        assert!(writer.finish().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_missing_folder_is_named_and_ends_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let mut writer = SpoolWriter::new(&missing, u64::MAX);
    let error = writer.write(&pattern(MEMORY_MAX + 1)).await.unwrap_err();
    assert!(matches!(error, SpoolError::Create { .. }));
    assert!(error.to_string().contains("missing"), "{error}");
    assert!(matches!(writer.write(b"x").await, Err(SpoolError::Write { .. })));
    assert!(matches!(writer.finish().await, Err(SpoolError::Write { .. })));
}

#[tokio::test]
async fn a_full_disk_is_an_error() {
    let mut writer = SpoolWriter::new("spool", u64::MAX);
    writer.file = Some(File::options().write(true).open("/dev/full").unwrap());
    let error = writer.write(&pattern(CHUNK_MAX + 1)).await.unwrap_err();
    assert!(matches!(error, SpoolError::Write { .. }), "{error}");
    assert!(writer.finish().await.is_err());
}

#[tokio::test]
async fn a_write_that_was_given_up_ends_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::new(folder.path(), u64::MAX);
    let octets = pattern(MEMORY_MAX + 1);
    {
        let mut write = std::pin::pin!(writer.write(&octets));
        let waker = std::task::Waker::noop();
        let _ = write.as_mut().poll(&mut std::task::Context::from_waker(waker));
    }
    // The write may have come to its end at once; then nothing was given up.
    let given_up = writer.broken;
    assert_eq!(writer.finish().await.is_err(), given_up);
}

#[tokio::test]
async fn a_file_that_shrank_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let spool = filled(folder.path(), &pattern(400_000), 8192).await;
    spool.cut_for_test(CHUNK_MAX as u64);
    let mut chunks = spool.chunks();
    assert!(chunks.next().await.is_ok());
    assert!(matches!(chunks.next().await, Err(SpoolError::Read { .. })));
}
