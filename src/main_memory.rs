//! Main memory: what is taken of it, and a budget that models and the texts in the works share.

mod process;

pub use process::Memory;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most bytes of main memory that a process is to take, for all models and the texts that they
/// work on together. Clones are the same budget.
///
/// Models hold their weights' share as long as they are open, and are refused what is not there.
/// A text borrows the share of its keys and values until it is done; it is begun only when that is
/// there, or when nothing else is in the works, so that work always goes on. The budget changes
/// what is done at once, never a result.
#[derive(Clone, Debug, Default)]
pub struct MemoryBudget(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    limit: u64,
    taken: Mutex<Taken>,
}

/// Bytes that are taken.
#[derive(Debug, Default)]
struct Taken {
    /// By the models.
    held: u64,
    /// By texts in the works.
    borrowed: u64,
    /// By the program besides, as far as the system has said.
    besides: u64,
}

/// What the program takes later for itself: lists of words, articles, what the allocator keeps.
const LATER: u64 = 96 << 20;

/// Bytes of a budget, given back when it is dropped.
#[derive(Debug)]
#[must_use = "what is dropped is given back"]
pub struct Share {
    budget: Option<Arc<Shared>>,
    bytes: u64,
    is_held: bool,
}

impl MemoryBudget {
    /// A budget of so many bytes, the program's own share included.
    pub fn of(limit: u64) -> MemoryBudget {
        MemoryBudget(Some(Arc::new(Shared { limit, taken: Mutex::default() })))
    }

    /// Its size; `None` where there is no bound.
    pub fn limit(&self) -> Option<u64> {
        self.0.as_ref().map(|shared| shared.limit)
    }

    /// Bytes that nobody has taken; `None` where there is no bound.
    pub fn left(&self) -> Option<u64> {
        self.0.as_ref().map(|shared| shared.left(&shared.lock()))
    }

    /// Whether so many bytes are left.
    pub fn has(&self, bytes: u64) -> bool {
        self.left().is_none_or(|left| bytes <= left)
    }

    /// The share of something that stays, such as a model; `None` when it is not there.
    #[doc(hidden)]
    pub fn hold(&self, bytes: u64) -> Option<Share> {
        if let Some(shared) = &self.0 {
            let mut taken = shared.lock();
            if bytes > shared.left(&taken) {
                return None;
            }
            taken.held += bytes;
        }
        Some(Share { budget: self.0.clone(), bytes, is_held: true })
    }

    /// The share of something that stays, whether it is there or not.
    #[doc(hidden)]
    pub fn keep(&self, bytes: u64) -> Share {
        self.take(bytes, true)
    }

    /// The share of something in the works, whether it is there or not: who asks has looked with
    /// [`MemoryBudget::has`], or cannot go on otherwise.
    #[doc(hidden)]
    pub fn borrow(&self, bytes: u64) -> Share {
        self.take(bytes, false)
    }

    fn take(&self, bytes: u64, is_held: bool) -> Share {
        if let Some(shared) = &self.0 {
            let mut taken = shared.lock();
            let part = taken.part(is_held);
            *part = part.saturating_add(bytes);
        }
        Share { budget: self.0.clone(), bytes, is_held }
    }

    /// Counts what the process has taken besides what it has told, as far as the system says: a
    /// tokenizer, say, whose size is not known before. Of what is told, `unused` bytes are not
    /// taken yet. Returns by how many bytes all that lasts is too much.
    #[doc(hidden)]
    pub fn settle(&self, unused: u64) -> u64 {
        let Some(shared) = &self.0 else { return 0 };
        let mut taken = shared.lock();
        if let Some(resident) = Memory::resident() {
            let told = taken.held.saturating_add(taken.borrowed).saturating_sub(unused);
            taken.besides = resident.saturating_add(LATER).saturating_sub(told);
        }
        taken.lasting().saturating_sub(shared.limit)
    }
}

impl Share {
    /// Its bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left(&self, taken: &Taken) -> u64 {
        self.limit.saturating_sub(taken.lasting()).saturating_sub(taken.borrowed)
    }
}

impl Taken {
    /// What is held, or what is borrowed.
    fn part(&mut self, is_held: bool) -> &mut u64 {
        if is_held { &mut self.held } else { &mut self.borrowed }
    }

    fn lasting(&self) -> u64 {
        self.held.saturating_add(self.besides)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(shared) = &self.budget {
            let mut taken = shared.lock();
            let part = taken.part(self.is_held);
            *part = part.saturating_sub(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_given_back() {
        let budget = MemoryBudget::of(100);
        let model = budget.hold(60).unwrap();
        assert!(budget.hold(60).is_none());
        let text = budget.clone().borrow(30);
        assert!(!budget.has(20) && budget.has(10));
        // What must go on goes on.
        let longer = budget.borrow(500);
        assert_eq!(budget.left(), Some(0));
        drop((longer, text));
        assert_eq!(budget.left(), Some(40));
        drop(model);
        assert_eq!(budget.left(), Some(100));
        let steps = budget.keep(120);
        assert!(budget.left() == Some(0) && budget.settle(0) >= 20 && steps.bytes() == 120);
    }

    #[test]
    fn what_the_process_has_counts() {
        let (large, small) = (MemoryBudget::of(u64::MAX), MemoryBudget::of(1 << 20));
        let excess = [large.settle(0), small.settle(0)];
        if let Some(resident) = Memory::resident() {
            assert!(large.left().unwrap() < u64::MAX - resident / 2);
            assert!(excess[0] == 0 && excess[1] > resident / 2, "{excess:?}");
            assert_eq!(small.left(), Some(0));
        }
    }

    #[test]
    fn without_a_bound_everything_is_there() {
        let budget = MemoryBudget::default();
        let _all = budget.hold(u64::MAX).unwrap();
        assert!(budget.has(u64::MAX) && budget.left().is_none());
    }
}
