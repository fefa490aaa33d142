//! Replies of next hops, in whole and octet by octet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_smtp::{Extensions, Reply, ReplyDecoder, ReplyError};

fuzz_target!(|input: &[u8]| {
    let whole = replies(input, input.len().max(1));
    assert_eq!(whole, replies(input, 1));
    for reply in whole.0 {
        let mut written = Vec::new();
        reply.write(&mut written);
        let text = &written[..written.len() - 2];
        assert!(written.ends_with(b"\r\n"));
        assert!(text.split(|octet| *octet == b'\n').all(|line| line.len() >= 4), "{reply:?}");
        let _ = Extensions::parse(&reply);
    }
});

fn replies(input: &[u8], piece: usize) -> (Vec<Reply>, Option<ReplyError>) {
    let mut decoder = ReplyDecoder::new();
    let mut replies = Vec::new();
    let (mut start, mut end) = (0, 0);
    loop {
        match decoder.decode(&input[start..end]) {
            Ok((consumed, reply)) => {
                start += consumed;
                let some = reply.is_some();
                replies.extend(reply);
                if some {
                    continue;
                }
            }
            Err(error) => return (replies, Some(error)),
        }
        if end == input.len() {
            return (replies, None);
        }
        end = input.len().min(end + piece);
    }
}
