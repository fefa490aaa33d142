use std::any::Any;
use std::fmt;
use std::sync::OnceLock;

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

impl Memo {
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
        assert_eq!(memo.get_or_make(|| 7_u32), &7);
        assert_eq!(memo.get_or_make(|| String::from("seven")), "seven");
        assert_eq!(memo.get_or_make(|| 8_u32), &7);
        assert_eq!(memo.get_or_make(|| String::from("eight")), "seven");
    }
}
