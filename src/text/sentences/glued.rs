//! Sentences without a space between them: "until spring.Divers had found".

use super::abbreviations::{self, Follows};
use super::openers::{is_opener, opens_sentence};
use super::parts::{is_dotted, last_word};
use crate::types::Lang;

/// Words after a full stop that belong to a name or an address: "Booking.Com", "Node.JS".
const SUFFIXES: [&str; 12] =
    ["com", "org", "net", "info", "gov", "edu", "js", "io", "py", "fm", "tv", "ai"];

/// Endings of the names of files.
const FILES: [&str; 24] = [
    "csv", "doc", "docx", "exe", "gz", "htm", "html", "jpeg", "jpg", "json", "log", "md", "mp3",
    "mp4", "pdf", "php", "png", "rs", "txt", "xls", "xlsx", "xml", "yaml", "zip",
];

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
    let opens = opens_sentence(rest, lang) || after.starts_with('.') && is_title();
    // "java.lang.String", "Math.Max(", "FRITZ!Box_7590"
    let initials = is_initials(rest);
    // "left.Dr.Smith stayed", "left.Node.js runs"
    let is_name = initials || is_title() || after.starts_with(".js ");
    let goes_on = match after.chars().next() {
        Some('.') => !is_name && after[1..].starts_with(char::is_alphanumeric),
        Some('(' | '_' | '/' | '@' | '=' | '\\') => true,
        _ => false,
    };
    // "booking.Com" is rarer than a pronoun: "báo cáo.Ai sẽ trả tiền?"
    let is_word_too = || !word.is_ascii() && next != lower && !follows(after).is_empty();
    let is_suffix = SUFFIXES.contains(&lower.as_str()) && !is_word_too();
    if goes_on || is_suffix || is_camel(next) {
        return false;
    }
    // "À midi", "J. K. Rowling" begin sentences, "C" ends a name.
    let is_word = initials || follows(after).starts_with(char::is_lowercase);
    if next.chars().nth(1).is_none() && !is_word && !is_opener(&lower, lang) {
        return false;
    }
    // A name before, a name after: "Agence.Bretagne" is more often one name than two sentences.
    let phrase = || next.chars().nth(2).is_some() && follows(after).starts_with(char::is_lowercase);
    let Some(last) = word.chars().next_back().filter(|c| c.is_alphabetic()) else {
        // A number, a bracket, a sign: "cost 3.5.The", but "1.Bread, 2.Milk"
        let version = || follows(after).starts_with(char::is_numeric) && next.len() > 3;
        let long = word.len() > 2 || word.ends_with('%');
        return opens || long && (is_word || phrase() || version());
    };
    if word.contains(['.', '/', '@', '_', '\\', '=']) {
        let foreign = word.is_ascii() && !next.is_ascii();
        let begins = opens || foreign || phrase();
        return opens && is_dotted(&word.to_lowercase()) || begins && is_file_or_host(word);
    }
    let (letters, is_small) = (word.chars().count(), last.is_lowercase());
    if is_small && word.chars().all(|c| !c.is_uppercase()) {
        let unlisted = || abbreviations::follows(lang.base(), word).is_none();
        let short = letters == 2 && (is_word || phrase()) && unlisted();
        return letters > 2 || short || opens || is_opener(word, lang);
    }
    letters > 1 && (opens || is_small && (initials || phrase()))
}

/// The text after a word, if a space stands between the two; nothing otherwise.
fn follows(after: &str) -> &str {
    let rest = after.trim_start_matches([',', ' ', '\u{a0}']);
    if rest.len() < after.len() { rest } else { "" }
}

/// Whether a word is the name of a file, of a host or of a program: `plan.v2.pdf`, `Node.js`.
fn is_file_or_host(word: &str) -> bool {
    let end = word.rsplit('.').next().unwrap_or_default();
    SUFFIXES.contains(&end) || FILES.contains(&end)
}

/// Whether a text begins with a name's initials, and the name: "J. K. Rowling", "А.С. Иванов".
fn is_initials(text: &str) -> bool {
    let mut rest = text;
    let mut initials = 0;
    loop {
        let mut chars = rest.chars();
        match (chars.next(), chars.next()) {
            (Some(letter), Some('.')) if letter.is_uppercase() && initials < 3 => initials += 1,
            (Some(letter), Some(next)) => {
                return initials > 0 && letter.is_uppercase() && next.is_lowercase();
            }
            _ => return false,
        }
        rest = chars.as_str().trim_start_matches([' ', '\u{a0}']);
    }
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
