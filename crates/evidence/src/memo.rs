use std::any::Any;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What methods have derived from an answer, kept beside it: parsed records, compiled policies.
///
/// Each derived type has one place and is made at most once. It lives exactly as long as the
/// answer, so that it needs no key, no eviction and no invalidation of its own, and looking it up
/// takes no lock and no allocation.
#[derive(Default)]
pub struct Memo {
    slot: OnceLock<Box<Slot<dyn Any + Send + Sync>>>,
}

struct Slot<T: ?Sized> {
    next: Memo,
    value: T,
}

/// How many octets of memory methods may derive from a name's answers together with others, the
/// text of its own records not counted. Whoever keeps evidence counts with the most.
pub const DERIVED_OCTETS_MAX: usize = 16 << 10;

/// What methods have derived from an answer together with others of the same evidence: what a
/// domain's policy comes to with all that it includes.
///
/// Evidence that has one never changes an answer, so that what was derived from answers alone stays
/// true as long as the evidence lives. It is for evidence that outlives a message: whoever derives
/// something waits until it was [used](Derived::count_use) often. A copy of the evidence begins
/// without.
#[derive(Debug, Default)]
pub struct Derived {
    memo: Memo,
    uses: AtomicU32,
}

impl Derived {
    /// What was derived.
    pub fn memo(&self) -> &Memo {
        &self.memo
    }

    /// Counts a use: how many there were before. Of uses at once some may not be counted.
    pub fn count_use(&self) -> u32 {
        let uses = self.uses.load(Ordering::Relaxed);
        self.uses.store(uses.saturating_add(1), Ordering::Relaxed);
        uses
    }
}

/// A copy of evidence goes its own way.
impl Clone for Derived {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Memo {
    /// The derived value of type `T`, if it was made.
    #[inline]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        let mut memo = self;
        loop {
            let slot = memo.slot.get()?;
            if let Some(value) = slot.value.downcast_ref() {
                return Some(value);
            }
            memo = &slot.next;
        }
    }

    /// The derived value of type `T`, made by `make` on first use.
    pub fn get_or_make<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> &T {
        let mut make = Some(make);
        let mut memo = self;
        loop {
            let slot = memo.slot.get_or_init(|| {
                // Called at most once: a slot that this call fills holds a T and ends the loop.
                let make = make.take().expect("a filled slot of type T ends the search");
                Box::new(Slot { value: make(), next: Memo::default() })
            });
            if let Some(value) = slot.value.downcast_ref() {
                return value;
            }
            memo = &slot.next;
        }
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_made_once() {
        let memo = Memo::default();
        assert_eq!(memo.get::<u32>(), None);
        assert_eq!(memo.get_or_make(|| 7_u32), &7);
        assert_eq!(memo.get_or_make(|| String::from("seven")), "seven");
        assert_eq!(memo.get_or_make(|| 8_u32), &7);
        assert_eq!(memo.get_or_make(|| String::from("eight")), "seven");
        assert_eq!(memo.get::<String>().map(String::as_str), Some("seven"));
        assert_eq!(memo.get::<u64>(), None);
    }

    #[test]
    fn a_copy_of_evidence_begins_without_what_was_derived() {
        let derived = Derived::default();
        assert_eq!((derived.count_use(), derived.count_use()), (0, 1));
        derived.memo().get_or_make(|| 7_u32);
        let copy = derived.clone();
        assert_eq!((copy.count_use(), copy.memo().get::<u32>()), (0, None));
        assert_eq!(derived.memo().get::<u32>(), Some(&7));
    }
}
