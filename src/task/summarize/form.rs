//! The form of a summary: running text, lines, one line, and quotation marks that close.

use super::length::{self, Budget, count_words};
use super::{HEADLINE_WORDS, LINE_WORDS, Length, Plan, Style, select};
use crate::languages;
use crate::text::quotes::{self, Lacking};
use crate::types::{SummaryMethod, SummarySentence};

/// The sentences of a summary in its form, out of candidates with the best first.
pub(super) fn of_form(
    plan: &Plan,
    mut candidates: Vec<SummarySentence>,
    budget: Budget,
) -> Vec<SummarySentence> {
    match plan.settings.style {
        Style::Headline => vec![headline(plan, candidates.swap_remove(0))],
        Style::Line => vec![line(candidates)],
        Style::Paragraph | Style::Bullets => select::in_order(select::choose(candidates, budget)),
    }
}

/// The best sentence that is short enough for a line, or the beginning of the best.
fn line(candidates: Vec<SummarySentence>) -> SummarySentence {
    /// Of the others, too many say less than the beginning of the best.
    const LOOKED_AT: usize = 3;
    let fits = |sentence: &&SummarySentence| count_words(&sentence.text) <= LINE_WORDS;
    let best = candidates.iter().take(LOOKED_AT).find(fits).unwrap_or(&candidates[0]).clone();
    SummarySentence { text: length::cut(&best.text, LINE_WORDS), ..best }
}

/// One line: the title, else the most telling sentence, shortened by the model or cut.
fn headline(plan: &Plan, best: SummarySentence) -> SummarySentence {
    let most = match plan.settings.length {
        Length::Words(n) => n.min(HEADLINE_WORDS),
        _ => HEADLINE_WORDS,
    };
    let line = match plan.title() {
        Some(title) => SummarySentence {
            text: title.to_owned(),
            support: vec![plan.ranking[0]],
            origin: SummaryMethod::Extractive,
        },
        None => best,
    };
    let text = line.text.split_whitespace().collect::<Vec<_>>().join(" ");
    SummarySentence {
        text: length::cut(text.trim_end_matches(['.', '。', '।', '։']), most),
        ..line
    }
}

/// The sentences as running text has them: what was an item of a list or a heading ends with a full
/// stop.
pub(super) fn ended(plan: &Plan, mut sentences: Vec<SummarySentence>) -> Vec<SummarySentence> {
    const CLOSING: [char; 11] = ['"', '”', '“', '»', '«', '’', '\'', ')', ']', '」', '』'];
    const ENDS: [char; 17] =
        ['.', '!', '?', '…', ':', '。', '！', '？', '：', '।', '։', '؟', '۔', '።', '။', '។', '།'];
    let language = plan.input.language;
    // A question mark in Greek.
    let is_separator = |c: char| {
        matches!(c, ',' | '；' | '，' | '、' | '،' | '؛') || c == ';' && language.base() != "el"
    };
    for sentence in &mut sentences {
        let text = sentence.text.trim_end().trim_end_matches(is_separator).trim_end();
        if !text.trim_end_matches(CLOSING).ends_with(|c| ENDS.contains(&c) || c == ';') {
            sentence.text = format!("{text}{}", languages::full_stop(language));
        }
    }
    sentences
}

/// The sentences with the quotation marks that they lack without those that stood beside them: who
/// speaks must not be lost.
pub(super) fn quoted(plan: &Plan, sentences: Vec<SummarySentence>) -> Vec<SummarySentence> {
    let in_article = quotes::lacking(plan.input.sentences, plan.input.language);
    // Of the article's own sentences, where they stand there.
    let places: Vec<Option<usize>> = sentences
        .iter()
        .map(|sentence| match (sentence.origin, sentence.support.as_slice()) {
            (SummaryMethod::Extractive, [i]) => Some(*i),
            _ => None,
        })
        .collect();
    let place = |n: Option<usize>| places.get(n?).copied().flatten();
    let whole = |(n, sentence): (usize, SummarySentence)| {
        let text = sentence.text;
        let Some(i) = places[n] else {
            let alone =
                quotes::lacking(std::slice::from_ref(&text), plan.input.language).swap_remove(0);
            return SummarySentence {
                text: format!("{}{text}{}", alone.before, alone.after),
                ..sentence
            };
        };
        let Lacking { before, after } = &in_article[i];
        // A quotation goes on from one sentence to the next where both are part of it.
        let follows =
            i > 0 && place(n.checked_sub(1)) == Some(i - 1) && !in_article[i - 1].after.is_empty();
        let goes_on = place(Some(n + 1)) == Some(i + 1) && !in_article[i + 1].before.is_empty();
        let (before, after) = (if follows { "" } else { before }, if goes_on { "" } else { after });
        SummarySentence { text: format!("{before}{text}{after}"), ..sentence }
    };
    sentences.into_iter().enumerate().map(whole).collect()
}
