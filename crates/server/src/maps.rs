//! Maps that mail servers look addresses up in, by socketmap and by tcp_table.

mod conversation;
mod socketmap;
mod tcp_table;
#[cfg(test)]
mod tests;

use quivive_postfix::Answer;

pub(crate) use self::conversation::{Door, converse};
pub use self::socketmap::Socketmap;
pub use self::tcp_table::TcpTable;

/// A map: says what belongs to a key, from memory and at once.
pub trait Map: Send + Sync {
    /// What belongs to the key.
    fn look_up(&self, key: &str) -> Answer;
}

/// What a program hears for which there is no place.
const NO_PLACE: Answer = Answer::Temporary("too many connections; try again later");

/// What is not UTF-8 is no address, and so no key.
fn look_up(map: &dyn Map, key: &[u8]) -> Answer {
    match str::from_utf8(key) {
        Ok(key) => map.look_up(key),
        Err(_) => Answer::NotFound("this is not UTF-8"),
    }
}
