//! Command lines of clients.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_smtp::Command;

fuzz_target!(|line: &[u8]| match Command::parse(line) {
    Ok(command) => {
        let written = command.to_string();
        assert!(!written.contains(char::is_control), "{written:?}");
        assert_eq!(Command::parse(written.as_bytes()).as_ref(), Ok(&command), "{written:?}");
    }
    Err(error) => assert!((500..=599).contains(&error.reply.code)),
});
