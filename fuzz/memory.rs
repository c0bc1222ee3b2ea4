//! What one input may cost in memory: counted exactly, without what libFuzzer itself keeps.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

/// Octets that an input may have in use at one time.
const MOST: isize = 64 << 20;

static USED: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

struct Counting;

impl Counting {
    fn add(octets: usize) {
        let used = USED.fetch_add(octets as isize, Ordering::Relaxed) + octets as isize;
        PEAK.fetch_max(used, Ordering::Relaxed);
    }
}

// SAFETY: every call goes on to the system's allocator as it is; only numbers are kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::add(layout.size());
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs a target, and panics if it took too much.
pub fn bounded(target: impl FnOnce()) {
    let before = USED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    target();
    let took = PEAK.load(Ordering::Relaxed) - before;
    assert!(took <= MOST, "the input took {took} octets");
}
