//! Memory that is given back is wiped first.
//!
//! Keys, shares and masks lie in `Secret`s, which wipe what they hold. But a
//! number is more than the value that is kept of it: libraries of big integers
//! copy a prime into the tables of a primality test, a vector that grows leaves
//! its old self behind, a parser takes a copy. None of that can be reached from
//! outside, all of it is freed, and what is freed stays as it was until somebody
//! is given the same place. So freeing is where it is wiped, once, for this
//! whole process and every library in it.
//!
//! It costs a pass over memory that was in a cache a moment ago, which is little
//! beside what was done to it. What it does not reach: stacks and registers of
//! threads, what C libraries allocate for themselves (the one for TLS wipes its
//! own keys), and pages that the system has swapped out.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
    ptr,
};

/// The system's allocator, which is given nothing back with something in it.
pub(crate) struct Wiping;

// SAFETY: every call goes to the system's allocator with the arguments that the
// caller vouches for. `realloc` is left to the trait, which allocates, copies
// and frees by the methods here: the old place is wiped too.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the place has the size of its layout, and is the caller's
        // until this call ends. Whoever optimises must take `black_box` for a
        // reader, so that nobody leaves out what is written to what is freed.
        unsafe {
            ptr::write_bytes(place, 0, layout.size());
            black_box(place);
            System.dealloc(place, layout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place that was freed may be anybody's, so the allocator below is one
    /// that looks at it before.
    #[test]
    fn what_is_freed_is_empty() {
        let layout = Layout::array::<u8>(4096).unwrap_or(Layout::new::<u8>());
        // SAFETY: the place is allocated, written to and looked at within its
        // layout, and freed once.
        unsafe {
            let place = Wiping.alloc(layout);
            assert!(!place.is_null());
            ptr::write_bytes(place, 0xa5, layout.size());
            let grown = Wiping.realloc(place, layout, 2 * layout.size());
            assert!(!grown.is_null());
            let kept = std::slice::from_raw_parts(grown, layout.size());
            assert!(
                kept.iter().all(|byte| *byte == 0xa5),
                "growing keeps what is there"
            );
            let grown_layout = Layout::from_size_align_unchecked(2 * layout.size(), layout.align());
            Wiping.dealloc(grown, grown_layout);
        }
    }
}
