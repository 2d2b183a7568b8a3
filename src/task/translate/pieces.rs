//! A segment in pieces: how it is split before it is translated, and assembled afterwards.

use super::{Segment, Translation};
use crate::error::Result;
use crate::generate::{Alignment, Finish, Generate, Output};
use crate::languages;
use crate::task::rerank::Likelihood;
use crate::task::{checks, prompts};
use crate::text::numbers::separators;
use crate::text::sentences::{self, seams};
use crate::text::{caps, clean, protect, quotes};
use crate::types::{AlignedToken, Lang, Problem, TokenAlignment};

/// Longest piece, in tokens, that is translated in one go; longer segments are split.
const LONGEST_PIECE: usize = 160;

/// A part of a segment: translated, or kept as it is.
pub(super) struct Piece {
    pub text: String,
    /// White space after it.
    gap: String,
    pub keep: bool,
}

/// The output for a piece.
pub(super) struct Written {
    pub output: Output,
    /// Tokens of the piece: what there was to read.
    pub tokens: usize,
    /// See [`crate::task::rerank::Reranker::choose`].
    pub likelihood: Option<Likelihood>,
    pub alignment: Option<Alignment>,
}

/// The pieces of a text: a long one is split where the model would no longer be sure of itself; or,
/// for another attempt, into clauses, with what must come through unchanged in pieces that are
/// kept.
pub(super) fn split(
    model: &dyn Generate,
    text: &str,
    lang: &Lang,
    into_clauses: bool,
) -> Result<Vec<Piece>> {
    let longest = LONGEST_PIECE.min(model.prompt_length());
    let limit = if into_clauses { longest / 6 } else { longest };
    let fits = |text: &str| model.count_tokens(text).is_ok_and(|n| n <= limit);
    let mut pieces = Vec::new();
    let mut add = |text: &str| {
        if protect::is_translatable(text) {
            // White space at the borders belongs to the layout.
            let body = text.trim_start();
            if body.len() < text.len() {
                pieces.push(Piece {
                    text: text[..text.len() - body.len()].into(),
                    gap: String::new(),
                    keep: true,
                });
            }
            pieces.extend(sentences::split_long(body, lang, &fits).into_iter().map(|s| Piece {
                text: s.text,
                gap: s.gap,
                keep: false,
            }));
        } else if !text.is_empty() {
            pieces.push(Piece { text: text.into(), gap: String::new(), keep: true });
        }
    };
    let mut end = 0;
    if into_clauses {
        for span in protect::spans(text) {
            add(&text[end..span.start]);
            add(&text[span.clone()]);
            end = span.end;
        }
    }
    add(&text[end..]);
    Ok(pieces)
}

/// The outputs for its pieces as the translation of a segment, with what the checks say of it; a
/// confidence below `doubted_below` is a problem.
pub(super) fn assemble(
    model: &dyn Generate,
    segment: &Segment,
    pieces: &[Piece],
    doubted_below: f32,
    outputs: &mut impl Iterator<Item = Written>,
) -> Translation {
    let mut result = Translation::default();
    // Of all pieces together, each with the weight of its tokens.
    let (mut likelihood, mut weight) = (Some(Likelihood::default()), 0.0);
    let mut finish = Finish::Stop;
    let last = pieces.iter().rposition(|piece| !piece.keep);
    for (i, piece) in pieces.iter().enumerate() {
        if piece.keep {
            result.text.push_str(&piece.text);
        } else if let Some(Written { output, tokens, likelihood: own, alignment }) = outputs.next()
        {
            let tokens_written = output.ids.len() as f32;
            likelihood = likelihood.zip(own).map(|(all, own)| all.plus(own, tokens_written));
            weight += tokens_written;
            result.alignments.extend(alignment.map(aligned));
            if output.finish != Finish::Stop {
                finish = output.finish;
            }
            result.unread_tokens += tokens.saturating_sub(output.prompt_tokens);
            result.output_tokens += output.tokens;
            let goes_on = Some(i) != last;
            result.text.push_str(&seams::fit(
                output.text.trim(),
                &piece.text,
                &result.text,
                goes_on,
                &segment.to,
            ));
        }
        result.text.push_str(gap(&piece.gap, &segment.from, &segment.to));
    }
    result.text = in_style(result.text.trim_end(), segment);
    result.problems = checked(model, segment, &mut result.text, finish);
    let likelihood = likelihood.filter(|_| weight > 0.0).map(|all| all.over(weight));
    result.confidence = likelihood.map(Likelihood::confidence);
    if result.confidence.is_some_and(|confidence| confidence < doubted_below) {
        result.problems.push(Problem::Doubtful);
    }
    result
}

/// A translation in the typography of its language and with the marks of its source.
fn in_style(text: &str, segment: &Segment) -> String {
    let Segment { text: source, from, to } = segment;
    let mut text = clean::normalize(seams::end(text, source));
    if caps::is_capitals(source) {
        text = caps::upper(&text, to);
    }
    text = protect::restore(source, &text);
    text = separators::localize(&text, source, from, to);
    quotes::localize(&text, source, to)
}

/// The problems of a translation. A number that is wrong beyond doubt is put right.
fn checked(
    model: &dyn Generate,
    segment: &Segment,
    text: &mut String,
    finish: Finish,
) -> Vec<Problem> {
    let Segment { text: source, from, to } = segment;
    let mut problems = checks::translation(source, text, finish, from, to);
    if problems.contains(&Problem::Number)
        && let Some(fixed) = checks::with_fixed_number(source, text, from, to)
    {
        let left = checks::translation(source, &fixed, finish, from, to);
        if !left.contains(&Problem::Number) {
            (*text, problems) = (fixed, left);
        }
    }
    if prompts::uses_examples(model) && prompts::leaks(text, to) {
        problems.push(Problem::Unsupported);
    }
    problems
}

/// The source token that each token comes from.
fn aligned(alignment: Alignment) -> TokenAlignment {
    let best = alignment.best();
    let token = |(text, (source, weight))| AlignedToken { text, source, weight };
    TokenAlignment {
        source: alignment.source,
        target: alignment.target.into_iter().zip(best).map(token).collect(),
    }
}

/// The white space after a sentence, as the target language wants it.
pub fn gap<'a>(gap: &'a str, from: &Lang, to: &Lang) -> &'a str {
    match (languages::is_spaceless(from), languages::is_spaceless(to)) {
        (true, false) if gap.is_empty() => " ",
        (false, true) if gap == " " => "",
        _ => gap,
    }
}
