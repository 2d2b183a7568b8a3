//! Sentences without a space between them: "until spring.Divers had found".

use super::abbreviations::{self, Follows};
use super::openers::{is_opener, opens_sentence};
use super::parts::{is_dotted, last_word};
use crate::types::Lang;

/// Words after a full stop that belong to a name or an address: "Booking.Com", "Node.JS".
const SUFFIXES: [&str; 12] =
    ["com", "org", "net", "info", "gov", "edu", "js", "io", "py", "fm", "tv", "ai"];

/// Whether a sentence ends between `before`, without its mark, and `rest`, which begins with a
/// capital and has no space before it. Otherwise the mark is part of a name, an address or code.
pub(super) fn is_end(before: &str, rest: &str, lang: &Lang) -> bool {
    let word = last_word(before);
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’' | '-'))
        .unwrap_or(rest.len());
    let (next, after) = rest.split_at(end);
    let lower = next.to_lowercase();
    let is_title = || abbreviations::follows(lang.base(), &lower) == Some(Follows::Word);
    let opens = opens_sentence(rest, lang) || after.starts_with(". ") && is_title();
    // "java.lang.String", "Math.Max(", "FRITZ!Box_7590"
    let goes_on = match after.chars().next() {
        Some('.') => after[1..].starts_with(char::is_alphanumeric),
        Some('(' | '_' | '/' | '@' | '=' | '\\') => true,
        _ => false,
    };
    if goes_on || SUFFIXES.contains(&lower.as_str()) || is_camel(next) {
        return false;
    }
    if next.chars().nth(1).is_none() && !is_opener(&lower, lang) {
        return false;
    }
    // A name before, a name after: "Agence.Bretagne" is more often one name than two sentences.
    let phrase = || {
        let follows = after.trim_start_matches([',', ' ', '\u{a0}']);
        next.chars().count() > 2
            && follows.len() < after.len()
            && follows.starts_with(char::is_lowercase)
    };
    let Some(last) = word.chars().next_back().filter(|c| c.is_alphabetic()) else {
        // A number, a bracket, a sign: "cost 3.5.The", but "1.Bread, 2.Milk"
        return opens || word.len() > 2 && phrase();
    };
    if word.contains(['.', '/', '@', '_', '\\', '=']) {
        return opens && is_dotted(&word.to_lowercase());
    }
    let (letters, is_small) = (word.chars().count(), last.is_lowercase());
    if is_small && word.chars().all(|c| !c.is_uppercase()) {
        return letters > 2 || opens || is_opener(word, lang);
    }
    letters > 1 && (opens || is_small && phrase())
}

/// Whether a word has a capital after a small letter: `WriteLine`.
fn is_camel(word: &str) -> bool {
    let mut small = false;
    word.chars().any(|c| {
        let camel = small && c.is_uppercase();
        small = c.is_lowercase();
        camel
    })
}
