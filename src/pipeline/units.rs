//! The units of an article: its sentences, each with the language that it is in.

use crate::task::translate::{self, Translation};
use crate::text::language::{Languages, leans, of_passage};
use crate::text::sentences::{self, seams};
use crate::text::{language, quotes, words};
use crate::types::{Article, Aside, Block, BlockKind, Lang, Sentence};
use std::collections::BTreeSet;
use std::ops::Range;

/// A sentence and where it stands; or a part of one, where a quotation in it is in another language
/// than the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// The number of its block; `None` for the title.
    pub block: Option<usize>,
    /// The number of the text in the block's markup that it is of, see
    /// [`Block::asides`](crate::types::Block::asides).
    pub aside: Option<usize>,
    /// The parts of its text that are copied.
    pub kept: Vec<Range<usize>>,
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

/// The title's, then the blocks' units. Where the article is to be translated, what is in the
/// language wanted already, or in a third one, is told from the rest; of an article that is mostly
/// in the language wanted, whole sentences in others are.
pub(super) fn units(article: &Article, language: &Lang, to: Option<&Lang>) -> Vec<Unit> {
    let title = article.title.iter().flat_map(|title| {
        let whole = Sentence { text: title.clone(), gap: String::new() };
        of_sentences(vec![whole], None, language, language, to)
    });
    let is_text = |block: &Block| block.kind != BlockKind::Verbatim && !block.is_title;
    let body = article.blocks.iter().enumerate().filter(|(_, block)| is_text(block));
    let body = body.flat_map(|(number, block)| {
        let around = to.and_then(|to| of_block(&block.text, language, to));
        let around = around.unwrap_or_else(|| language.clone());
        let split = sentences::split(&block.text, &around);
        let mut units = of_sentences(split, Some(number), &around, language, to);
        keep(&mut units, block);
        for (aside, Aside { text, .. }) in block.asides.iter().enumerate() {
            let split = sentences::split(text, language);
            let own = of_sentences(split, Some(number), language, language, to);
            units.extend(own.into_iter().map(|unit| Unit { aside: Some(aside), ..unit }));
        }
        units
    });
    title.chain(body).collect()
}

/// Tells the units of a block which parts of them are copied.
fn keep(units: &mut [Unit], block: &Block) {
    let mut read = 0;
    for unit in units.iter_mut().filter(|_| !block.inline.kept.is_empty()) {
        let start = block.text[read..].find(unit.text.as_str()).map_or(read, |at| read + at);
        read = start + unit.text.len();
        let within = |at: usize| at.clamp(start, read) - start;
        let parts = block.inline.kept.iter().map(|kept| within(kept.start)..within(kept.end));
        unit.kept = parts.filter(|part| !part.is_empty()).collect();
    }
}

/// The languages of units other than that of their article and the one wanted.
pub(super) fn passages(units: &[Unit], language: &Lang, to: &Lang) -> Vec<Lang> {
    let is_other = |own: &&Lang| !own.is_und() && *own != language && !own.same_base(to);
    let found: BTreeSet<&Lang> = units.iter().map(|unit| &unit.language).filter(is_other).collect();
    found.into_iter().cloned().collect()
}

/// For each unit the `number` of sentences before it that a model may read. A text in markup (a
/// caption) stands for itself, and is before nothing.
pub(super) fn contexts(units: &[Unit], number: usize) -> Vec<String> {
    let is_running = |unit: &&Unit| unit.aside.is_none();
    let running = units.iter().filter(is_running);
    let sentences = running.map(|unit| (unit.text.as_str(), &unit.language));
    let mut before = translate::preceding(sentences, number).into_iter();
    let context =
        |unit| if is_running(&unit) { before.next().unwrap_or_default() } else { String::new() };
    units.iter().map(context).collect()
}

