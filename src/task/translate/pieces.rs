//! A segment in pieces: how it is split before it is translated, and assembled afterwards.

use super::retry::RetryStrategy;
use super::{Segment, Translation, terms};
use crate::error::Result;
use crate::generate::{Finish, Generate, Output};
use crate::languages;
use crate::task::likelihood::{Likelihood, WeightedLikelihood};
use crate::task::{checks, prompts};
use crate::text::language::script;
use crate::text::mask::{self, Masked};
use crate::text::numbers::separators;
use crate::text::sentences::{self, seams};
use crate::text::terms::FoundTerm;
use crate::text::{caps, clean, protect, quotes};
use crate::types::{Lang, Problem, TokenAlignment};
use std::ops::Range;

/// Longest piece, in tokens, that is translated in one go; longer segments are split.
const LONGEST_PIECE: usize = 160;

/// A part of a segment: translated, or kept as it is.
pub(super) struct Piece {
    pub text: String,
    /// The text as the model reads it.
    pub sent: Masked,
    /// White space after it.
    gap: String,
    pub keep: bool,
}

impl Piece {
    fn kept(text: &str) -> Piece {
        Piece { text: text.into(), sent: Masked::default(), gap: String::new(), keep: true }
    }
}

/// The output for a piece.
pub(super) struct Written {
    pub output: Output,
    /// Tokens of the piece: what there was to read.
    pub tokens: usize,
    /// See [`crate::task::rerank::Reranker::choose`].
    pub likelihood: Option<Likelihood>,
    pub alignment: Option<TokenAlignment>,
    /// Whether reading it back found that it affirms what its source denies, or the other way
    /// round.
    pub is_flipped: bool,
}

/// The pieces of a text: a long one is split where the model would no longer be sure of itself; or,
/// for another attempt, into clauses. What must come through unchanged, and what a translation
/// model cannot read, stands behind placeholders or in pieces that are kept.
pub(super) fn split(
    model: &dyn Generate,
    text: &str,
    (segment, terms): (&Segment, &[FoundTerm]),
    strategy: RetryStrategy,
) -> Result<Vec<Piece>> {
    let lang = &segment.from;
    let untouched =
        |text: &str| untouched(model, text, &terms::kept(terms, segment, text), strategy);
    let into_clauses = strategy == RetryStrategy::Clauses;
    let longest = LONGEST_PIECE.min(model.prompt_length());
    let limit = if into_clauses { longest / 6 } else { longest };
    let fits = |text: &str| model.count_tokens(text).is_ok_and(|n| n <= limit);
    let mut pieces = Vec::new();
    let mut add =
        |text: &str| {
            if protect::is_translatable(text) {
                // White space at the borders belongs to the layout.
                let body = text.trim_start();
                if body.len() < text.len() {
                    pieces.push(Piece::kept(&text[..text.len() - body.len()]));
                }
                pieces.extend(sentences::split_long(body, lang, &fits).into_iter().map(|s| {
                    Piece { sent: mask::mask(&s.text, &[]), text: s.text, gap: s.gap, keep: false }
                }));
            } else if !text.is_empty() {
                pieces.push(Piece::kept(text));
            }
        };
    let runs = untouched(text)?;
    let mut end = 0;
    for run in runs.iter().filter(|run| into_clauses || stands_apart(text, run)) {
        add(&text[end..run.start]);
        add(&text[run.clone()]);
        end = run.end;
    }
    add(&text[end..]);
    if !runs.is_empty() {
        for piece in pieces.iter_mut().filter(|piece| !piece.keep) {
            let runs = untouched(&piece.text)?;
            piece.keep = !protect::is_translatable(&without(&piece.text, &runs));
            piece.sent = mask::mask(&piece.text, &runs);
        }
    }
    Ok(pieces)
}

/// What the model is not to touch in a text: what it cannot read, if it was made for translation;
/// for some attempts also what must come through unchanged, `kept` terms among it.
fn untouched(
    model: &dyn Generate,
    text: &str,
    kept: &[Range<usize>],
    strategy: RetryStrategy,
) -> Result<Vec<Range<usize>>> {
    let mut runs = if prompts::is_translation_model(model) {
        mask::runs(text, &model.unknown(text)?)
    } else {
        Vec::new()
    };
    if matches!(strategy, RetryStrategy::Beam | RetryStrategy::Clauses) {
        let touch = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
        let mut spans = protect::spans(text);
        spans.retain(|span| !kept.iter().any(|term| touch(span, term)));
        spans.extend_from_slice(kept);
        runs.retain(|run| !spans.iter().any(|span| touch(span, run)));
        runs.extend(spans);
        runs.sort_by_key(|run| run.start);
    }
    Ok(runs)
}

/// Whether a run is a symbol at one end of its sentence, which is no part of it.
fn stands_apart(text: &str, run: &Range<usize>) -> bool {
    let (before, after) = (text[..run.start].trim_end(), &text[run.end..]);
    let is_symbol = !text[run.clone()].contains(char::is_alphanumeric);
    let has_words = |text: &str| text.contains(char::is_alphanumeric);
    is_symbol && (!has_words(before) || !has_words(after) || before.ends_with(seams::STOPS))
}

/// A text without some of its parts.
fn without(text: &str, runs: &[Range<usize>]) -> String {
    let ends = runs.iter().map(|run| run.end);
    let starts = runs.iter().map(|run| run.start).chain([text.len()]);
    std::iter::once(0).chain(ends).zip(starts).map(|(end, start)| &text[end..start]).collect()
}

/// How the pieces of a segment are put together.
pub(super) struct Assembly<'a> {
    pub model: &'a dyn Generate,
    pub strategy: RetryStrategy,
    /// A confidence below this is a problem.
    pub doubted_below: f32,
}

