//! What the writer knows to be in the file, so that it is neither made nor looked for again.
//!
//! Ids of parts hold until something is taken out of the file, by this process or another: so each
//! transaction begins with [`Known::hold`].

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::part::Name;

/// How many parts are known at most. Beyond, all are forgotten: those that matter come again.
pub(crate) const PARTS_MAX: usize = 131_072;

/// How many words are known at most. A word has few octets.
pub(crate) const WORDS_MAX: usize = 32_768;

/// What is known of one file.
#[derive(Default)]
pub(crate) struct Known {
    removals: i64,
    parts: HashMap<Name, i64, RandomState>,
    words: HashSet<Box<str>, RandomState>,
}

impl Known {
    /// Forgets everything if something was taken out of the file since: `removals` counts that.
    pub(crate) fn hold(&mut self, removals: i64) {
        if self.removals != removals {
            *self = Self { removals, ..Self::default() };
        }
    }

    /// Under which id a part is in the file.
    pub(crate) fn part(&self, name: Name) -> Option<i64> {
        self.parts.get(&name).copied()
    }

    /// Whether a word is in the file.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// A batch is written: its parts and words are known from now on.
    pub(crate) fn written(&mut self, parts: &HashMap<Name, i64, RandomState>, words: Vec<String>) {
        if self.parts.len() + parts.len() > PARTS_MAX {
            self.parts.clear();
        }
        self.parts.extend(parts.iter().take(PARTS_MAX));
        if self.words.len() + words.len() > WORDS_MAX {
            self.words.clear();
        }
        self.words.extend(words.into_iter().take(WORDS_MAX).map(String::into_boxed_str));
    }
}

#[cfg(test)]
impl Known {
    /// How many parts and words there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.parts.len(), self.words.len())
    }
}
