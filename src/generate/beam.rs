//! Beam search, step for step as `transformers` does it (`GenerationMixin._beam_search`), so that the same model gives the same tokens.

use super::vocabulary::Candidate;
use super::{EarlyStopping, Options};

/// A beginning of an output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hypothesis {
    /// Its tokens; the end token is not among them.
    pub written: Vec<u32>,
    /// Sum of their log-probabilities; of a finished one, divided by its length to the power of the length penalty.
    pub score: f32,
    /// The rows of the sequence's cache that it has passed.
    pub path: Vec<u32>,
    /// Whether it was cut off at its longest.
    pub cut: bool,
}

/// The hypotheses of one output.
pub(super) struct Beam {
    width: usize,
    /// Tokens of every hypothesis that do not count for its length.
    uncounted: usize,
    pub live: Vec<Hypothesis>,
    /// Best first.
    pub done: Vec<Hypothesis>,
    /// Whether a live one may still become better than a finished one.
    improvable: bool,
}

/// Why a hypothesis ends with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The token is an end token, and no part of the text.
    Token,
    /// With it, a stop text is complete.
    Text,
}

impl Beam {
    /// One hypothesis, that of what is given; the first `uncounted` tokens of it do not count for lengths.
    pub(super) fn new(width: usize, given: Vec<u32>, uncounted: usize) -> Beam {
        let first = Hypothesis { written: given, ..Hypothesis::default() };
        Beam { width, uncounted, live: vec![first], done: Vec::new(), improvable: true }
    }

    /// Goes on by one token: `candidates` are those of each live hypothesis, best first; `ends` says whether a hypothesis ends with a token.
    /// `room` is the length at which one is cut off. Returns whether the search is over.
    pub(super) fn advance<E>(
        &mut self,
        candidates: &[Vec<Candidate>],
        options: &Options,
        room: usize,
        end_tokens: usize,
        ends: impl Fn(&Hypothesis, u32) -> Result<Option<End>, E>,
    ) -> Result<bool, E> {
        let mut all: Vec<(f32, usize, u32)> = Vec::new();
        for (parent, (live, candidates)) in self.live.iter().zip(candidates).enumerate() {
            all.extend(candidates.iter().map(|c| (live.score + c.log_probability, parent, c.token)));
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        all.truncate(self.width * (1 + end_tokens.max(1)));
        let full = self.done.len() == self.width;
        let open = self.improvable && !(full && options.early_stopping == EarlyStopping::Always);

        let mut live = Vec::with_capacity(self.width);
        for (rank, (score, parent, token)) in all.into_iter().enumerate() {
            let parent = &self.live[parent];
            let end = ends(parent, token)?;
            let length = parent.written.len() - self.uncounted + 1;
            if end.is_none() && length < room {
                if live.len() < self.width {
                    live.push(Hypothesis { score, ..parent.with(token) });
                }
                continue;
            }
            // Only what is among the best may finish; the rest is there so that enough is left to go on with.
            if rank < self.width && open {
                let score = score / (length as f32).powf(options.length_penalty);
                let text = if end == Some(End::Token) { parent.clone() } else { parent.with(token) };
                let forced = length >= room && options.forced_end.is_some();
                self.finish(Hypothesis { score, cut: end.is_none() || forced, ..text });
            }
        }
        self.live = live;
        self.improvable &= self.may_improve(options, room);
        let full = self.done.len() == self.width;
        Ok(self.live.is_empty() || !self.improvable || (full && options.early_stopping == EarlyStopping::Always))
    }

    /// Keeps a finished hypothesis if it is one of the best.
    fn finish(&mut self, new: Hypothesis) {
        let at = self.done.partition_point(|held| held.score >= new.score);
        self.done.insert(at, new);
        self.done.truncate(self.width);
    }

    fn may_improve(&self, options: &Options, room: usize) -> bool {
        let Some(best) = self.live.first() else { return false };
        if self.done.len() < self.width {
            return true;
        }
        let length = match options.early_stopping {
            EarlyStopping::Never if options.length_penalty > 0.0 => room,
            _ => best.written.len() - self.uncounted,
        };
        let possible = best.score / (length as f32).powf(options.length_penalty);
        self.done.last().is_none_or(|worst| possible > worst.score)
    }
}

impl Hypothesis {
    fn with(&self, token: u32) -> Hypothesis {
        let mut longer = self.clone();
        longer.written.push(token);
        longer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const END: u32 = 0;

    /// A model whose next token depends on the last one alone.
    fn search(options: &Options, room: usize, next: impl Fn(u32) -> Vec<f32>) -> Vec<(Vec<u32>, f32)> {
        let mut beam = Beam::new(options.beams, Vec::new(), 0);
        let ends = |_: &Hypothesis, token: u32| Ok::<_, Infallible>((token == END).then_some(End::Token));
        loop {
            let of = |h: &Hypothesis| {
                let probabilities = next(h.written.last().copied().unwrap_or(1));
                let mut all: Vec<Candidate> = (0..)
                    .zip(probabilities)
                    .map(|(token, p)| Candidate { token, log_probability: p.ln() })
                    .filter(|c| c.log_probability > f32::NEG_INFINITY)
                    .collect();
                all.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
                all
            };
            let candidates: Vec<_> = beam.live.iter().map(of).collect();
            if beam.advance(&candidates, options, room, 1, ends).unwrap() {
                return beam.done.into_iter().map(|h| (h.written, h.score)).collect();
            }
        }
    }

    /// Greedy takes 1 and then has bad choices only; 2 first is better in the end.
    fn trap(last: u32) -> Vec<f32> {
        match last {
            1 => vec![0.0, 0.0, 0.4, 0.6],
            2 => vec![0.9, 0.0, 0.1, 0.0],
            _ => vec![0.3, 0.0, 0.3, 0.4],
        }
    }

    #[test]
    fn looks_beyond_the_next_token() {
        let found = search(&Options { beams: 2, length_penalty: 0.0, ..Options::default() }, 5, trap);
        assert_eq!(found[0].0, [2]);
        assert!((found[0].1 - 0.36f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn long_outputs_can_be_favoured() {
        let long = |last: u32| if last == 1 { vec![0.5, 0.0, 0.5] } else { vec![0.2, 0.0, 0.8] };
        let options = Options { beams: 2, early_stopping: EarlyStopping::Never, ..Options::default() };
        let short = search(&Options { length_penalty: 0.0, ..options.clone() }, 8, long);
        let longer = search(&Options { length_penalty: 2.0, ..options }, 8, long);
        assert_eq!(short[0].0.len(), 0);
        assert!(longer[0].0.len() > 3, "{longer:?}");
    }

    #[test]
    fn what_never_ends_is_cut_off() {
        let found = search(&Options { beams: 3, ..Options::default() }, 4, |_| vec![0.0, 0.5, 0.5]);
        assert!(found.len() == 3 && found.iter().all(|(written, _)| written.len() == 4));
    }
}