/// The language of a block of several sentences that are all in another language than the article.
fn of_block(text: &str, article: &Lang, to: &Lang) -> Option<Lang> {
    let languages = Languages { around: article, expected: &[to] };
    let own = language::of_passage(text, languages).filter(|own| !own.is_und())?;
    let sentences = sentences::split(text, &own);
    let is_whole = sentences.iter().all(|sentence| !leans(&sentence.text, article, &own));
    (is_whole && sentences.len() > 1).then_some(own)
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
            aside: None,
            kept: Vec::new(),
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
        let quoted = match to.same_base(article) {
            true => Vec::new(),
            false => foreign_quotations(&text, Languages { around: article, expected: &[to] }),
        };
        if quoted.is_empty() {
            let own = of_passage(&text, languages).unwrap_or_else(|| around.clone());
            units.push(unit(&text, &gap, &own));
            continue;
        }
        let parts = parts(&text, &quoted, around, article);
        for (number, (range, language)) in parts.iter().enumerate() {
            let kept = trimmed(&text, range);
            let next = parts.get(number + 1).map(|(range, _)| trimmed(&text, range).start);
            let gap = next.map_or(gap.as_str(), |next| &text[kept.end..next]);
            let (continues, goes_on) = (number > 0, next.is_some());
            units.push(Unit { continues, goes_on, ..unit(&text[kept], gap, language) });
        }
    }
    units
}

/// The part of a range without white space at its ends.
fn trimmed(text: &str, range: &Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + part.len() - part.trim_start().len();
    start..start + part.trim().len()
}

