//! What the options of a request mean for the tokens that may come next, and for when to stop.

use super::DecodingOptions;
use super::vocabulary::{LogitsEdits, Sampling, mix};
use crate::error::Result;
use crate::token::Tokenizer;

/// What an output has to do with the model that writes it.
pub(super) struct DecodingContext<'a> {
    /// What an encoder has read.
    pub source: &'a [u32],
    /// Tokens that count as written for the rules about repetition, before the output's own: what a
    /// decoder starts with.
    pub start: &'a [u32],
    /// Tokens that end an output.
    pub ends: &'a [u32],
    /// Tokens of the longest output.
    pub max_length: usize,
}

/// The edits for the next token after `written`.
pub(super) fn logits_edits(
    options: &DecodingOptions,
    context: &DecodingContext<'_>,
    written: &[u32],
) -> LogitsEdits {
    let mut edits = LogitsEdits { keep: 1, scored: options.scored, ..LogitsEdits::default() };
    if options.num_beams > 1 {
        // Enough that, were every end token among the best of each hypothesis, as many others as
        // the beam is wide would be left.
        edits.keep = options.num_beams * (1 + context.ends.len().max(1));
        (edits.of_beam, edits.scored) = (true, true);
    } else if options.temperature > 0.0 {
        let draw = mix(options.seed ^ mix(written.len() as u64));
        let &DecodingOptions { temperature, top_k, top_p, min_p, .. } = options;
        edits.sampling = Some(Sampling { temperature, top_k, top_p, min_p, draw });
    }
    if let Some(token) = options.forced_end.filter(|_| written.len() + 1 == context.max_length) {
        edits.forced = Some(token);
        return edits;
    }
    let history = || context.start.iter().chain(written).copied().collect::<Vec<u32>>();
    if options.no_repeat_ngram > 0 {
        edits.banned = completions(&history(), options.no_repeat_ngram);
    }
    if options.encoder_no_repeat_ngram > 0 {
        edits.banned.extend(followers(context.source, &history(), options.encoder_no_repeat_ngram));
    }
    if written.len() < options.min_tokens {
        edits.banned.extend(context.ends);
    }
    for sequence in &options.bad_words {
        if let Some((&last, before)) = sequence.split_last()
            && (before.is_empty() || history().ends_with(before))
        {
            edits.banned.push(last);
        }
    }
    edits.banned.sort_unstable();
    edits.banned.dedup();
    let distinct = |mut tokens: Vec<u32>| {
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    };
    if options.encoder_repetition_penalty != 1.0 {
        edits.penalized.extend(
            distinct(context.source.to_vec())
                .into_iter()
                .map(|token| (token, 1.0 / options.encoder_repetition_penalty)),
        );
    }
    if options.repetition_penalty != 1.0 {
        edits.penalized.extend(
            distinct(history()).into_iter().map(|token| (token, options.repetition_penalty)),
        );
    }
    edits.penalized.sort_by_key(|(token, _)| *token);
    edits.penalized.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 *= later.1;
        }
        same
    });
    edits
}

/// Tokens that would complete an n-gram which is there already.
fn completions(written: &[u32], n: usize) -> Vec<u32> {
    followers(written, written, n)
}

/// Tokens that would complete an n-gram of `text` after what is written.
fn followers(text: &[u32], written: &[u32], n: usize) -> Vec<u32> {
    let Some(last) = (written.len() + 1).checked_sub(n).map(|from| &written[from..]) else {
        return Vec::new();
    };
    text.windows(n).filter(|w| w[..n - 1] == *last).map(|w| w[n - 1]).collect()
}

/// Whether the last tokens go round in a circle: at least 24 of them, and at least four rounds.
pub(super) fn is_loop(written: &[u32]) -> bool {
    const LONGEST_PERIOD: usize = 16;
    (1..=LONGEST_PERIOD).any(|period| {
        let tail = (4 * period).max(24);
        written.len() >= tail
            && (written.len() - tail + period..written.len())
                .all(|i| written[i] == written[i - period])
    })
}

/// Looks for stop texts as tokens come in.
pub(super) struct StopStrings {
    /// Last tokens that are decoded at each step: enough to hold the longest stop text.
    window: usize,
}

impl StopStrings {
    pub(super) fn new(options: &DecodingOptions) -> StopStrings {
        StopStrings { window: options.stop.iter().map(|s| s.len() + 1).max().unwrap_or(0) }
    }

    /// Whether a stop text is complete.
    pub(super) fn reached(
        &self,
        options: &DecodingOptions,
        tokenizer: &Tokenizer,
        written: &[u32],
    ) -> Result<bool> {
        if self.window == 0 {
            return Ok(false);
        }
        let tail = tokenizer.decode(&written[written.len().saturating_sub(self.window)..])?;
        Ok(options.stop.iter().any(|stop| tail.contains(stop.as_str())))
    }
}

/// The text of the written tokens up to the first stop text.
pub(super) fn text(
    options: &DecodingOptions,
    tokenizer: &Tokenizer,
    written: &[u32],
) -> Result<String> {
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
        assert_eq!(completions(&[5, 5], 1), [5, 5]);
        assert!(completions(&[1], 3).is_empty());
        assert!(completions(&[], 1).is_empty());
    }

    #[test]
    fn each_option_has_its_edit() {
        let context = DecodingContext { source: &[6, 3], start: &[9], ends: &[2], max_length: 6 };
        let options = DecodingOptions {
            min_tokens: 2,
            no_repeat_ngram: 2,
            bad_words: vec![vec![5], vec![7, 8]],
            ..DecodingOptions::default()
        };
        assert_eq!(logits_edits(&options, &context, &[]).banned, [2, 5]);
        assert_eq!(logits_edits(&options, &context, &[9, 3, 7]).banned, [5, 8]);
        // What a decoder starts with counts for repetition.
        assert_eq!(logits_edits(&options, &context, &[3, 9]).banned, [3, 5]);
        let source = DecodingOptions {
            encoder_repetition_penalty: 2.0,
            repetition_penalty: 1.5,
            encoder_no_repeat_ngram: 2,
            ..DecodingOptions::default()
        };
        assert_eq!(logits_edits(&source, &context, &[6]).banned, [3]);
        assert_eq!(
            logits_edits(&source, &context, &[6]).penalized,
            [(3, 0.5), (6, 0.75), (9, 1.5)]
        );
        let forced = DecodingOptions { forced_end: Some(2), ..options };
        assert_eq!(logits_edits(&forced, &context, &[4]).forced, None);
        assert_eq!(logits_edits(&forced, &context, &[4, 1, 3, 7, 6]).forced, Some(2));
    }

    #[test]
    fn sees_loops() {
        let text: Vec<u32> = (0..100).collect();
        assert!(!is_loop(&text));
        let looping: Vec<u32> = text.iter().copied().chain((0..40).map(|i| 7 + i % 3)).collect();
        assert!(is_loop(&looping) && !is_loop(&looping[..110]));
    }
}
