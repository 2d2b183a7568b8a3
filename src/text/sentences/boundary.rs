//! Full stops that end a sentence, and those that do not.

use super::abbreviations::{self, Follows};
use super::openers::{is_opener, opens_clause, opens_sentence};
use super::parts::{CLOSING, LONGEST_WORD, OPENING, before_last_word, is_dotted, last_word};
use super::{asides, english, glued, items, quotations, references};
use crate::text::language::script;
use crate::types::Lang;
use unicode_segmentation::UnicodeSegmentation;

const STOPS: [char; 2] = ['.', '．'];

/// Whether a sentence ends between `left`, where it began, and `right`.
pub(super) fn is_boundary(left: &str, right: &str, lang: &Lang) -> bool {
    if right.starts_with(char::is_whitespace) {
        return false;
    }
    let body = left.trim_end_matches(|c: char| c.is_whitespace() || is_direction(c));
    if left[body.len()..].contains(['\n', '\u{2028}', '\u{2029}']) || right.is_empty() {
        return true;
    }
    // Stray punctuation belongs to its neighbour, and the mark of an item to the item.
    if !body.contains(char::is_alphanumeric) || items::is_mark(body) {
        return false;
    }
    let spaced = body.len() < left.trim_end_matches(is_direction).len();
    let is_open = body.ends_with('[');
    let body = references::before(body);
    let has_ended = || body.trim_end_matches(CLOSING).ends_with(['.', '!', '?', '…', '。']);
    // The marks of references belong to the sentence before, and no sentence ends within one.
    if is_open || references::at_start(right) > 0 && has_ended() {
        return false;
    }
    let rest = right.trim_start_matches(OPENING).trim_start();
    let rest = &rest[..rest.floor_char_boundary(LONGEST_WORD)];
    let Some(first) = rest.chars().next() else { return false };
    if !right.chars().take_while(|&c| c != '\n').any(char::is_alphanumeric) {
        return false;
    }
    let bare = body.trim_end_matches(CLOSING);
    let latin_mark = bare.ends_with(['.', '!', '?']);
    if first.is_lowercase() && script::of(first).has_case() && (spaced || latin_mark) {
        return false;
    }
    if !spaced && script::of(first) == script::Script::Hangul {
        // "…인가?"라고 물었다: the quotation is a part of the sentence, Korean puts spaces between
        // sentences. Where one is missing the verb's ending tells: 왔다.그녀는
        return bare.len() == body.len()
            && bare.trim_end_matches(['.', '!', '?']).ends_with(['다', '요', '까', '죠']);
    }
    if quotations::goes_on(body, bare, right, rest, lang) || asides::goes_on(body, right, lang) {
        return false;
    }
    let word = bare.trim_end_matches(['.', '!', '?']);
    if !spaced && latin_mark {
        let is_end = match first {
            _ if first.is_uppercase() => {
                glued::is_end(word, rest, lang)
                    || !bare.ends_with('.') && is_exclamation(last_word(word.trim_end()))
            }
            // "3.5", "３．１４", and the initials of scripts without capitals
            _ if first.is_numeric() => !word.ends_with(char::is_numeric),
            _ => (!bare.ends_with('.') || is_long(last_word(word), 3)) && is_long(rest, 2),
        };
        if !is_end {
            return false;
        }
    }
    match body.chars().next_back() {
        Some('!' | '?') if is_name_with_mark(body, spaced, lang) => {
            return opens_sentence(rest, lang);
        }
        Some('.') if is_omission(body) => return false,
        _ => {}
    }
    // "(rund 5 Mio.) Euro": the full stop before a bracket may be an abbreviation's as well.
    let stopped = body
        .strip_suffix(STOPS)
        .or_else(|| body.strip_suffix([')', ']']).and_then(|inner| inner.strip_suffix('.')));
    stopped.is_none_or(|before| !is_abbreviated(before, rest, first, lang))
}

/// Whether a text begins with a word of so many letters or more, after which no full stop and a
/// letter stand: of scripts without capitals, where "यू.एस" has no spaces either.
fn is_long(text: &str, letters: usize) -> bool {
    let end = text.find(|c: char| c == '.' || c.is_whitespace()).unwrap_or(text.len());
    let goes_on =
        text[end..].strip_prefix('.').is_some_and(|t| t.starts_with(char::is_alphanumeric));
    !goes_on && text[..end].graphemes(true).nth(letters - 1).is_some()
}

/// Marks that say in which direction a text is written.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Names that end with a mark.
const NAMES: [&str; 11] = [
    "Yahoo", "Jeopardy", "Guess", "Wham", "Yum", "FRITZ", "Oklahoma", "Joomla", "Kahoot", "Ahoy",
    "E",
];

