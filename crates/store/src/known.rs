//! What the writer knows to be in the file, so that it is neither made nor looked for again.
//!
//! Mail of a domain brings the same answers and the same findings with every message. Their ids
//! hold until something is taken out of the file, by this process or another: so each transaction
//! begins with [`Known::hold`].

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use quivive_evidence::{Finding, Recorded};
use serde::Serialize;

use crate::encode::{Digest, Key, Part};
use crate::queue;

/// How much memory the known parts of a kind take at most, in octets, as far as that can be told
/// in a hurry. Beyond, all are forgotten: those that matter come again.
pub(crate) const KNOWN_OCTETS_MAX: usize = 16 * 1024 * 1024;

/// How much memory a known part takes at most; a larger one is made anew each time.
const PLACE_OCTETS_MAX: usize = 256 * 1024;

/// How many words are known at most. A word has few octets.
pub(crate) const WORDS_MAX: usize = 32_768;

/// What is known of one file.
#[derive(Default)]
pub(crate) struct Known {
    removals: i64,
    batches: u64,
    findings: Shelf<Finding>,
    answers: Shelf<Recorded>,
    words: HashSet<Box<str>, RandomState>,
}

/// The parts of a batch, each once.
pub(crate) struct Parts {
    batch: u64,
    list: Vec<Listed>,
    fresh: Vec<Fresh>,
}

/// A part of a batch.
pub(crate) struct Listed {
    /// Its id in the file; 0: none yet.
    pub(crate) id: i64,
    /// By how many places in the batch it is used.
    pub(crate) uses: i64,
    /// How long it is as JSON.
    pub(crate) octets: usize,
    /// What is to be written, unless the part is known.
    pub(crate) part: Option<Part>,
    /// Its digest, once it is being written.
    pub(crate) digest: Digest,
}

/// Where a new part is remembered.
struct Fresh {
    kind: Kind,
    label: u64,
    place: usize,
}

/// What kind of part.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Finding,
    Answer,
}

/// A part of a case that may be known: of those with the same label the last one is.
pub(crate) trait Shelved: Clone + Eq + Serialize {
    /// Which it is.
    const KIND: Kind;
    /// What tells most of them apart.
    fn label(&self) -> impl Hash;
    /// About how much memory it takes.
    fn octets(&self) -> usize;
    /// Where those of its kind are.
    fn shelf(known: &mut Known) -> &mut Shelf<Self>;
}

/// Known parts of a kind.
pub(crate) struct Shelf<T> {
    places: HashMap<u64, Place<T>, RandomState>,
    octets: usize,
    labels: RandomState,
}

/// A known part.
struct Place<T> {
    value: T,
    /// 0 as long as its batch is not written.
    id: i64,
    json_octets: usize,
    /// The last batch that had it, and where.
    listed: (u64, usize),
}

impl Known {
    /// Forgets everything if something was taken out of the file since: `removals` counts that.
    pub(crate) fn hold(&mut self, removals: i64) {
        if self.removals != removals {
            *self = Self { removals, batches: self.batches, ..Self::default() };
        }
    }

    /// The parts of a new batch: none yet.
    pub(crate) fn parts(&mut self) -> Parts {
        self.batches += 1;
        Parts { batch: self.batches, list: Vec::new(), fresh: Vec::new() }
    }

    /// Lists a part, and says at which place.
    pub(crate) fn list<T: Shelved>(&mut self, value: &T, key: &Key, parts: &mut Parts) -> usize {
        let shelf = T::shelf(self);
        let label = shelf.labels.hash_one(value.label());
        // What was listed in an earlier batch and taken back has no id.
        let now = parts.batch;
        let is_known = |place: &&mut Place<T>| {
            place.value == *value && (place.id != 0 || place.listed.0 == now)
        };
        if let Some(place) = shelf.places.get_mut(&label).filter(is_known) {
            let (batch, index) = place.listed;
            if batch == now {
                parts.list[index].uses += 1;
                return index;
            }
            place.listed = (now, parts.list.len());
            let Place { id, json_octets, .. } = *place;
            return parts.push(Listed::new(id, json_octets, None));
        }
        let part = Part::new(value, key);
        let json_octets = part.content.len();
        let index = parts.push(Listed::new(0, json_octets, Some(part)));
        let listed = (parts.batch, index);
        if shelf.put(label, Place { value: value.clone(), id: 0, json_octets, listed }) {
            parts.fresh.push(Fresh { kind: T::KIND, label, place: index });
        }
        index
    }

