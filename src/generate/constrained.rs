//! Beam search for an output that has to say something: dynamic beam allocation (Post and Vilar
//! 2018), its hypotheses taken from the banks by turns as in fairseq.
//!
//! Terms begin where the attention is on their source (Hasler et al. 2018), so that they come in
//! the place of what the model would have written, and not beside it.

use super::DecodingOptions;
use super::beam::{Beam, End, Hypothesis, StoppingCriteria};
use super::constraint::{Constraints, Progress};
use super::vocabulary::Candidate;
use std::cmp::Reverse;
use std::sync::Arc;

/// The hypotheses of one output and how far each has come.
pub(super) struct ConstrainedBeam {
    pub beam: Beam,
    pub constraints: Arc<Constraints>,
    /// One for each live hypothesis.
    progress: Vec<Progress>,
    /// The best finished hypothesis that lacks something, with what it has.
    partial: Option<(usize, Hypothesis)>,
}

/// A hypothesis and a token after it.
struct Extension {
    score: f32,
    parent: usize,
    token: u32,
    progress: Progress,
    bank: usize,
}

impl ConstrainedBeam {
    pub(super) fn new(beam: Beam, constraints: Arc<Constraints>) -> ConstrainedBeam {
        // What is given counts for nothing: it is no part of the source.
        let progress = vec![Progress::default()];
        ConstrainedBeam { beam, constraints, progress, partial: None }
    }

    /// Tokens that each live hypothesis may not write, and tokens whose probabilities are wanted,
    /// both ascending.
    pub(super) fn edits(&self) -> impl Iterator<Item = (Vec<u32>, Vec<u32>)> + '_ {
        self.progress.iter().map(|progress| {
            (progress.banned(&self.constraints), progress.advancing(&self.constraints, &[]))
        })
    }

    /// Whether the attention of the live hypotheses is of interest.
    pub(super) fn looks(&self) -> bool {
        !self.progress.iter().all(|progress| progress.is_settled(&self.constraints))
    }

    /// Goes on by one token, as [`Beam::advance`] does: `candidates` are those of each live
    /// hypothesis, best first, as many as a beam asks for, and after these the ones that were
    /// wanted. `attention` has the weights over the source's tokens of each; where it has none, all
    /// places are as good.
    pub(super) fn advance<C: StoppingCriteria>(
        &mut self,
        candidates: &[Vec<Candidate>],
        attention: &[Vec<f32>],
        options: &DecodingOptions,
        max_length: usize,
        end_tokens: usize,
        criteria: &C,
    ) -> Result<bool, C::Error> {
        let width = self.beam.width();
        let keep = width * (1 + end_tokens.max(1));
        let constraints = self.constraints.clone();
        let mut extensions: Vec<Extension> = Vec::new();
        for (parent, candidates) in candidates.iter().enumerate().take(self.beam.live.len()) {
            let (held, progress) = (self.beam.live[parent].clone(), self.progress[parent].clone());
            let due = attention.get(parent).map(|weights| constraints.due(weights));
            let due = due.unwrap_or_else(|| vec![true; constraints.len()]);
            let advancing = progress.advancing(&constraints, &due);
            let mut is_over = false;
            for (rank, candidate) in candidates.iter().enumerate() {
                let Candidate { token, log_probability } = *candidate;
                let is_advancing = advancing.binary_search(&token).is_ok();
                // What nobody would write comes where it is due, and nowhere else.
                let is_open = if rank < keep { !is_over || is_advancing } else { is_advancing };
                if !log_probability.is_finite() || !is_open {
                    continue;
                }
                let score = held.score + log_probability;
                let end = criteria.end(&held, token)?;
                let next = match end {
                    Some(End::Token) => progress.clone(),
                    _ => progress.after(token, &constraints, &due),
                };
                if end.is_none() && self.beam.length(&held) + 1 < max_length {
                    let bank = next.bank(&constraints);
                    extensions.push(Extension { score, parent, token, progress: next, bank });
                    continue;
                }
                if rank < width {
                    self.end(&held, (token, score, end), &next, options, max_length, criteria)?;
                }
                // What would end by itself does not go on without what it lacks.
                is_over |= rank == 0 && end.is_some() && !progress.is_complete(&constraints);
            }
        }
        let chosen = by_turns(extensions, width);
        let paths = chosen.iter().map(|one| self.beam.paths[one.parent].clone()).collect();
        let live = chosen
            .iter()
            .map(|one| Hypothesis {
                score: one.score,
                ..self.beam.live[one.parent].with(one.token)
            })
            .collect();
        (self.beam.live, self.beam.paths) = (live, paths);
        self.progress = chosen.into_iter().map(|one| one.progress).collect();
        Ok(self.is_over(options, max_length))
    }

    /// Takes a hypothesis that has ended.
    fn end<C: StoppingCriteria>(
        &mut self,
        held: &Hypothesis,
        (token, score, end): (u32, f32, Option<End>),
        progress: &Progress,
        options: &DecodingOptions,
        max_length: usize,
        criteria: &C,
    ) -> Result<(), C::Error> {
        let is_complete = progress.is_complete(&self.constraints);
        let met = progress.met();
        let ended = end == Some(End::Token);
        let text = if ended { held.clone() } else { held.with(token) };
        let length = self.beam.length(held) + 1;
        let score = score / (length as f32).powf(options.length_penalty)
            + criteria.coverage(&text.written, ended)?;
        let cut = end.is_none() || length >= max_length && options.forced_end.is_some();
        let hypothesis = Hypothesis { score, cut, ..text };
        if is_complete {
            self.beam.finish(hypothesis);
            return Ok(());
        }
        let is_better = self.partial.as_ref().is_none_or(|(most, best)| {
            let key = |cut: bool, met: usize| (Reverse(cut), met);
            let (new, old) = (key(cut, met), key(best.cut, *most));
            new > old || new == old && score > best.score
        });
        if is_better {
            self.partial = Some((met, hypothesis));
        }
        Ok(())
    }

    /// Whether no hypothesis may become better than the best one that has all.
    fn is_over(&mut self, options: &DecodingOptions, max_length: usize) -> bool {
        let Some(best) = self.beam.done.first() else {
            if self.beam.live.is_empty() {
                self.beam.done.extend(self.partial.take().map(|(_, hypothesis)| hypothesis));
            }
            return self.beam.live.is_empty();
        };
        let goes_on = self.beam.live.iter().zip(&self.progress).any(|(live, progress)| {
            let has_all = progress.is_complete(&self.constraints) || progress.has_begun();
            let length = self.beam.length(live).clamp(1, max_length);
            has_all && live.score / (length as f32).powf(options.length_penalty) > best.score
        });
        !goes_on
    }
}

