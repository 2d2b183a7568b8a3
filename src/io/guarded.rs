//! Work of other crates that may panic where a file is damaged.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread does such work just now.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Says that a thread does such work, until it is dropped.
struct Guard {
    before: bool,
}

impl Guard {
    fn new() -> Guard {
        Guard { before: IS_GUARDED.replace(true) }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        IS_GUARDED.set(self.before);
    }
}

/// What a function of another crate returns; `None` where it panics, of which nothing is printed.
///
/// Nothing of our own belongs into it: a fault of ours has to be seen. Panics elsewhere, and those
/// of other threads at the same time, go to the hook that was there before.
pub(super) fn guarded<T>(foreign: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            // A thread that is about to end has no such flag any more.
            if !IS_GUARDED.try_with(Cell::get).unwrap_or(false) {
                before(panic);
            }
        }));
    });
    let _guard = Guard::new();
    catch_unwind(AssertUnwindSafe(foreign)).ok()
}

#[cfg(test)]
mod tests {
    use super::{IS_GUARDED, guarded};

    #[test]
    fn only_what_is_guarded_panics_in_silence() {
        let is_guarded = || IS_GUARDED.get();
        assert_eq!(guarded(is_guarded), Some(true));
        assert!(!is_guarded());
        assert_eq!(guarded(|| -> usize { panic!("in silence") }), None);
        assert!(!is_guarded(), "a panic leaves it as it was");
        let within = || (guarded(|| -> usize { panic!("in silence") }), is_guarded());
        assert_eq!(guarded(within), Some((None, true)), "one within another");
        let other = guarded(|| std::thread::spawn(is_guarded).join().unwrap());
        assert_eq!(other, Some(false), "other threads are heard meanwhile");
    }
}
