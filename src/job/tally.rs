//! How far a job is.

use super::survey::Survey;
use crate::event::JobProgress;
use crate::pipeline::Progress;
use crate::report;
use crate::types::{Record, Status};
use std::collections::HashMap;
use std::time::Instant;

/// Counts what is done of a job.
pub(super) struct Tally {
    begun: Instant,
    /// Articles to be done, and the bytes of their texts; not known of a pipe.
    all: Option<(usize, usize)>,
    articles: usize,
    bytes: usize,
    failed: usize,
    doubtful: usize,
    sentences: usize,
    /// Groups in the works, by their numbers.
    groups: HashMap<usize, InWorks>,
}

/// A group in the works.
struct InWorks {
    bytes: usize,
    /// Sentences that have been tried.
    sentences: usize,
    /// The part of it that is done, about.
    share: f64,
}

impl Tally {
    pub fn new(survey: Option<&Survey>) -> Tally {
        Tally {
            begun: Instant::now(),
            all: survey.map(|survey| (survey.to_do(), survey.bytes)),
            articles: 0,
            bytes: 0,
            failed: 0,
            doubtful: 0,
            sentences: 0,
            groups: HashMap::new(),
        }
    }

    /// A group goes into the works.
    pub fn begin(&mut self, group: usize, bytes: usize) {
        self.groups.insert(group, InWorks { bytes, sentences: 0, share: 0.0 });
    }

    /// So far a group is.
    pub fn advance(&mut self, group: usize, progress: Progress) {
        let Some(group) = self.groups.get_mut(&group) else { return };
        // Attempts after the first, and summaries, take less than the first ones as a rule.
        let part = |done: usize, all: usize| done as f64 / all.max(1) as f64;
        match progress {
            Progress::Translating(done, all) => {
                group.sentences = done;
                group.share = 0.8 * part(done, all);
            }
            Progress::TryingAgain(..) => group.share = group.share.max(0.8),
            Progress::Summarizing(done, all) => {
                group.share = group.share.max(0.85 + 0.15 * part(done, all));
            }
        }
    }

    /// A group is done, or given up.
    pub fn end(&mut self, group: usize) {
        if let Some(InWorks { bytes, sentences, .. }) = self.groups.remove(&group) {
            self.bytes += bytes;
            self.sentences += sentences;
        }
    }

    /// An article is finished.
    pub fn finish(&mut self, record: &Record) {
        self.articles += 1;
        self.failed += usize::from(record.status == Status::Failed);
        self.doubtful += usize::from(report::is_doubtful(record));
    }

    /// What there is to tell.
    pub fn progress(&self) -> JobProgress {
        let under_way: f64 = self.groups.values().map(|g| g.bytes as f64 * g.share).sum();
        let sentences: usize = self.groups.values().map(|group| group.sentences).sum();
        let elapsed = self.begun.elapsed();
        let share = self
            .all
            .filter(|(_, bytes)| *bytes > 0)
            .map(|(_, bytes)| ((self.bytes as f64 + under_way) / bytes as f64).clamp(0.0, 1.0));
        let left = share
            .filter(|share| *share >= 0.01)
            .map(|share| elapsed.mul_f64((1.0 - share) / share));
        JobProgress {
            articles: self.articles,
            of: self.all.map(|(articles, _)| articles),
            failed: self.failed,
            doubtful: self.doubtful,
            sentences: self.sentences + sentences,
            share,
            elapsed,
            left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_works_counts_in_part() {
        let survey = Survey { articles: 9, bytes: 400, ..Survey::default() };
        let mut tally = Tally::new(Some(&survey));
        let share = |tally: &Tally| tally.progress().share.unwrap();
        tally.begin(1, 200);
        tally.begin(2, 200);
        tally.advance(1, Progress::Translating(5, 10));
        assert_eq!((share(&tally), tally.progress().sentences), (0.2, 5));
        tally.advance(1, Progress::Summarizing(0, 2));
        tally.advance(2, Progress::Translating(1, 4));
        assert_eq!(share(&tally), (0.85 * 200.0 + 0.2 * 200.0) / 400.0);
        tally.end(1);
        tally.end(2);
        assert_eq!((share(&tally), tally.progress().sentences), (1.0, 6));
        assert!(tally.progress().left.unwrap().is_zero());
        assert_eq!(Tally::new(None).progress().share, None);
    }
}