impl Assembly<'_> {
    /// The outputs for its pieces as the translation of a segment, with what the checks say of it.
    pub fn assemble(
        &self,
        (segment, terms): (&Segment, &[FoundTerm]),
        pieces: &[Piece],
        outputs: &mut impl Iterator<Item = Written>,
    ) -> Translation {
        let mut result = Translation::default();
        let mut likelihood = Some(WeightedLikelihood::default());
        let (mut finish, mut is_lost, mut is_flipped) = (Finish::Stop, false, false);
        let last = pieces.iter().rposition(|piece| !piece.keep);
        for (i, piece) in pieces.iter().enumerate() {
            if piece.keep {
                result.text.push_str(&piece.text);
            } else if let Some(written) = outputs.next() {
                let Written { output, tokens, likelihood: own, alignment, is_flipped: flips } =
                    written;
                likelihood = likelihood.zip(own).map(|(all, own)| all.plus(own, output.ids.len()));
                result.alignments.extend(alignment);
                if output.finish != Finish::Stop {
                    finish = output.finish;
                }
                result.unread_tokens += tokens.saturating_sub(output.prompt_tokens);
                result.output_tokens += output.tokens;
                let goes_on = Some(i) != last;
                let text = piece.sent.restore(output.text.trim());
                is_flipped |= flips;
                is_lost |= !piece.sent.is_whole_in(&text);
                let (before, to) = (&result.text, &segment.to);
                let text = seams::fit(&text, &piece.text, before, goes_on, to).into_owned();
                // The mark that stood between them may be gone.
                let is_letter = |c: char| c.is_alphanumeric() && !script::of(c).is_unspaced();
                let touch = result.text.ends_with(is_letter) && text.starts_with(is_letter);
                if touch && !piece.text.starts_with(is_letter) {
                    result.text.push(' ');
                }
                result.text.push_str(&text);
            }
            result.text.push_str(gap(&piece.gap, &segment.from, &segment.to));
        }
        let text = self.strategy.fit(result.text.trim_end().to_string(), segment);
        result.text = in_style(&text, segment);
        let says_nothing = likelihood.is_some_and(|likelihood| likelihood.says_nothing);
        result.problems = checked(self.model, segment, &mut result.text, finish, says_nothing);
        is_lost |= !terms::lost(terms, segment, &result.text).is_empty();
        if is_lost && !result.problems.contains(&Problem::Protected) {
            result.problems.push(Problem::Protected);
        }
        if is_flipped {
            result.problems.push(Problem::Negation);
        }
        result.confidence = likelihood.and_then(WeightedLikelihood::confidence);
        let is_telling = likelihood.is_some_and(WeightedLikelihood::is_telling);
        if is_telling && result.confidence.is_some_and(|found| found < self.doubted_below) {
            result.problems.push(Problem::Doubtful);
        }
        result
    }
}

/// A translation in the typography of its language and with the marks of its source; what was
/// copied stays as it is.
fn in_style(text: &str, segment: &Segment) -> String {
    let Segment { text: source, from, to, kept, .. } = segment;
    let copied = mask::mask(text, &terms::found_again(kept, source, text));
    let mut text = clean::normalize(seams::end(&copied.text, source));
    if caps::is_capitals(source) {
        text = caps::upper(&text, to);
    }
    text = protect::restore(source, &text);
    text = separators::localize(&text, source, from, to);
    copied.restore(&quotes::localize(&text, source, to))
}

/// The problems of a translation, of which reading back may have found that it `says_nothing` of
/// its source. A number that is wrong beyond doubt is put right.
fn checked(
    model: &dyn Generate,
    segment: &Segment,
    text: &mut String,
    finish: Finish,
    says_nothing: bool,
) -> Vec<Problem> {
    let Segment { text: source, from, to, .. } = segment;
    let mut problems = checks::translation(source, text, finish, from, to);
    if problems.contains(&Problem::Number)
        && let Some(fixed) = checks::with_fixed_number(source, text, from, to)
    {
        let left = checks::translation(source, &fixed, finish, from, to);
        if !left.contains(&Problem::Number) {
            (*text, problems) = (fixed, left);
        }
    }
    let is_example =
        || prompts::uses_examples(model) && checks::is_of_example(source, text, from, to);
    if says_nothing || is_example() {
        problems.push(Problem::Unsupported);
    }
    problems
}

/// The white space after a sentence, as the target language wants it. Ends of lines stay.
pub fn gap<'a>(gap: &'a str, from: &Lang, to: &Lang) -> &'a str {
    match (languages::is_spaceless(from), languages::sentence_gap(to).is_empty()) {
        _ if gap.contains('\n') => gap,
        (_, true) => "",
        (true, false) if gap.is_empty() => " ",
        _ => gap,
    }
}

#[cfg(test)]
mod tests {
    use super::gap;
    use crate::types::Lang;

    #[test]
    fn gaps_are_those_of_the_target() {
        for (between, from, to, expected) in [
            ("", "zh", "en", " "),
            ("", "ja", "ko", " "),
            ("", "zh", "th", " "),
            ("", "zh", "ja", ""),
            (" ", "en", "zh", ""),
            ("  ", "en", "ja", ""),
            ("\n", "en", "zh", "\n"),
            ("\n\n", "zh", "en", "\n\n"),
            (" ", "en", "th", " "),
            (" ", "en", "ko", " "),
            ("", "en", "fr", ""),
        ] {
            let [from, to] = [from, to].map(|code| Lang::parse(code).unwrap());
            assert_eq!(gap(between, &from, &to), expected, "{between:?} {from} {to}");
        }
    }
}