    /// A batch is written: its new parts and words are known from now on.
    pub(crate) fn written(&mut self, parts: &Parts, words: Vec<String>) {
        for Fresh { kind, label, place } in &parts.fresh {
            let (id, listed) = (parts.list[*place].id, (parts.batch, *place));
            match kind {
                Kind::Finding => self.findings.name(*label, listed, id),
                Kind::Answer => self.answers.name(*label, listed, id),
            }
        }
        if self.words.len() + words.len() > WORDS_MAX {
            self.words.clear();
        }
        self.words.extend(words.into_iter().take(WORDS_MAX).map(String::into_boxed_str));
    }

    /// Whether a word is known to be in the file.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }
}

#[cfg(test)]
impl Known {
    /// About how much memory the parts take.
    pub(crate) fn octets(&self) -> usize {
        self.findings.octets + self.answers.octets
    }

    /// How many words there are.
    pub(crate) fn words(&self) -> usize {
        self.words.len()
    }
}

impl Parts {
    /// Takes back what was listed at these places.
    pub(crate) fn take_back(&mut self, places: &[usize]) {
        for place in places {
            self.list[*place].uses -= 1;
        }
    }

    /// The part at this place.
    pub(crate) fn at(&self, place: usize) -> &Listed {
        &self.list[place]
    }

    /// All that are used.
    pub(crate) fn used(&mut self) -> impl Iterator<Item = &mut Listed> {
        self.list.iter_mut().filter(|listed| listed.uses > 0)
    }

    fn push(&mut self, listed: Listed) -> usize {
        self.list.push(listed);
        self.list.len() - 1
    }
}

impl Listed {
    fn new(id: i64, octets: usize, part: Option<Part>) -> Self {
        Self { id, uses: 1, octets, part, digest: Digest::default() }
    }
}

impl<T: Shelved> Shelf<T> {
    /// Puts a part where it is found; `false` if it is too large.
    fn put(&mut self, label: u64, place: Place<T>) -> bool {
        let octets = place.value.octets();
        if octets > PLACE_OCTETS_MAX {
            return false;
        }
        if self.octets + octets > KNOWN_OCTETS_MAX {
            self.places.clear();
            self.octets = 0;
        }
        let before = self.places.insert(label, place);
        self.octets += octets;
        self.octets -= before.map_or(0, |before| before.value.octets());
        true
    }

    /// Says under which id the part that was listed there is in the file; without one it is not.
    fn name(&mut self, label: u64, listed: (u64, usize), id: i64) {
        if let Some(place) = self.places.get_mut(&label).filter(|place| place.listed == listed) {
            place.id = id;
        }
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { places: HashMap::default(), octets: 0, labels: RandomState::default() }
    }
}

impl Shelved for Finding {
    const KIND: Kind = Kind::Finding;

    fn label(&self) -> impl Hash {
        (self.method, self.identity, self.result, &*self.domain, &*self.cause)
    }

    fn octets(&self) -> usize {
        queue::of_finding(self)
    }

    fn shelf(known: &mut Known) -> &mut Shelf<Self> {
        &mut known.findings
    }
}

impl Shelved for Recorded {
    const KIND: Kind = Kind::Answer;

    fn label(&self) -> impl Hash {
        &self.question
    }

    fn octets(&self) -> usize {
        queue::of_answer(self)
    }

    fn shelf(known: &mut Known) -> &mut Shelf<Self> {
        &mut known.answers
    }
}
