//! Beam search, step for step as `transformers` does it (`GenerationMixin._beam_search`), so that
//! the same model gives the same tokens; patience (Kasai et al. 2022) and coverage penalty (Wu et
//! al. 2016) as in CTranslate2.

use super::vocabulary::Candidate;
use super::{DecodingOptions, EarlyStopping, Finish, MOST_PATIENCE};

/// A beginning of an output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hypothesis {
    /// Its tokens; the end token is not among them.
    pub written: Vec<u32>,
    /// Sum of their log-probabilities; of a finished one, divided by its length to the power of the
    /// length penalty, and with what the coverage of the source adds to it.
    pub score: f32,
    /// Whether it was cut off at its longest.
    pub cut: bool,
}

/// The hypotheses of one output.
pub(super) struct Beam {
    width: usize,
    /// How many finished hypotheses are kept, and enough to end the search: the width times the
    /// patience.
    capacity: usize,
    /// Tokens of every hypothesis that do not count for its length.
    free_tokens: usize,
    pub live: Vec<Hypothesis>,
    /// The rows of the sequence's cache that each live one has passed.
    pub paths: Vec<Vec<u32>>,
    /// Best first.
    pub done: Vec<Hypothesis>,
    /// Whether a live one may still become better than a finished one.
    improvable: bool,
}

/// What a beam asks about its hypotheses.
pub(super) trait StoppingCriteria {
    type Error;

    /// Whether a hypothesis ends with a token.
    fn end(&self, hypothesis: &Hypothesis, token: u32) -> Result<Option<End>, Self::Error>;

    /// What is added to the score of a finished hypothesis for its coverage of the source, at most
    /// 0. `ended` says whether an end token comes after what is written.
    fn coverage(&self, written: &[u32], ended: bool) -> Result<f32, Self::Error>;
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
    /// One hypothesis, that of what is given; the first `free_tokens` tokens of it do not count for
    /// lengths.
    pub(super) fn new(options: &DecodingOptions, forced: Vec<u32>, free_tokens: usize) -> Beam {
        let (width, first) =
            (options.num_beams, Hypothesis { written: forced, ..Hypothesis::default() });
        // A float that is too large for an integer, or none at all, becomes one that is not.
        let patient = (width as f32 * options.patience).round() as usize;
        let capacity = patient.clamp(options.outputs.clamp(1, width), width * MOST_PATIENCE);
        Beam {
            width,
            capacity,
            free_tokens,
            live: vec![first],
            paths: vec![Vec::new()],
            done: Vec::new(),
            improvable: true,
        }
    }

