//! What the options of a request mean for the tokens that may come next, and for when to stop.

use super::Options;
use super::vocabulary::{Edits, Sampling, mix};
use crate::error::Result;
use crate::token::Tokenizer;

/// The edits for the next token after `written`.
pub(super) fn edits(options: &Options, written: &[u32]) -> Edits {
    let mut edits = Edits { penalty: options.repetition_penalty, ..Edits::default() };
    if options.no_repeat_ngram > 0 {
        edits.banned = completions(written, options.no_repeat_ngram);
    }
    if options.repetition_penalty != 1.0 {
        edits.penalized = written.to_vec();
        edits.penalized.sort_unstable();
        edits.penalized.dedup();
    }
    if options.temperature > 0.0 {
        let draw = mix(options.seed ^ mix(written.len() as u64));
        edits.sampling = Some(Sampling { temperature: options.temperature, draw });
    }
    edits
}

/// Tokens that would complete an n-gram which is there already, ascending.
fn completions(written: &[u32], n: usize) -> Vec<u32> {
    let Some(context) = written.len().checked_sub(n - 1).map(|from| &written[from..]) else { return Vec::new() };
    let mut banned: Vec<u32> = written.windows(n).filter(|w| w[..n - 1] == *context).map(|w| w[n - 1]).collect();
    banned.sort_unstable();
    banned.dedup();
    banned
}

/// Whether the last tokens go round in a circle: at least 24 of them, and at least four rounds.
pub(super) fn is_loop(written: &[u32]) -> bool {
    const LONGEST_PERIOD: usize = 16;
    (1..=LONGEST_PERIOD).any(|period| {
        let tail = (4 * period).max(24);
        written.len() >= tail && (written.len() - tail + period..written.len()).all(|i| written[i] == written[i - period])
    })
}

/// Looks for stop texts as tokens come in.
pub(super) struct StopCheck {
    /// Last tokens that are decoded at each step: enough to hold the longest stop text.
    window: usize,
}

impl StopCheck {
    pub(super) fn new(options: &Options) -> StopCheck {
        StopCheck { window: options.stop.iter().map(|s| s.len() + 1).max().unwrap_or(0) }
    }

    /// Whether a stop text is complete.
    pub(super) fn reached(&self, options: &Options, tokenizer: &Tokenizer, written: &[u32]) -> Result<bool> {
        if self.window == 0 {
            return Ok(false);
        }
        let tail = tokenizer.decode(&written[written.len().saturating_sub(self.window)..])?;
        Ok(options.stop.iter().any(|stop| tail.contains(stop.as_str())))
    }
}

/// The text of the written tokens up to the first stop text.
pub(super) fn text(options: &Options, tokenizer: &Tokenizer, written: &[u32]) -> Result<String> {
    let mut text = tokenizer.decode(written)?;
    if let Some(end) = options.stop.iter().filter_map(|stop| text.find(stop.as_str())).min() {
        text.truncate(end);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_what_would_repeat() {
        assert_eq!(completions(&[1, 2, 3, 1, 2], 3), [3]);
        assert_eq!(completions(&[1, 2, 3, 1, 2, 4, 1, 2], 3), [3, 4]);
        assert_eq!(completions(&[5, 5], 1), [5]);
        assert!(completions(&[1], 3).is_empty());
    }

    #[test]
    fn sees_loops() {
        let text: Vec<u32> = (0..100).collect();
        assert!(!is_loop(&text));
        let looping: Vec<u32> = text.iter().copied().chain((0..40).map(|i| 7 + i % 3)).collect();
        assert!(is_loop(&looping) && !is_loop(&looping[..110]));
    }
}
