//! Headings whose line break was lost: "Woman stabbed to death There was no warning".

use super::openers::is_opener;
use crate::text::language::script;
use crate::types::Lang;
use std::cell::LazyCell;
use std::collections::HashMap;

/// Most words of a heading.
const LONGEST: usize = 18;

/// Fewest words of the sentence after a heading that a common word tells.
const SHORTEST: usize = 4;

/// Words that are written with a capital within a sentence: polite pronouns, nouns, and articles
/// that begin names and the titles of works.
const ALSO_WITHIN: &[(&str, &str)] = &[
    ("de", "sie ihr ihnen ihre ihrem ihren ihrer ihres aus sein haben das morgen"),
    ("da", "de dem deres"),
    ("sv", "ni er"),
    ("nl", "u uw"),
    ("fr", "le la les du des un une"),
    ("es", "el la los las un una"),
    ("pt", "o a os as um uma são"),
    ("it", "lei loro la le il lo gli suo sua un una stato stati stata"),
    ("ro", "sa un"),
    ("cs", "vy vám vás"),
    ("ru", "вы вам вас ваш ваша"),
    ("uk", "ви вам вас ваш ваша"),
    ("hu", "ön önt maga"),
    ("id", "anda"),
    ("tr", "siz"),
    ("bg", "при"),
    ("vi", "một hai ba bốn năm sáu bảy tám chín mười"),
    ("en", "may will us"),
];
/// Words after which the title of a work may stand: "the film It was a hit".
const OF_WORKS: &str = "film movie novel song band show series musical album magazine game play book \
    poem story single opera roman livre chanson série émission película novela serie libro canción \
    filme livro série romanzo libro canzone boek liedje";
/// The words that begin a text after a name in English, where others end names and titles: "Doctor
/// Who", "Formula One", "Carry On".
const AFTER_NAMES: &str = "the an he she they there this these those after before but when while \
    since although we his her their our";
/// Words of two letters that are parts of names as well.
const OF_NAMES: &str = "un ho he ri li lo la le el al di da do du de in an mi su so ma yu wu xi \
hu lu \
    bo ye na no van";

/// Places where a sentence begins though nothing ends before it: a word in small letters that is no
/// function word, a space, a capitalized word that begins sentences, and a word in small letters.
/// At the beginning of a text the capitalized word may also be one that the text writes small; but
/// no noun after a name, which it may be a part of ("Harvard University"), nor one that a term of
/// two or three words begins with.
pub(super) fn ends(text: &str, lang: &Lang) -> Vec<usize> {
    let mut out = Vec::new();
    let is_end = |c| matches!(c, '.' | '!' | '?' | '…' | '\n') || c == ':' && lang.base() == "hy";
    let first = text.find(is_end).unwrap_or(text.len());
    let capitals = LazyCell::new(|| Capitals::of(text));
    let mut words = text.split_inclusive(' ');
    let mut at = 0;
    let mut before = "";
    let Some(mut word) = words.next() else { return out };
    for next in words {
        if word.starts_with(char::is_uppercase)
            && next.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit())
            && before.ends_with(' ')
            && ends_heading(before.trim_end(), lang)
            && is_capitalized(word.trim_end())
            && (begins_text(word.trim_end(), before, lang)
                || at < first
                    && text[at..first].split_whitespace().nth(SHORTEST - 1).is_some()
                    && (before.starts_with(char::is_lowercase)
                        || is_opener(&word.trim_end().to_lowercase(), lang))
                    && capitals.are_of_beginning(word.trim_end()))
        {
            out.push(at);
        }
        at += word.len();
        before = word;
        word = next;
    }
    out
}

/// Whether a heading may be over with a word.
fn ends_heading(word: &str, lang: &Lang) -> bool {
    let mut letters = word.chars();
    word.chars().nth(3).is_some()
        && letters.next().is_some_and(char::is_alphabetic)
        && letters.all(char::is_lowercase)
        && !is_opener(&word.to_lowercase(), lang)
}

/// Whether a word has small letters behind its capital, and no other.
fn is_capitalized(word: &str) -> bool {
    let mut letters = word.chars().skip(1);
    let small = |c: char| c.is_lowercase() && script::of(c).has_case();
    letters.next().is_some_and(small) && letters.all(small)
}

/// The words of a text as it writes them, and how often each stands within a sentence.
struct Capitals<'a>(HashMap<&'a str, usize>);

impl<'a> Capitals<'a> {
    fn of(text: &'a str) -> Capitals<'a> {
        let (mut words, mut within) = (HashMap::new(), false);
        for word in text.split_whitespace() {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            *words.entry(bare).or_default() += usize::from(within);
            within = word.ends_with(|c: char| c.is_alphanumeric() || c == ',');
        }
        Capitals(words)
    }

    /// Whether nothing but the beginning of a sentence gives a word its capital: the text also
    /// writes it small, and nowhere else with a capital within a sentence (Mikheev 2002).
    fn are_of_beginning(&self, word: &str) -> bool {
        self.0.contains_key(word.to_lowercase().as_str()) && self.0.get(word) == Some(&1)
    }
}

/// Whether a text may begin with a word that has a capital, after the word `before`.
fn begins_text(word: &str, before: &str, lang: &Lang) -> bool {
    let lower = word.to_lowercase();
    let is_in = |list: &str| list.split_whitespace().any(|other| other == lower);
    let within = ALSO_WITHIN.iter().any(|&(of, list)| of == lang.base() && is_in(list));
    let fits = match before.starts_with(char::is_lowercase) {
        true => !OF_WORKS.split_whitespace().any(|noun| noun == before.trim_end()),
        false if lang.base() == "en" => is_in(AFTER_NAMES),
        false => !is_in(OF_NAMES),
    };
    is_opener(&lower, lang) && !within && fits
}

/// Whether a text is as short as a heading, has no open bracket, and its words do not all have
/// capitals: there a capital says nothing.
pub(super) fn is_heading(text: &str, lang: &Lang) -> bool {
    let small = |word: &&str| word.chars().all(char::is_lowercase) && !is_opener(word, lang);
    text.split_whitespace().nth(LONGEST).is_none()
        && text.split_whitespace().filter(small).nth(1).is_some()
        && text.matches('(').count() == text.matches(')').count()
}