    /// Goes on by one token: `candidates` are those of each live hypothesis, best first.
    /// `max_length` is the length at which one is cut off. Returns whether the search is over.
    pub(super) fn advance<C: StoppingCriteria>(
        &mut self,
        candidates: &[Vec<Candidate>],
        options: &DecodingOptions,
        max_length: usize,
        end_tokens: usize,
        criteria: &C,
    ) -> Result<bool, C::Error> {
        let mut all: Vec<(f32, usize, u32)> = Vec::new();
        for (parent, (live, candidates)) in self.live.iter().zip(candidates).enumerate() {
            all.extend(
                candidates.iter().map(|c| (live.score + c.log_probability, parent, c.token)),
            );
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        all.truncate(self.width * (1 + end_tokens.max(1)));
        let full = self.is_full();
        let open = self.improvable && !(full && options.early_stopping == EarlyStopping::Always);

        let mut live = Vec::with_capacity(self.width);
        let mut paths = Vec::with_capacity(self.width);
        for (rank, (score, number, token)) in all.into_iter().enumerate() {
            let parent = &self.live[number];
            let end = criteria.end(parent, token)?;
            let length = parent.written.len() - self.free_tokens + 1;
            if end.is_none() && length < max_length {
                if live.len() < self.width {
                    live.push(Hypothesis { score, ..parent.with(token) });
                    paths.push(self.paths[number].clone());
                }
                continue;
            }
            // Only what is among the best may finish; the rest is there so that enough is left to
            // go on with.
            if rank < self.width && open {
                let ended = end == Some(End::Token);
                let text = if ended { parent.clone() } else { parent.with(token) };
                let score = score / (length as f32).powf(options.length_penalty)
                    + criteria.coverage(&text.written, ended)?;
                let forced = length >= max_length && options.forced_end.is_some();
                self.finish(Hypothesis { score, cut: end.is_none() || forced, ..text });
            }
        }
        (self.live, self.paths) = (live, paths);
        self.improvable &= self.may_improve(options, max_length);
        Ok(self.live.is_empty()
            || !self.improvable
            || (self.is_full() && options.early_stopping == EarlyStopping::Always))
    }

    /// Why the best output has ended.
    pub(super) fn finish_of_best(&self) -> Finish {
        let cut = self.done.first().is_none_or(|best| best.cut);
        if cut { Finish::Length } else { Finish::Stop }
    }

    /// How many hypotheses are followed.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The tokens of a hypothesis that count for its length.
    pub(super) fn length(&self, hypothesis: &Hypothesis) -> usize {
        hypothesis.written.len() - self.free_tokens
    }

    /// What all hypotheses begin with, finished ones included: so begins whatever comes out.
    pub(super) fn common(&self) -> &[u32] {
        let mut all =
            self.live.iter().chain(&self.done).map(|hypothesis| hypothesis.written.as_slice());
        let first = all.next().unwrap_or_default();
        let length = |other: &[u32]| first.iter().zip(other).take_while(|(a, b)| a == b).count();
        &first[..all.map(length).min().unwrap_or(first.len())]
    }

    fn is_full(&self) -> bool {
        self.done.len() == self.capacity
    }

    /// Keeps a finished hypothesis if it is one of the best.
    pub(super) fn finish(&mut self, new: Hypothesis) {
        let at = self.done.partition_point(|held| held.score >= new.score);
        self.done.insert(at, new);
        self.done.truncate(self.capacity);
    }

    fn may_improve(&self, options: &DecodingOptions, max_length: usize) -> bool {
        let Some(best) = self.live.first() else { return false };
        if !self.is_full() {
            return true;
        }
        let length = match options.early_stopping {
            EarlyStopping::Never if options.length_penalty > 0.0 => max_length,
            _ => best.written.len() - self.free_tokens,
        };
        // Coverage only takes away.
        let possible = best.score / (length as f32).powf(options.length_penalty);
        self.done.last().is_none_or(|worst| possible > worst.score)
    }
}

impl Hypothesis {
    pub(super) fn with(&self, token: u32) -> Hypothesis {
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

    /// Ends hypotheses at [`END`]; adds this for each of some tokens that is missing.
    struct Missing(f32, &'static [u32]);

    impl StoppingCriteria for Missing {
        type Error = Infallible;

        fn end(&self, _: &Hypothesis, token: u32) -> Result<Option<End>, Infallible> {
            Ok((token == END).then_some(End::Token))
        }

        fn coverage(&self, written: &[u32], _: bool) -> Result<f32, Infallible> {
            Ok(self.0 * self.1.iter().filter(|token| !written.contains(token)).count() as f32)
        }
    }

    fn search(
        options: &DecodingOptions,
        max_length: usize,
        next: impl Fn(u32) -> Vec<f32>,
    ) -> Vec<(Vec<u32>, f32)> {
        judged(&Missing(0.0, &[]), options, max_length, next)
    }

    /// A model whose next token depends on the last one alone.
    fn judged(
        criteria: &Missing,
        options: &DecodingOptions,
        max_length: usize,
        next: impl Fn(u32) -> Vec<f32>,
    ) -> Vec<(Vec<u32>, f32)> {
        let mut beam = Beam::new(options, Vec::new(), 0);
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
            if beam.advance(&candidates, options, max_length, 1, criteria).unwrap() {
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
        let found = search(
            &DecodingOptions { num_beams: 2, length_penalty: 0.0, ..DecodingOptions::default() },
            5,
            trap,
        );
        assert_eq!(found[0].0, [2]);
        assert!((found[0].1 - 0.36f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn long_outputs_can_be_favoured() {
        let long = |last: u32| if last == 1 { vec![0.5, 0.0, 0.5] } else { vec![0.2, 0.0, 0.8] };
        let options = DecodingOptions {
            num_beams: 2,
            early_stopping: EarlyStopping::Never,
            ..DecodingOptions::default()
        };
        let short = search(&DecodingOptions { length_penalty: 0.0, ..options.clone() }, 8, long);
        let longer = search(&DecodingOptions { length_penalty: 2.0, ..options }, 8, long);
        assert_eq!(short[0].0.len(), 0);
        assert!(longer[0].0.len() > 3, "{longer:?}");
    }

    #[test]
    fn patience_waits_for_more_that_is_finished() {
        // The first two that finish, nothing and 3, are not as good as 2 and 3, which takes longer.
        let next = |last: u32| match last {
            1 => vec![0.5, 0.0, 0.3, 0.2],
            2 => vec![0.1, 0.0, 0.0, 0.9],
            _ => vec![0.95, 0.0, 0.05, 0.0],
        };
        let found = |patience: f32| {
            let options = DecodingOptions {
                num_beams: 2,
                patience,
                length_penalty: 2.0,
                early_stopping: EarlyStopping::Always,
                ..DecodingOptions::default()
            };
            search(&options, 9, next)
        };
        assert_eq!((&found(1.0)[0].0, &found(2.0)[0].0), (&vec![3], &vec![2, 3]));
        assert_eq!(found(0.5), [(vec![], 0.5f32.ln())]);
        let (patient, more) = (found(2.0), found(1e30));
        assert!(patient.len() == 4 && more.len() > 4, "{patient:?}\n{more:?}");
        assert!(
            more[0].1 >= patient[0].1 && patient[0].1 > found(1.0)[0].1,
            "{patient:?}\n{more:?}"
        );
    }

    #[test]
    fn what_is_left_out_costs() {
        let options =
            DecodingOptions { num_beams: 2, length_penalty: 0.0, ..DecodingOptions::default() };
        assert_eq!(judged(&Missing(-0.2, &[3]), &options, 5, trap)[0].0, [2]);
        let found = judged(&Missing(-5.0, &[3]), &options, 5, trap);
        assert!(
            found[0].0.contains(&3) && found.windows(2).all(|pair| pair[0].1 >= pair[1].1),
            "{found:?}"
        );
    }

    #[test]
    fn what_never_ends_is_cut_off() {
        let found =
            search(&DecodingOptions { num_beams: 3, ..DecodingOptions::default() }, 4, |_| {
                vec![0.0, 0.5, 0.5]
            });
        assert!(found.len() == 3 && found.iter().all(|(written, _)| written.len() == 4));
    }
}
