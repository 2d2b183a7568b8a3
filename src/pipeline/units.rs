//! The units of an article: its sentences, each with the language that it is in.

use crate::task::translate::Translation;
use crate::text::language::{Languages, leans, of_passage};
use crate::text::sentences::{self, seams};
use crate::text::{language, quotes, words};
use crate::types::{Article, BlockKind, Lang, Sentence};
use std::ops::Range;

/// A sentence and where it stands; or a part of one, where a quotation in it is in another language
/// than the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// The number of its block; `None` for the title.
    pub block: Option<usize>,
    pub text: String,
    /// White space after it.
    pub gap: String,
    /// `und` where it is in another script than the article, and in no language that can be told.
    pub language: Lang,
    /// Whether its sentence began before it.
    pub continues: bool,
    /// Whether its sentence goes on after it.
    pub goes_on: bool,
}

/// The title's, then the blocks' units. Where the article is to be translated `to` another
/// language, what is in that one already, or in a third one, is told from the rest.
pub(super) fn units(article: &Article, language: &Lang, to: Option<&Lang>) -> Vec<Unit> {
    let to = to.filter(|to| !to.same_base(language));
    let title = article.title.iter().flat_map(|title| {
        let whole = Sentence { text: title.clone(), gap: String::new() };
        of_sentences(vec![whole], None, language, language, to)
    });
    let body =
        article.blocks.iter().enumerate().filter(|(_, block)| block.kind != BlockKind::Verbatim);
    let body = body.flat_map(|(number, block)| {
        let own = to.and_then(|to| {
            language::of_passage(&block.text, Languages { around: language, expected: &[to] })
        });
        let around = own.filter(|own| !own.is_und()).unwrap_or_else(|| language.clone());
        let split = sentences::split(&block.text, &around);
        of_sentences(split, Some(number), &around, language, to)
    });
    title.chain(body).collect()
}

/// The units of the sentences of a block that is mostly in the language `around`.
fn of_sentences(
    sentences: Vec<Sentence>,
    block: Option<usize>,
    around: &Lang,
    article: &Lang,
    to: Option<&Lang>,
) -> Vec<Unit> {
    let mut units = Vec::with_capacity(sentences.len());
    for Sentence { text, gap } in sentences {
        let unit = |text: &str, gap: &str, language: &Lang| Unit {
            block,
            text: text.into(),
            gap: gap.into(),
            language: language.clone(),
            continues: false,
            goes_on: false,
        };
        let Some(to) = to else {
            units.push(unit(&text, &gap, around));
            continue;
        };
        let languages = Languages { around, expected: &[article, to] };
        let quoted = foreign_quotations(&text, languages);
        if quoted.is_empty() {
            let own = of_passage(&text, languages).unwrap_or_else(|| around.clone());
            units.push(unit(&text, &gap, &own));
            continue;
        }
        let parts = parts(&text, &quoted, around);
        let last = parts.len() - 1;
        units.extend(parts.into_iter().enumerate().map(|(number, (range, language))| {
            let part = text[range].trim_start();
            let kept = part.trim_end();
            let gap = if number == last { gap.as_str() } else { &part[kept.len()..] };
            let (continues, goes_on) = (number > 0, number < last);
            Unit { continues, goes_on, ..unit(kept, gap, &language) }
        }));
    }
    units
}

/// The quotations of a sentence that are in another language than the text around them, with those
/// languages.
fn foreign_quotations(sentence: &str, languages: Languages<'_>) -> Vec<(Range<usize>, Lang)> {
    /// Words from which on a quotation is no title.
    const PROSE: usize = 6;
    let is_prose = |text: &str| words::words(text).len() >= PROSE;
    let mut found = Vec::new();
    for range in quotes::quotations(sentence) {
        let text = &sentence[range.clone()];
        let own = of_passage(text, languages).filter(|own| !own.is_und() && is_prose(text));
        found.extend(own.map(|own| (range, own)));
    }
    found
}

/// A sentence in parts, each with its language: those quotations and what stands between them. It
/// is one part where the rest is in the language of its quotations, too.
fn parts(
    sentence: &str,
    quoted: &[(Range<usize>, Lang)],
    around: &Lang,
) -> Vec<(Range<usize>, Lang)> {
    let mut parts: Vec<(Range<usize>, Lang)> = Vec::new();
    let mut rest = String::new();
    let mut end = 0;
    for (range, language) in quoted {
        let between = &sentence[end..range.start];
        if between.contains(char::is_alphanumeric) {
            parts.push((end..range.start, around.clone()));
            rest.push_str(between);
            rest.push(' ');
        }
        // The comma after a quotation stays with it.
        let after = &sentence[range.end..];
        let marks = after.len() - after.trim_start_matches([',', '.', ';', '!', '?', '，']).len();
        let begin = parts.last().map_or(0, |(before, _)| before.end);
        end = range.end + marks;
        parts.push((begin..end, language.clone()));
    }
    let after = &sentence[end..];
    if after.contains(char::is_alphanumeric) {
        parts.push((end..sentence.len(), around.clone()));
        rest.push_str(after);
    } else if let Some((last, _)) = parts.last_mut() {
        last.end = sentence.len();
    }
    let language = &quoted[0].1;
    let is_one = quoted.iter().all(|(_, other)| other.same_base(language))
        && (!rest.contains(char::is_alphabetic) || leans(&rest, language, around));
    if is_one { vec![(0..sentence.len(), language.clone())] } else { parts }
}

/// Fits the translations of parts of sentences into their sentences.
pub(super) fn fit(units: &[Unit], translations: &mut [Translation], to: &Lang) {
    for (i, unit) in units.iter().enumerate().filter(|(_, unit)| unit.continues || unit.goes_on) {
        if unit.language.same_base(to) {
            continue;
        }
        let before = if unit.continues { translations[i - 1].text.as_str() } else { "" };
        let fitted = seams::fit(&translations[i].text, &unit.text, before, unit.goes_on, to);
        translations[i].text = fitted.into_owned();
    }
}