/// The quotations of a sentence that are in another language than the article, with those
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
/// is one part where the rest is in the language of its quotations, too: a few words are taken to
/// be in that of the sentences `around`.
fn parts(
    sentence: &str,
    quoted: &[(Range<usize>, Lang)],
    around: &Lang,
    article: &Lang,
) -> Vec<(Range<usize>, Lang)> {
    let language = &quoted[0].1;
    let is_within = around.same_base(language);
    let other = if is_within { article } else { around };
    let mut parts: Vec<(Range<usize>, Lang)> = Vec::new();
    let mut rest = String::new();
    let mut end = 0;
    for (range, language) in quoted {
        let between = &sentence[end..range.start];
        if between.contains(char::is_alphanumeric) {
            parts.push((end..range.start, other.clone()));
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
        parts.push((end..sentence.len(), other.clone()));
        rest.push_str(after);
    } else if let Some((last, _)) = parts.last_mut() {
        last.end = sentence.len();
    }
    let is_one = quoted.iter().all(|(_, other)| other.same_base(language))
        && match is_within {
            _ if !rest.contains(char::is_alphabetic) => true,
            true => !leans(&rest, article, language),
            false => leans(&rest, language, around),
        };
    if is_one { vec![(0..sentence.len(), language.clone())] } else { parts }
}

/// Fits the translations of parts of sentences into their sentences.
pub(super) fn fit(units: &[Unit], translations: &mut [Translation], to: &Lang) {
    for (i, unit) in units.iter().enumerate().filter(|(_, unit)| unit.continues || unit.goes_on) {
        if unit.language.same_base(to) {
            // Word for word, in the marks of the language.
            translations[i].text = quotes::localize(&unit.text, &unit.text, to);
            continue;
        }
        let before = if unit.continues { translations[i - 1].text.as_str() } else { "" };
        let fitted = seams::fit(&translations[i].text, &unit.text, before, unit.goes_on, to);
        translations[i].text = fitted.into_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Format, Source};

    fn find(code: &str, to: Option<&str>, blocks: &[&str]) -> Vec<String> {
        let block = |text: &&str| Block {
            kind: BlockKind::Paragraph,
            prefix: String::new(),
            text: text.to_string(),
            suffix: "\n\n".into(),
            ..Block::default()
        };
        let source = Source {
            path: "a".into(),
            format: Format::Text,
            bytes: 0,
            sha256: String::new(),
            notes: Vec::new(),
        };
        let article = Article {
            id: "a".into(),
            source,
            title: None,
            blocks: blocks.iter().map(block).collect(),
            removed: Vec::new(),
            extra: serde_json::Map::new(),
        };
        let lang = |code: &str| Lang::parse(code).unwrap();
        let units = units(&article, &lang(code), to.map(lang).as_ref());
        // Nothing is lost on the way.
        for (number, block) in blocks.iter().enumerate() {
            let own = units.iter().filter(|unit| unit.block == Some(number));
            let text: String = own.map(|unit| format!("{}{}", unit.text, unit.gap)).collect();
            assert_eq!(text, *block);
        }
        let shown = |unit: &Unit| {
            let mark = |is: bool| if is { "…" } else { "" };
            let (before, after) = (mark(unit.continues), mark(unit.goes_on));
            format!("{}: {before}{}{after}", unit.language, unit.text)
        };
        units.iter().map(shown).collect()
    }

    #[test]
    fn each_sentence_has_its_language() {
        let blocks = [
            "Le conseil a voté lundi. The council will meet again in the old house. C'est tout.",
            "Il traghetto partirà ogni venti minuti, ha detto il sindaco. Poi basta.",
            "Voir la page.",
        ];
        assert_eq!(
            find("fr", Some("en"), &blocks),
            [
                "fr: Le conseil a voté lundi.",
                "en: The council will meet again in the old house.",
                "fr: C'est tout.",
                "it: Il traghetto partirà ogni venti minuti, ha detto il sindaco.",
                "it: Poi basta.",
                "fr: Voir la page.",
            ]
        );
        // In the language wanted are most of them, and the others are not.
        assert_eq!(find("fr", Some("fr"), &blocks), find("fr", Some("en"), &blocks));
        // Where nothing is translated all is of one language.
        assert!(find("fr", None, &blocks).iter().all(|unit| unit.starts_with("fr: ")));
    }

    #[test]
    fn quotations_have_languages_of_their_own() {
        let quotation = "“There is still a lot of work to do,”";
        assert_eq!(
            find(
                "tr",
                Some("en"),
                &[&format!("{quotation} dedi."), &format!("Bakan: {quotation}")]
            ),
            [
                format!("en: {quotation}…"),
                "tr: …dedi.".into(),
                "tr: Bakan:…".into(),
                format!("en: …{quotation}"),
            ]
        );
        assert_eq!(
            find(
                "fr",
                Some("en"),
                &["Il a dit : « We will never give up on this », puis il est parti."]
            ),
            [
                "fr: Il a dit :…",
                "en: …« We will never give up on this »,…",
                "fr: …puis il est parti."
            ]
        );
        assert_eq!(
            find(
                "tr",
                Some("en"),
                &["“This is what we want. This is what we will get, in the end,” dedi."]
            ),
            [
                "en: “This is what we want.",
                "en: This is what we will get, in the end,”…",
                "tr: …dedi."
            ]
        );
        for whole in [
            "\"We are very happy to be here and we will work together,\" the president said in English.",
            "“The Lord of the Rings”",
        ] {
            assert_eq!(find("ru", Some("en"), &[whole]), [format!("en: {whole}")]);
        }
        // Titles and names stay in their sentences.
        let title = "Фильм «The Lord of the Rings» вышел в прокат.";
        assert_eq!(find("ru", Some("en"), &[title]), [format!("ru: {title}")]);
    }

    #[test]
    fn parts_become_one_sentence_again() {
        let unit = |text: &str, language: &str, continues, goes_on| Unit {
            block: Some(0),
            aside: None,
            kept: Vec::new(),
            text: text.into(),
            gap: " ".into(),
            language: Lang::parse(language).unwrap(),
            continues,
            goes_on,
        };
        let units = [
            unit("Bakan dün dedi:", "tr", false, true),
            unit("« We have work to do »,", "en", true, true),
            unit("ve gitti.", "tr", true, false),
            unit("Bitti.", "tr", false, false),
        ];
        let texts = ["The minister said.", "« We have work to do »,", "And he went.", "The end."];
        let mut translations =
            texts.map(|text| Translation { text: text.into(), ..Translation::default() });
        fit(&units, &mut translations, &Lang::en());
        let texts = translations.each_ref().map(|translation| translation.text.as_str());
        assert_eq!(texts[0], "The minister said");
        assert_eq!(texts[1..], ["\"We have work to do\",", "and he went.", "The end."]);
    }
}
