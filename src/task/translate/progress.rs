//! The progress of a call to [`super::translate`].

use std::sync::atomic::{AtomicUsize, Ordering};

/// A step of [`super::translate`]: what is done, and out of how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// First attempts made, of all; a segment that goes through English takes two.
    First(usize, usize),
    /// Attempts made at the segments that the checks rejected, of those in this round.
    Again(usize, usize),
}

/// Gets each step as it is made, from any thread; `false` stops the work.
pub(super) type OnStep<'a> = &'a (dyn Fn(Step) -> bool + Sync);

/// Counts the first attempts of a call, over all models and hops.
pub(super) struct Counter<'a> {
    made: AtomicUsize,
    all: usize,
    on_step: OnStep<'a>,
}

/// Counts the answers to the requests of one attempt at some segments.
pub(super) struct AttemptCounter<'a> {
    call: &'a Counter<'a>,
    is_first: bool,
    segments: usize,
    requests: usize,
    answered: AtomicUsize,
}

impl<'a> Counter<'a> {
    /// A counter of `all` first attempts.
    pub fn new(all: usize, on_step: OnStep<'a>) -> Counter<'a> {
        Counter { made: AtomicUsize::new(0), all, on_step }
    }

    /// Counts segments that need no attempt.
    pub fn skip(&self, segments: usize) {
        self.made.fetch_add(segments, Ordering::Relaxed);
    }

    /// The counter of an attempt, the first or another.
    pub fn attempt(
        &'a self,
        is_first: bool,
        segments: usize,
        requests: usize,
    ) -> AttemptCounter<'a> {
        let (requests, answered) = (requests.max(1), AtomicUsize::new(0));
        AttemptCounter { call: self, is_first, segments, requests, answered }
    }
}

impl AttemptCounter<'_> {
    /// Counts one more answer; says whether to go on.
    pub fn one_more(&self) -> bool {
        let answered = self.answered.fetch_add(1, Ordering::Relaxed) + 1;
        let segments = |answered: usize| answered * self.segments / self.requests;
        if !self.is_first {
            return (self.call.on_step)(Step::Again(segments(answered), self.segments));
        }
        let new = segments(answered) - segments(answered - 1);
        let made = self.call.made.fetch_add(new, Ordering::Relaxed) + new;
        (self.call.on_step)(Step::First(made, self.call.all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn answers_are_counted_as_segments() {
        let steps = Mutex::new(Vec::new());
        let on_step = |step| {
            steps.lock().unwrap().push(step);
            true
        };
        let counter = Counter::new(5, &on_step);
        counter.skip(1);
        let first = counter.attempt(true, 2, 4);
        (0..4).for_each(|_| assert!(first.one_more()));
        let again = counter.attempt(false, 1, 2);
        (0..2).for_each(|_| assert!(again.one_more()));
        assert!(counter.attempt(true, 2, 1).one_more());
        let expected = [
            Step::First(1, 5),
            Step::First(2, 5),
            Step::First(2, 5),
            Step::First(3, 5),
            Step::Again(0, 1),
            Step::Again(1, 1),
            Step::First(5, 5),
        ];
        assert_eq!(*steps.lock().unwrap(), expected);
    }
}
