//! English abbreviations that are also words, units and times of day.

use super::openers::opens_sentence;
use super::parts::{before_last_word, last_word};
use crate::types::Lang;

/// Titles and parts of names that have a capital there; in small letters they are units and words:
/// "40 ms.", "12 mt.", "ten reps.".
const WITH_CAPITAL: [&str; 18] = [
    "ms", "mt", "st", "ft", "rep", "reps", "sen", "sens", "gen", "col", "hon", "rev", "pres",
    "maj", "lt", "gov", "cf", "mme",
];

/// Whether the sentence goes on after `word` and its full stop, for the words that are told by what
/// stands around them; `None` for any other.
pub(super) fn goes_on(before: &str, word: &str, rest: &str, lang: &Lang) -> Option<bool> {
    let lower = word.to_lowercase();
    // The word may be without marks of direction that stand around it.
    let head = before_last_word(before);
    match lower.as_str() {
        // "you and I. Did you"
        "i" if word == "I" => {
            let small = last_word(head).chars().all(char::is_lowercase) && !head.is_empty();
            Some(!(small && opens_sentence(rest, lang)))
        }
        "a.m" | "p.m" | "b.c" | "a.d" | "b.c.e" | "c.e" => Some(!ends_with_time(head, rest, lang)),
        // "on Main St. He moved"
        "st" | "ft" | "mt" if word != lower => {
            let named = last_word(head).starts_with(char::is_uppercase) && head.contains(' ');
            Some(!(named && opens_sentence(rest, lang)))
        }
        // "She has a Ph.D. Tom is proud": after an article no name follows.
        "ph.d" | "m.d" | "ll.m" | "ll.b" | "j.d" | "b.a" | "m.a" | "b.sc" | "m.sc" => {
            let article = ["a", "an", "her", "his", "my", "their", "our", "your"];
            let mut next = rest.split(' ');
            let name = next.next().is_some_and(|word| word.starts_with(char::is_uppercase));
            let clause = next.next().is_some_and(|word| word.starts_with(char::is_lowercase));
            let ends = article.contains(&last_word(head)) && name && clause;
            Some(!(ends || opens_sentence(rest, lang)))
        }
        _ if WITH_CAPITAL.contains(&lower.as_str()) && word == lower => Some(false),
        _ if word.chars().count() == 1 && word.chars().all(char::is_uppercase) => {
            // "vitamin C. The": no initial after a word in small letters, if a sentence begins.
            let noun = last_word(head);
            let small = noun.len() > 3 && noun.chars().all(char::is_lowercase);
            Some(!(small && opens_sentence(rest, lang)))
        }
        _ => None,
    }
}

/// Whether a sentence ends with a time, where a capital follows: not when the time stands before
/// what happened then ("At 5 a.m. Mr. Smith"), nor before the rest of the time ("4 p.m. Monday").
fn ends_with_time(head: &str, rest: &str, lang: &Lang) -> bool {
    const REST: &str = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February \
        March April May June July August September October November December Jan Feb Mar Apr Jun \
        Jul Aug Sep Sept Oct Nov Dec Mon Tue Wed Thu Fri Sat Sun Eastern Central Mountain Pacific \
        Greenwich Universal Local";
    const BEFORE: &str = "In On At By Around About From Since Until Till After Before Between";
    let is_one_of = |list: &str, word: &str| list.split_whitespace().any(|one| one == word);
    let next = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    if is_one_of(REST, next) || next.len() > 1 && next.chars().all(char::is_uppercase) {
        return false;
    }
    if opens_sentence(rest, lang) {
        return true;
    }
    // "He noted: In 44 B.C. Caesar died."
    let head = head.rsplit(": ").next().unwrap_or(head);
    let mut words = head.split_whitespace();
    let first = words.next().unwrap_or_default();
    // A time at the beginning, and nothing but a time.
    let short = words.nth(5).is_none();
    !(short && is_one_of(BEFORE, first) || head.split_whitespace().nth(1).is_none())
}