/// Whether the text ends with a name that has a mark of its own: "at Yahoo!", or with a letter of
/// its own as in "the !Kung", where French has a space before every mark.
fn is_name_with_mark(body: &str, spaced: bool, lang: &Lang) -> bool {
    let bare = body.trim_end_matches(['!', '?']);
    NAMES.contains(&last_word(bare))
        || !spaced && bare.ends_with(char::is_whitespace) && lang.base() != "fr"
}

/// Whether a word before an exclamation or question mark and a capital is no name like "FRITZ!Box".
fn is_exclamation(word: &str) -> bool {
    word.chars().nth(1).is_some()
        && word.chars().skip(1).all(|c| c.is_lowercase() || c == '-')
        && !NAMES.contains(&word)
}

/// Whether the text ends with three dots with spaces between that leave out a part of a sentence;
/// after the end of a sentence there are four.
fn is_omission(body: &str) -> bool {
    body.strip_suffix(". . .").is_some_and(|head| {
        head.ends_with(char::is_whitespace) && head.trim_end().ends_with(char::is_alphanumeric)
    })
}

/// Whether the full stop after `before` belongs to an abbreviation, an initial or an ordinal, and
/// the sentence goes on.
fn is_abbreviated(before: &str, rest: &str, first: char, lang: &Lang) -> bool {
    let word = last_word(before).trim_matches(is_direction);
    if word.is_empty() || word.ends_with('.') {
        return false;
    }
    if rest.starts_with('№') {
        return true;
    }
    let letters = word.chars().count();
    let opens = || opens_sentence(rest, lang);
    if word.trim_start_matches('-').chars().all(|c| c.is_ascii_digit()) {
        // "1. First": a list; "am 3. Mai", "1. -3. Jahrhundert": an ordinal.
        return word.len() == before.len() && letters <= 3
            || has_ordinals(lang) && letters <= 2 && !opens() && !is_number_of(before, lang);
    }
    if letters > 1 && has_ordinals(lang) && word.chars().all(|c| "IVXL".contains(c)) {
        // "im XIX. Jahrhundert", "Elisabeth II. Windsor"
        return !opens();
    }
    if is_in_measure(before, word, rest) {
        return true;
    }
    let lower = word.to_lowercase();
    if lang.base() == "en"
        && let Some(goes_on) = english::goes_on(before, word, rest, lang)
    {
        return goes_on;
    }
    // An abbreviation of several parts is written with spaces as well: "z. B. Hof", "v. Chr.
    // Geburt".
    let several = several_parts(before, &lower);
    if several.iter().any(|parts| begins_several(parts, rest, lang)) {
        return true;
    }
    match several.iter().skip(1).rev().find_map(|parts| abbreviations::follows(lang.base(), parts))
    {
        Some(Follows::End) if first.is_uppercase() => return false,
        Some(Follows::Anything | Follows::End) => return !opens(),
        Some(_) => return true,
        None => {}
    }
    // A street is a part of its name: "Hauptstr. 5"
    let listed = if lang.base() == "de" && lower.ends_with("str") { "str" } else { &lower };
    match abbreviations::follows(lang.base(), listed) {
        Some(Follows::Word | Follows::Anything) if is_unit(before, word) => return false,
        Some(Follows::Word) if is_word(word, rest, lang) => return false,
        // "in de VS. Rosa": a country, not "versus"
        Some(Follows::Word) if word == "VS" => return false,
        Some(Follows::Word) => return true,
        Some(Follows::Number) if first.is_numeric() => return true,
        Some(Follows::Number) if letters > 1 => return false,
        Some(Follows::End) if first.is_uppercase() => return false,
        // "Piquet Jr. پس": in another script without capitals nothing tells.
        Some(Follows::Anything | Follows::End) => {
            let foreign = word.is_ascii() && !script::of(first).has_case();
            return foreign || !opens();
        }
        _ => {}
    }
    if first.is_numeric() && is_short(word, letters, lang) {
        return true;
    }
    let initial = letters == 1
        && word.chars().all(|c| c.is_uppercase() || script::of(c) == script::Script::Georgian);
    // "14.6. Helsinki" is a date where ordinals have full stops, "costs 3.5." a number, and "3.5.
    // The harbour" a section.
    if word.starts_with(|c: char| c.is_ascii_digit()) && !has_ordinals(lang) {
        return word.len() == before.len();
    }
    // "കെ. പി. മോഹനൻ": one letter with its vowel sign.
    let syllable = matches!(lang.base(), "ml" | "ta" | "te" | "kn" | "gu")
        && !word.is_ascii()
        && word.graphemes(true).nth(1).is_none();
    // Without capitals nothing tells that a sentence begins.
    initial || syllable || is_dotted(&lower) && !(script::of(first).has_case() && opens())
}

