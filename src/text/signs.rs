//! Lists of words of several languages that are signs of something: a denial, a doubt.

use crate::languages;
use crate::types::Lang;

/// A language and its list: words, as tokens are written, between white space. A "-" after some
/// letters stands for words that begin with them, one before and after for words that have them in
/// them.
pub(super) type Signs = (&'static str, &'static str);

/// The list of a language; `None` where there is none.
pub(super) fn of(lists: &[Signs], lang: &Lang) -> Option<&'static str> {
    let lang = languages::canonical(lang);
    lists.iter().find(|(code, _)| *code == lang.base()).map(|(_, words)| *words)
}

/// Whether a word is one of a list.
pub(super) fn has(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|sign| match (sign.strip_prefix('-'), sign.strip_suffix('-')) {
        (Some(_), _) => word.contains(sign.trim_matches('-')),
        (None, Some(beginning)) => word.starts_with(beginning),
        (None, None) => word == sign,
    })
}
