//! Terms of a glossary in a text: whole words, the longest first.

mod fold;

use super::language::script;
use crate::error::{Error, Result};
use crate::languages;
use crate::types::{Glossary, GlossaryEntry, Lang};
use aho_corasick::{AhoCorasick, MatchKind};
use fold::Folded;
use regex::Regex;
use std::cmp::Reverse;
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;

/// A glossary and patterns, ready to be looked for.
#[derive(Debug)]
pub struct TermIndex {
    glossary: Glossary,
    /// What is kept as it is.
    kept: Vec<Regex>,
    /// Finds the sources of all entries, in lower case.
    finder: AhoCorasick,
    /// The entry of each of the finder's patterns, and which of its sources it is.
    patterns: Vec<(usize, usize)>,
}

impl PartialEq for TermIndex {
    fn eq(&self, other: &TermIndex) -> bool {
        self.glossary == other.glossary
            && self.kept.iter().map(Regex::as_str).eq(other.kept.iter().map(Regex::as_str))
    }
}

/// A term where it stands in a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FoundTerm {
    /// Its place, in bytes.
    pub range: Range<usize>,
    /// The forms that may stand for it, the preferred first; one that stays as it is has itself
    /// alone.
    pub forms: Vec<String>,
    /// Whether it is not to be translated.
    pub is_kept: bool,
}

/// A match, before it is known whether a longer one takes its place.
struct Match {
    range: Range<usize>,
    /// The entries with this source; none of a pattern.
    entries: Vec<usize>,
}

impl TermIndex {
    /// An index of a glossary, and of patterns of what stays as it is.
    ///
    /// # Errors
    /// When a pattern is no regular expression, or the glossary is too large to be looked for.
    pub fn new(glossary: Glossary, keep: &[impl AsRef<str>]) -> Result<TermIndex> {
        let pattern = |pattern: &str| {
            Regex::new(pattern).map_err(|e| {
                Error::Usage(format!(
                    "expected a regular expression of what is kept, as '[A-Z]{{2}}-[0-9]+', found \
                     {pattern:?}: {e}"
                ))
            })
        };
        let kept = keep.iter().map(|text| pattern(text.as_ref())).collect::<Result<_>>()?;
        let (mut patterns, mut sources) = (Vec::new(), Vec::new());
        for (entry, GlossaryEntry { source, .. }) in glossary.entries.iter().enumerate() {
            for (number, form) in source.iter().enumerate() {
                patterns.push((entry, number));
                sources.push(Folded::of(form).text);
            }
        }
        let finder = AhoCorasick::builder().match_kind(MatchKind::Standard).build(sources);
        let finder = finder.map_err(|e| {
            Error::Usage(format!("the glossary is too large to be looked for ({e}); divide it"))
        })?;
        Ok(TermIndex { glossary, kept, finder, patterns })
    }

    /// What it was made of: a result depends on it.
    pub fn parts(&self) -> (&Glossary, Vec<&str>) {
        (&self.glossary, self.kept.iter().map(Regex::as_str).collect())
    }