/// Whether the figures at the end of a text are a number of something, and no ordinal: "nr 5".
fn is_number_of(before: &str, lang: &Lang) -> bool {
    let head = before_last_word(before);
    let word = last_word(head.trim_end_matches('.')).to_lowercase();
    abbreviations::follows(lang.base(), &word) == Some(Follows::Number)
}

/// Whether the last word of a text is a unit after a number: "5 min." is no title or "minimum".
fn is_unit(before: &str, word: &str) -> bool {
    const UNITS: [&str; 16] = [
        "m", "min", "mm", "cm", "km", "g", "kg", "l", "h", "s", "м", "мин", "см", "км", "кг", "сек",
    ];
    let head = before_last_word(before);
    UNITS.contains(&word) && head.ends_with(char::is_numeric)
}

/// Whether a number and a unit stand at the end of a text, and another pair of them follows, the
/// rest of the measure: "5 ft. 6 in.", "10 год. 30 хв."
fn is_in_measure(before: &str, word: &str, rest: &str) -> bool {
    const UNITS: &str = "in ft yd mi oz lb lbs sec min hr hrs m mm cm km g kg l ml h s м мм см км \
        г кг ц т с сек мин хв ч год мес";
    let is_unit = |word: &str| UNITS.split_whitespace().any(|unit| unit == word);
    let head = before_last_word(before);
    let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let next = unit.strip_prefix([' ', '\u{a0}']).filter(|_| unit.len() < rest.len());
    head.ends_with(char::is_numeric)
        && is_unit(word)
        && next.and_then(|next| next.split_once('.')).is_some_and(|(unit, _)| is_unit(unit))
}

/// Whether an abbreviation in small letters, of a title for example, is the word that is written
/// alike: a pronoun or an adverb follows, and begins a sentence ("мой ген. Она").
fn is_word(word: &str, rest: &str, lang: &Lang) -> bool {
    let titles = word.chars().nth(1).is_some() && word.chars().all(char::is_lowercase);
    titles && opens_clause(rest, lang)
}

/// Whether a word before a number is a single letter, or so short and with a capital that it is
/// more likely an abbreviation that no list has: "Ext. 1010".
fn is_short(word: &str, letters: usize, lang: &Lang) -> bool {
    let mut chars = word.chars();
    let capital = chars.next().is_some_and(char::is_uppercase);
    letters == 1 && word.chars().all(char::is_lowercase)
        || letters <= 3
            && capital
            && chars.all(char::is_lowercase)
            && !is_opener(&word.to_lowercase(), lang)
}

/// The lower-case word before a full stop, and joined to one, two and three parts of up to four
/// letters before it that end with full stops too: "i. d. R" gives `r`, `d.r` and `i.d.r`.
fn several_parts(before: &str, lower: &str) -> Vec<String> {
    let mut out = vec![lower.to_string()];
    let mut head = before_last_word(before);
    while let (Some(stem), Some(joined)) = (head.strip_suffix('.'), out.last()) {
        let word = last_word(stem);
        if out.len() > 3
            || word.is_empty()
            || word.chars().count() > 4
            || !word.chars().all(char::is_alphabetic)
        {
            break;
        }
        out.push(format!("{}.{joined}", word.to_lowercase()));
        head = stem[..stem.len() - word.len()].trim_end();
    }
    out
}

/// Whether the next word, which ends with a full stop as well, goes on with an abbreviation that
/// began before.
fn begins_several(parts: &str, rest: &str, lang: &Lang) -> bool {
    let base = lang.base();
    if !abbreviations::begins_with(base, parts) {
        return false;
    }
    let next = rest.split(char::is_whitespace).next().unwrap_or_default();
    let Some(end) = next.rfind('.') else { return false };
    let both = format!("{parts}.{}", next[..end].to_lowercase());
    abbreviations::follows(base, &both).is_some() || abbreviations::begins_with(base, &both)
}

/// Whether the language writes a full stop after the figures of an ordinal number.
fn has_ordinals(lang: &Lang) -> bool {
    const ORDINALS: [&str; 21] = [
        "de", "da", "no", "nb", "nn", "fi", "cs", "sk", "sl", "hr", "bs", "sr", "et", "is", "lb",
        "hu", "pl", "tr", "lv", "fo", "eu",
    ];
    ORDINALS.contains(&lang.base())
}
