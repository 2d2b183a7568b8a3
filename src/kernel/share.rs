//! Cores of idle workers that help with the products of a busy one.
//!
//! A worker alone has one core, whose memory bandwidth is what a single sequence waits for. Where
//! others are idle, large products are shared out by columns, of which each is computed as ever: no
//! result depends on who helps.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::cell::Cell;
use std::sync::OnceLock;

thread_local! {
    /// Threads that share a product of this one, itself included.
    static THREADS: Cell<usize> = const { Cell::new(1) };
}

/// Calls `work` with up to so many threads, the calling one included, to share its products.
pub fn with_helpers<T>(threads: usize, work: impl FnOnce() -> T) -> T {
    /// Puts the number back, even when the work panics.
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            THREADS.set(self.0);
        }
    }
    let _restore = Restore(THREADS.replace(threads.max(1)));
    work()
}

/// Threads that share a product of this one, itself included.
pub(super) fn threads() -> usize {
    match THREADS.get() {
        1 => 1,
        threads => helpers().map_or(1, |pool| threads.min(pool.current_num_threads() + 1)),
    }
}

/// Runs `own` on this thread, and `part` for each of the parts on helpers meanwhile.
pub(super) fn together<P: Send>(own: impl FnOnce(), parts: &mut [P], part: impl Fn(&mut P) + Sync) {
    let Some(pool) = helpers() else {
        parts.iter_mut().for_each(part);
        return own();
    };
    pool.in_place_scope(|scope| {
        for one in parts {
            scope.spawn(|_| part(one));
        }
        own();
    });
}

/// The helpers: one fewer than cores. `None` where there is one core, or the system gives no
/// threads.
fn helpers() -> Option<&'static ThreadPool> {
    static HELPERS: OnceLock<Option<ThreadPool>> = OnceLock::new();
    HELPERS
        .get_or_init(|| {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let builder = ThreadPoolBuilder::new().num_threads(cores - 1);
            let builder = builder.thread_name(|number| format!("helper-{number}"));
            (cores > 1).then(|| builder.build().ok()).flatten()
        })
        .as_ref()
}