    /// Whether nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.glossary.entries.is_empty() && self.kept.is_empty()
    }

    /// The terms of a text that is to be translated between two languages, in order. None of them
    /// overlaps another: patterns go first, then the longest. A text that goes through a third
    /// language takes one step `within` its way: an entry of any languages is not for a step, whose
    /// translation is not what the entry says; what stays as it is does so in each.
    pub fn find(&self, text: &str, from: &Lang, to: &Lang, within: bool) -> Vec<FoundTerm> {
        let kept = self.kept.iter().flat_map(|pattern| pattern.find_iter(text));
        let kept = kept.filter(|found| !found.is_empty());
        let mut chosen: Vec<Match> = Vec::new();
        for found in kept {
            take(&mut chosen, Match { range: found.range(), entries: Vec::new() });
        }
        let mut matches = self.matches(text, from, to, within);
        matches.sort_by_key(|found| (Reverse(found.range.len()), found.range.start));
        matches.into_iter().for_each(|found| take(&mut chosen, found));
        chosen.sort_by_key(|found| found.range.start);
        let term = |Match { range, entries }: Match| {
            let own = &text[range.clone()];
            let entries: Vec<&GlossaryEntry> =
                entries.iter().map(|&entry| &self.glossary.entries[entry]).collect();
            let mut forms: Vec<String> = Vec::new();
            for form in entries.iter().flat_map(|entry| &entry.target) {
                if !forms.contains(form) {
                    forms.push(form.clone());
                }
            }
            // Where one entry says that it stays, and another how it is translated, both may be.
            let is_kept = forms.is_empty();
            if entries.iter().any(|entry| entry.is_kept()) || is_kept {
                forms.push(own.to_string());
            }
            FoundTerm { range, forms, is_kept }
        };
        chosen.into_iter().map(term).collect()
    }

    /// All matches of entries for a pair of languages, the entries of equal places together.
    fn matches(&self, text: &str, from: &Lang, to: &Lang, within: bool) -> Vec<Match> {
        let folded = Folded::of(text);
        let mut matches: Vec<Match> = Vec::new();
        for found in self.finder.find_overlapping_iter(&folded.text) {
            let (entry, number) = self.patterns[found.pattern().as_usize()];
            let is_of = self.is_of(&self.glossary.entries[entry], from, to, within);
            let Some(mut range) = folded.place(found.range()).filter(|_| is_of) else { continue };
            let entries = &self.glossary.entries;
            if is_cased(&entries[entry], number)
                && entries[entry].source[number] != text[range.clone()]
            {
                continue;
            }
            if !closes(text, range.end) {
                match plural(text, &range, &entries[entry], from) {
                    Some(end) => range.end = end,
                    None => continue,
                }
            }
            let is_named = entries[entry].is_kept()
                || is_name(&entries[entry].source[number], &text[range.clone()]);
            if !is_whole(text, &range, is_named) {
                continue;
            }
            match matches.iter_mut().find(|known| known.range == range) {
                Some(known) if known.entries.contains(&entry) => {}
                Some(known) => known.entries.push(entry),
                None => matches.push(Match { range, entries: vec![entry] }),
            }
        }
        for found in &mut matches {
            found.entries.sort_unstable();
        }
        matches
    }

    /// Whether an entry is for a pair of languages.
    fn is_of(&self, entry: &GlossaryEntry, from: &Lang, to: &Lang, within: bool) -> bool {
        let fits = |own: &Option<Lang>, lang: &Lang| {
            own.as_ref().is_none_or(|own| languages::is_same_written(own, lang))
        };
        let (is_from, is_to) = (fits(&entry.from, from), fits(&entry.to, to));
        match (entry.is_kept(), within) {
            // Of one step, the one language is the whole way's.
            (true, true) => is_from || is_to,
            (false, true) => is_from && is_to && entry.from.is_some() && entry.to.is_some(),
            (_, false) => is_from && is_to,
        }
    }
}