/// So many of the extensions as are wanted: the best of each bank, the fullest first, then the
/// second of each, and so on.
fn by_turns(mut all: Vec<Extension>, width: usize) -> Vec<Extension> {
    all.sort_by(|a, b| {
        b.bank
            .cmp(&a.bank)
            .then(b.score.total_cmp(&a.score))
            .then(a.parent.cmp(&b.parent))
            .then(a.token.cmp(&b.token))
    });
    let mut turn = 0;
    let mut ranked: Vec<(usize, Extension)> = Vec::with_capacity(all.len());
    for extension in all {
        let is_same = ranked.last().is_some_and(|(_, last)| last.bank == extension.bank);
        turn = if is_same { turn + 1 } else { 0 };
        ranked.push((turn, extension));
    }
    // The sort keeps the order of the banks.
    ranked.sort_by_key(|(turn, _)| *turn);
    ranked.truncate(width);
    ranked.into_iter().map(|(_, extension)| extension).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn extension(bank: usize, score: f32, token: u32) -> Extension {
        Extension { score, parent: 0, token, progress: Progress::default(), bank }
    }

    const END: u32 = 0;
    const WORDS: [&str; 8] = ["", "▁one", "▁two", "▁three", "▁x", "▁five", "▁six", "s"];

    struct Ends;

    impl StoppingCriteria for Ends {
        type Error = Infallible;

        fn end(&self, _: &Hypothesis, token: u32) -> Result<Option<End>, Infallible> {
            Ok((token == END).then_some(End::Token))
        }

        fn coverage(&self, _: &[u32], _: bool) -> Result<f32, Infallible> {
            Ok(0.0)
        }
    }

    /// The output of a model that counts to three and attends to the number that comes next; after
    /// five it likes an ending.
    fn search(constraints: Constraints, width: usize, attends: bool) -> Vec<u32> {
        let options = DecodingOptions { num_beams: width, ..DecodingOptions::default() };
        let beam = Beam::new(&options, Vec::new(), 0);
        let mut search = ConstrainedBeam::new(beam, Arc::new(constraints));
        loop {
            let last = |h: &Hypothesis| h.written.last().copied().unwrap_or(END);
            let attention: Vec<Vec<f32>> = search
                .beam
                .live
                .iter()
                .map(|h| {
                    let place = match last(h) {
                        END => 0,
                        1 => 1,
                        4 => h.written.len(),
                        _ => 2,
                    };
                    (0..4).map(|at| if attends && at == place { 0.9 } else { 0.03 }).collect()
                })
                .collect();
            let candidates: Vec<Vec<Candidate>> = search
                .beam
                .live
                .iter()
                .zip(search.edits())
                .map(|(h, (banned, wanted))| {
                    let usual = match last(h) {
                        END => 1,
                        1 => 2,
                        2 | 6 => 3,
                        5 => 7,
                        4 if h.written.len() == 1 => 2,
                        _ => END,
                    };
                    let candidate = |token: u32| Candidate {
                        token,
                        log_probability: if token == usual { 0.9f32 } else { 0.01 }.ln(),
                    };
                    let mut all: Vec<Candidate> =
                        (0..8).filter(|token| !banned.contains(token)).map(candidate).collect();
                    all.sort_by(|a, b| {
                        b.log_probability.total_cmp(&a.log_probability).then(a.token.cmp(&b.token))
                    });
                    all.truncate(2 * width);
                    let held: Vec<u32> = all.iter().map(|one| one.token).collect();
                    let more = wanted.into_iter().filter(|token| !held.contains(token));
                    all.extend(more.filter(|token| !banned.contains(token)).map(candidate));
                    all
                })
                .collect();
            if search.advance(&candidates, &attention, &options, 12, 1, &Ends).unwrap() {
                return search.beam.done.first().unwrap().written.clone();
            }
        }
    }

    #[test]
    fn terms_come_where_the_attention_is_on_their_source() {
        // Nothing is asked of the first number; the second is to be "five six", or "x".
        let second = |forms: &[&[u32]]| {
            let mut all = Constraints::of_tokens(&[&[&[4]], forms], &WORDS);
            all.drop_first();
            all
        };
        for width in 2..=4 {
            assert_eq!(search(second(&[&[5, 6]]), width, true), [1, 5, 6, 3], "{width}");
            // The ending that the model would write is none of its forms.
            let found = search(second(&[&[5]]), width, true);
            let place = found.iter().position(|token| *token == 5);
            assert!(place.is_some_and(|at| found.get(at + 1) != Some(&7)), "{width}: {found:?}");
            // One that is, is written.
            let found = search(second(&[&[5], &[5, 7]]), width, true);
            assert!(found.ends_with(&[5, 7]), "{width}: {found:?}");
            // What the model writes by itself is enough.
            assert_eq!(search(second(&[&[2], &[4]]), width, true), [1, 2, 3], "{width}");
        }
        // Where it attends to nothing, what it would not have written does not come.
        assert_eq!(search(second(&[&[5, 6]]), 2, false), [1, 2, 3]);
        // One at the very end, and the same twice.
        let end = Constraints::of_tokens(&[&[&[1]], &[&[2]], &[&[6]]], &WORDS);
        let found = search(end, 4, true);
        assert!([1, 2, 6].iter().all(|token| found.contains(token)), "{found:?}");
        let twice = Constraints::of_tokens(&[&[&[4]], &[&[4]]], &WORDS);
        let found = search(twice, 4, true);
        assert_eq!(found.iter().filter(|token| **token == 4).count(), 2, "{found:?}");
    }

    #[test]
    fn banks_take_turns() {
        let all = || {
            vec![
                extension(0, -1.0, 1),
                extension(0, -2.0, 2),
                extension(2, -9.0, 3),
                extension(2, -8.0, 4),
                extension(1, -3.0, 5),
            ]
        };
        let tokens =
            |width| by_turns(all(), width).iter().map(|one| one.token).collect::<Vec<u32>>();
        assert_eq!(tokens(2), [4, 5]);
        assert_eq!(tokens(4), [4, 5, 1, 3]);
        assert_eq!(tokens(9), [4, 5, 1, 3, 2]);
    }
}
