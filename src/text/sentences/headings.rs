//! Headings whose line break was lost: "Woman stabbed to death There was no warning".

use super::openers::is_opener;
use crate::text::language::script;
use crate::types::Lang;

/// Most words of a heading.
const LONGEST: usize = 18;

/// Words that are written with a capital within a sentence: polite pronouns, articles that begin the
/// names of places and works.
const ALSO_WITHIN: &str = "sie ihr ihnen ihre ihrem ihren ihrer ihres lei loro le la suo sua de dem \
    deres der din ni er u uw вы вам вас ваш вами ви вам вас ваш los las the el al il du van von den \
    das vy vám vás anda ön önt san são st santa mr may will us sur siz aus \
    sein haben stato stati stata";

/// Places where a sentence begins though nothing ends before it: a word in small letters that is no
/// function word, a space, a capitalized word that begins sentences, and a word in small letters.
pub(super) fn ends(text: &str, lang: &Lang) -> Vec<usize> {
    let mut out = Vec::new();
    let mut words = text.split_inclusive(' ');
    let mut at = 0;
    let mut before = "";
    let Some(mut word) = words.next() else { return out };
    for next in words {
        if word.starts_with(char::is_uppercase)
            && next.starts_with(char::is_lowercase)
            && before.ends_with(' ')
            && begins_text(word.trim_end(), before, lang)
            && ends_heading(before.trim_end(), lang)
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

/// Whether a text may begin with a word that has a capital. Those of two letters are often parts of
/// names: "Kim Jong Un".
fn begins_text(word: &str, before: &str, lang: &Lang) -> bool {
    let mut letters = word.chars().skip(1);
    let small = |c: char| c.is_lowercase() && script::of(c).has_case();
    if !letters.next().is_some_and(small) || !letters.all(small) {
        return false;
    }
    let lower = word.to_lowercase();
    (before.starts_with(char::is_lowercase) || word.chars().nth(2).is_some())
        && is_opener(&lower, lang)
        && !ALSO_WITHIN.split_whitespace().any(|other| other == lower)
}

/// Whether a text is as short as a heading, and its words do not all have capitals: there a capital
/// says nothing.
pub(super) fn is_heading(text: &str, lang: &Lang) -> bool {
    let small = |word: &&str| word.chars().all(char::is_lowercase) && !is_opener(word, lang);
    text.split_whitespace().nth(LONGEST).is_none()
        && text.split_whitespace().filter(small).nth(1).is_some()
}
