//! Summaries by a summarization model, which reads the article itself: in parts, if it is longer
//! than the model reads at once. What the model writes is checked against the part that it read.

use super::faithfulness;
use crate::error::Result;
use crate::generate::{DecodingOptions, Finish, Generate, Output, Request};
use crate::languages;
use crate::task::checks;
use crate::text::{sentences, words};
use crate::types::{Flag, Lang, Problem, SummaryMethod, SummarySentence};
use std::ops::Range;

/// The article in parts that the model reads whole, as even as sentences allow: a request and the
/// numbers of its sentences for each.
pub(super) fn requests(
    texts: &[String],
    language: &Lang,
    generator: &dyn Generate,
    prefix: &str,
    options: DecodingOptions,
) -> Result<Vec<(Request, Range<usize>)>> {
    let limit = generator.prompt_length().saturating_sub(generator.count_tokens(prefix)?).max(1);
    let mut parts: Vec<(String, Range<usize>)> = Vec::new();
    let sizes =
        texts.iter().map(|text| generator.count_tokens(text)).collect::<Result<Vec<_>>>()?;
    let total: usize = sizes.iter().sum();
    // A last part of two sentences would be summarized as if it were an article of its own.
    let aim = total.div_ceil(total.div_ceil(limit).max(1));
    let space = if languages::is_spaceless(language) { "" } else { " " };
    let mut size = 0;
    for (i, text) in texts.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        if sizes[i] > limit {
            // A sentence that is too long even by itself is read piece by piece.
            let fits = |piece: &str| generator.count_tokens(piece).is_ok_and(|n| n <= limit);
            parts.extend(
                sentences::split_long(text, language, &fits)
                    .into_iter()
                    .map(|piece| (piece.text, i..i + 1)),
            );
            size = limit;
            continue;
        }
        match parts.last_mut() {
            Some((part, range)) if size < aim && size + sizes[i] <= limit => {
                let longer = format!("{part}{space}{}", text.trim());
                // Joined, texts can have more tokens than apart.
                if size * 10 < limit * 9 || generator.count_tokens(&longer)? <= limit {
                    *part = longer;
                    range.end = i + 1;
                    size += sizes[i];
                } else {
                    parts.push((text.trim().to_string(), i..i + 1));
                    size = sizes[i];
                }
            }
            _ => {
                parts.push((text.trim().to_string(), i..i + 1));
                size = sizes[i];
            }
        }
    }
    let request = |(prompt, range)| {
        let (prefix, options) = (prefix.to_string(), options.clone());
        (Request { prefix, prompt, options, ..Request::default() }, range)
    };
    Ok(parts.into_iter().map(request).collect())
}

/// The sentences that the model wrote about each part, in its order; what the part does not bear
/// out is put among the rejected ones.
pub(super) fn sentences_of(
    outputs: &[Output],
    parts: &[Range<usize>],
    texts: &[String],
    language: &Lang,
    rejected: &mut Vec<Flag>,
) -> Vec<Vec<SummarySentence>> {
    let mut written = Vec::with_capacity(outputs.len());
    for (output, part) in outputs.iter().zip(parts) {
        let source = texts[part.clone()].join(" ");
        // Pegasus writes line ends as a mark, and some models put a space before a full stop.
        let text = output
            .text
            .replace("<n>", " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace(" . ", ". ");
        let text = text.strip_suffix(" .").map_or(text.clone(), |text| format!("{text}."));
        let mut own = Vec::new();
        let all = sentences::split(text.trim(), language);
        let count = all.len();
        for (i, sentence) in all.into_iter().enumerate() {
            let support = support(&sentence.text, &texts[part.clone()], part.start);
            let cut = output.finish != Finish::Stop && i + 1 == count;
            match examine(&sentence.text, &source, language, cut) {
                Some(problem) => rejected.push(Flag {
                    problem,
                    segment: support.first().copied().unwrap_or(part.start),
                    text: sentence.text,
                }),
                None if support.is_empty() => {
                    rejected.push(Flag {
                        problem: Problem::Unsupported,
                        segment: part.start,
                        text: sentence.text,
                    });
                }
                None => own.push(SummarySentence {
                    text: sentence.text,
                    support,
                    origin: SummaryMethod::Abstractive,
                }),
            }
        }
        written.push(own);
    }
    written
}

/// The problem of a sentence of the summary that says what the source does not.
fn examine(text: &str, source: &str, language: &Lang, cut: bool) -> Option<Problem> {
    if cut && !text.ends_with(['.', '!', '?', '。', '！', '？', '।', '۔', '؟', '։', '"', '”', '»'])
    {
        return Some(Problem::CutOff);
    }
    if checks::repeats(text) {
        return Some(Problem::Repetition);
    }
    if !checks::unsupported_numbers(text, source).is_empty() {
        return Some(Problem::Number);
    }
    let known: std::collections::HashSet<String> = words::words(source).into_iter().collect();
    let is_known = |name: &String| words::words(name).iter().any(|word| known.contains(word));
    (!words::names(text, language).iter().all(is_known)).then_some(Problem::Name)
}

/// The sentences of a part that a sentence is made of: the one that shares most of its words, and
/// another that adds to them.
fn support(text: &str, part: &[String], first: usize) -> Vec<usize> {
    /// A share of the words that comes together by chance.
    const CHANCE: f32 = 0.2;
    let subject = faithfulness::subject(text);
    if subject.is_empty() {
        return Vec::new();
    }
    let subjects: Vec<_> = part.iter().map(|sentence| faithfulness::subject(sentence)).collect();
    let mut left = subject.clone();
    let mut support = Vec::new();
    while support.len() < 3 {
        let shared = |i: usize| subjects[i].intersection(&left).count();
        // The first of equals.
        let Some(best) = (0..subjects.len()).rev().max_by_key(|&i| shared(i)) else { break };
        if (shared(best) as f32) < CHANCE * subject.len() as f32 || shared(best) == 0 {
            break;
        }
        left.retain(|word| !subjects[best].contains(word));
        support.push(first + best);
    }
    support.sort_unstable();
    support
}
