use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static OCTETS: Cell<i64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread has asked for memory so far, growing included.
pub fn allocations() -> u64 {
    COUNT.with(Cell::get)
}

/// How many octets this thread has asked for and not given back; what it gives back of others
/// counts against it.
pub fn octets_in_use() -> i64 {
    OCTETS.with(Cell::get)
}

fn count(more: usize, less: usize) {
    // A thread that is ending has no count any more, and nothing to measure.
    let _ = COUNT.try_with(|count| count.set(count.get() + u64::from(more > 0)));
    let _ = OCTETS.try_with(|octets| octets.set(octets.get() + more as i64 - less as i64));
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches only a cell of
// this thread that needs neither memory nor a destructor.
#[expect(unsafe_code, reason = "the trait of allocators is unsafe")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }
}