/// Takes a match that overlaps none before.
fn take(chosen: &mut Vec<Match>, new: Match) {
    if chosen.iter().all(|held| !overlap(&held.range, &new.range)) {
        chosen.push(new);
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Whether capitals count for a source: where the entry says so, or the term has them within, as
/// `NATO` and `iPhone` do and `Paris` does not.
fn is_cased(entry: &GlossaryEntry, number: usize) -> bool {
    entry.case.unwrap_or_else(|| has_capitals_within(&entry.source[number]))
}

fn has_capitals_within(text: &str) -> bool {
    let mut before = ' ';
    text.chars().any(|c| {
        let is_within = c.is_uppercase() && before.is_alphanumeric();
        before = c;
        is_within
    })
}

/// Whether a character goes on with a word that another has begun: both of a script with spaces.
fn joins(before: char, after: char) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    is_combining_mark(after)
        || is_letter(before)
            && is_letter(after)
            && !script::of(before).is_unspaced()
            && !script::of(after).is_unspaced()
}

/// Whether no word goes on beyond a place.
fn is_between_words(text: &str, at: usize) -> bool {
    match (text[..at].chars().next_back(), text[at..].chars().next()) {
        (Some(before), Some(after)) => !joins(before, after),
        _ => true,
    }
}

/// Whether a hyphen at a place joins two words to a compound. A dash of two hyphens does not.
fn is_hyphenated(before: &str, after: &str) -> bool {
    const HYPHENS: [char; 3] = ['-', '\u{2010}', '\u{2011}'];
    let is_word = |c: char| c.is_alphanumeric() && !script::of(c).is_unspaced();
    let joins =
        |rest: &str| rest.strip_prefix(HYPHENS).is_some_and(|rest| rest.starts_with(is_word));
    before.ends_with(is_word) && joins(after)
        || before.strip_suffix(HYPHENS).is_some_and(|rest| rest.ends_with(is_word))
            && after.starts_with(is_word)
}

/// Whether a term stands for itself at its place: no word goes on beyond it, and it is no part of a
/// compound with a hyphen, "record-breaking" for "record". A name is still one in a compound:
/// "Kyiv-based".
fn is_whole(text: &str, range: &Range<usize>, is_name: bool) -> bool {
    let is_part = |at: usize| is_hyphenated(&text[..at], &text[at..]);
    opens(text, range.start)
        && closes(text, range.end)
        && (is_name || !is_part(range.start) && !is_part(range.end))
}

/// Whether a form is written as a name where it stands.
fn is_name(form: &str, written: &str) -> bool {
    let is_capital = |text: &str| text.starts_with(char::is_uppercase);
    is_capital(form) && is_capital(written)
}

fn opens(text: &str, start: usize) -> bool {
    is_between_words(text, start)
}

fn closes(text: &str, end: usize) -> bool {
    is_between_words(text, end)
}

/// The end of a term's plural in -s, where it is one: in languages that make it so, and where the
/// entry has more than one form for it, so that no singular is forced upon a plural.
fn plural(text: &str, range: &Range<usize>, entry: &GlossaryEntry, from: &Lang) -> Option<usize> {
    const SHORTEST: usize = 3;
    let has_choice = entry.target.len() != 1;
    let is_usual = matches!(from.base(), "en" | "fr" | "es" | "pt" | "ca" | "gl");
    let term = &text[range.clone()];
    let may = has_choice
        && is_usual
        && term.chars().count() >= SHORTEST
        && term.ends_with(|c: char| c.is_alphabetic() && !matches!(c, 's' | 'x' | 'z'));
    let end = range.end + 1;
    (may && text[range.end..].starts_with('s') && closes(text, end)).then_some(end)
}

/// For each of some terms the place in a translation where one of its forms stands, if one does.
/// Each has a place of its own: longer forms are looked for first.
pub fn places(terms: &[FoundTerm], translation: &str) -> Vec<Option<Range<usize>>> {
    let folded = Folded::of(translation);
    let mut order: Vec<(usize, &String)> = terms
        .iter()
        .enumerate()
        .flat_map(|(number, term)| term.forms.iter().map(move |form| (number, form)))
        .collect();
    order.sort_by_key(|(number, form)| (Reverse(form.chars().count()), *number));
    let mut places: Vec<Option<Range<usize>>> = vec![None; terms.len()];
    for (number, form) in order {
        if places[number].is_some() {
            continue;
        }
        let found = occurrences(&folded, translation, form, terms[number].is_kept);
        let mut free =
            found.filter(|range| !places.iter().flatten().any(|held| overlap(held, range)));
        places[number] = free.next();
    }
    places
}

/// Where a form stands as whole words; one of a term that `is_kept` with the same capitals.
fn occurrences<'a>(
    folded: &'a Folded,
    text: &'a str,
    form: &'a str,
    is_kept: bool,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let is_exact = is_kept || has_capitals_within(form);
    let wanted = Folded::of(form).text;
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + folded.text.get(from..)?.find(&wanted)?;
            let step = folded.text[at..].chars().next().map_or(1, char::len_utf8);
            from = at + step;
            let Some(range) = folded.place(at..at + wanted.len()) else { continue };
            let is_same = !is_exact || text[range.clone()] == *form;
            let is_named = is_kept || is_name(form, &text[range.clone()]);
            if is_same && is_whole(text, &range, is_named) {
                return Some(range);
            }
        }
    })
    .take_while(|range| !range.is_empty())
}

/// Whether words of a form end where the next letter is another word's: not in scripts without
/// spaces.
pub fn ends_with_its_word(form: &str) -> bool {
    let last = form.chars().next_back();
    last.is_some_and(|c| c.is_alphanumeric() && !script::of(c).is_unspaced())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(source: &str, target: &str) -> GlossaryEntry {
        let forms = |text: &str| {
            text.split('|').filter(|form| !form.is_empty()).map(String::from).collect()
        };
        GlossaryEntry { source: forms(source), target: forms(target), ..GlossaryEntry::default() }
    }

    fn index(entries: &[(&str, &str)], keep: &[&str]) -> TermIndex {
        let entries = entries.iter().map(|(source, target)| entry(source, target)).collect();
        TermIndex::new(Glossary { entries }, keep).unwrap()
    }

    fn lang(code: &str) -> Lang {
        Lang::parse(code).unwrap()
    }

    fn found(index: &TermIndex, text: &str) -> Vec<String> {
        let terms = index.find(text, &lang("en"), &lang("pt"), false);
        terms.iter().map(|t| format!("{}>{}", &text[t.range.clone()], t.forms.join("|"))).collect()
    }

    #[test]
    fn whole_words_the_longest_first() {
        let index = index(
            &[("cat", "gato"), ("cat food", "ração"), ("food chain", "cadeia"), ("a", "um")],
            &[],
        );
        assert_eq!(
            found(&index, "Cat food, a concat; CAT"),
            ["Cat food>ração", "a>um", "CAT>gato"]
        );
        // The longest goes first, wherever it stands.
        assert_eq!(found(&index, "cat food chain"), ["cat>gato", "food chain>cadeia"]);
        assert_eq!(found(&index, "cat's, cat--or dog; cat-"), ["cat>gato"; 3]);
        assert!(found(&index, "cats, bobcat, cat\u{301}").is_empty());
    }

    #[test]
    fn a_compound_with_a_hyphen_is_another_word() {
        let all = index(
            &[("record", "Rekord"), ("Record-breaking", "rekordträchtig"), ("Kyiv", "Kiew")],
            &[],
        );
        assert_eq!(found(&all, "record-breaking"), ["record-breaking>rekordträchtig"]);
        assert!(found(&all, "record-high, all\u{2011}time-record, record-breaking-ish").is_empty());
        assert_eq!(found(&all, "kyiv-based"), [""; 0]);
        assert_eq!(found(&all, "Kyiv-based, pro-Kyiv"), ["Kyiv>Kiew"; 2]);
        // What stays as it is does so in a compound, too.
        let kept = index(&[("acme", "")], &[]);
        assert_eq!(found(&kept, "acme-like"), ["acme>acme"]);
        let met = |form: &str, text: &str, is_kept| {
            let forms = vec![form.to_string()];
            places(&[FoundTerm { range: 0..1, forms, is_kept }], text)[0].is_some()
        };
        assert!(!met("record", "A record-breaking year", false));
        assert!(!met("record", "An all-time-record", false));
        assert!(met("record", "A record - breaking", false));
        assert!(met("record", "A record-breaking record", false));
        assert!(met("Kyiv", "A Kyiv-based group", false));
        assert!(met("Acme", "Die Acme-Produkte", true));
        assert!(met("记录", "新-记录-片", false));
    }

    #[test]
    fn capitals_count_where_the_term_has_them_within() {
        let mut all = index(&[("IT", "TI"), ("iPhone", ""), ("Apple", "maçã")], &[]);
        assert_eq!(found(&all, "It is IT, iphone or iPhone"), ["IT>TI", "iPhone>iPhone"]);
        assert_eq!(found(&all, "an apple"), ["apple>maçã"]);
        all.glossary.entries[2].case = Some(true);
        assert_eq!(found(&all, "an apple by Apple"), ["Apple>maçã"]);
        all.glossary.entries[0].case = Some(false);
        assert_eq!(found(&all, "it"), ["it>TI"]);
    }

    #[test]
    fn a_plural_is_found_where_there_is_a_choice_of_forms() {
        let all = index(&[("cat", "gato|gatos"), ("dog", "cão"), ("Kanban board", "")], &[]);
        assert_eq!(found(&all, "cats and dogs"), ["cats>gato|gatos"]);
        assert_eq!(found(&all, "Kanban boards"), ["Kanban boards>Kanban boards"]);
        let german = all.find("cats", &lang("de"), &lang("pt"), false);
        assert!(german.is_empty());
    }

    #[test]
    fn scripts_without_spaces_have_no_words() {
        let all = index(&[("人工智能", "inteligência artificial"), ("Ubuntu", "Ubuntu")], &[]);
        assert_eq!(
            found(&all, "研究人工智能的Ubuntu系统"),
            ["人工智能>inteligência artificial", "Ubuntu>Ubuntu"]
        );
    }

    #[test]
    fn entries_are_for_their_languages() {
        let mut all = index(&[("cat", "gato"), ("cat", "chat"), ("Foo", "")], &[]);
        (all.glossary.entries[0].from, all.glossary.entries[0].to) =
            (Some(lang("en")), Some(lang("pt")));
        (all.glossary.entries[1].from, all.glossary.entries[1].to) =
            (Some(lang("en")), Some(lang("fr")));
        let forms = |from: &str, to: &str, within: bool| {
            let found = all.find("cat Foo", &lang(from), &lang(to), within);
            found.iter().map(|term| term.forms.join("|")).collect::<Vec<_>>()
        };
        assert_eq!(forms("en", "pt-BR", false), ["gato", "Foo"]);
        assert_eq!(forms("en", "fr", true), ["chat", "Foo"]);
        assert_eq!(forms("de", "pt", false), ["Foo"]);
        (all.glossary.entries[0].from, all.glossary.entries[0].to) = (None, None);
        let within = all.find("cat", &lang("de"), &lang("pt"), true);
        assert!(within.is_empty(), "{within:?}");
    }

    #[test]
    fn entries_of_equal_terms_are_alternatives() {
        let all = index(&[("cat|tom", "gato"), ("cat", "bichano|gato"), ("cat", "")], &[]);
        assert_eq!(found(&all, "a cat"), ["cat>gato|bichano|cat"]);
        assert_eq!(found(&all, "a tom"), ["tom>gato"]);
    }

    #[test]
    fn patterns_go_before_terms() {
        let all = index(&[("board AB-12 one", "x"), ("one", "um")], &["[A-Z]{2}-[0-9]+", "q*"]);
        assert_eq!(found(&all, "board AB-12 one"), ["AB-12>AB-12", "one>um"]);
        let error = TermIndex::new(Glossary::default(), &["["]).unwrap_err().to_string();
        assert!(error.starts_with("expected a regular expression"), "{error}");
    }

    #[test]
    fn letters_that_change_their_length_keep_their_places() {
        let all = index(&[("ß", "ss"), ("İstanbul", "Istambul"), ("x", "y")], &[]);
        assert_eq!(found(&all, "İ İstanbul ẞ x"), ["İstanbul>Istambul", "ẞ>ss", "x>y"]);
    }

    #[test]
    fn each_term_has_a_place_of_its_own() {
        let terms = |forms: &[&str]| -> Vec<FoundTerm> {
            let term = |forms: &&str| FoundTerm {
                range: 0..1,
                forms: forms.split('|').map(String::from).collect(),
                is_kept: false,
            };
            forms.iter().map(term).collect()
        };
        let has = |forms: &[&str], text: &str| {
            let places = places(&terms(forms), text);
            places.iter().map(|p| p.clone().map(|p| text[p].to_string())).collect::<Vec<_>>()
        };
        let some = |text: &str| Some(text.to_string());
        assert_eq!(has(&["gato", "gato"], "O gato viu."), [some("gato"), None]);
        assert_eq!(has(&["gato", "gato|gatos"], "Gatos e gato"), [some("gato"), some("Gatos")]);
        assert_eq!(
            has(&["inteligência", "inteligência artificial"], "A inteligência artificial"),
            [None, some("inteligência artificial")]
        );
        assert_eq!(has(&["gato"], "gatos"), [None]);
        assert_eq!(has(&["iPhone", "人"], "iphone, 三人行"), [None, some("人")]);
    }
}
