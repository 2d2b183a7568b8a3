//! Repetition loops: the commonest failure of small models.

use crate::text::hash::FixedMap;
use crate::text::letters::is_alphanumeric;
use crate::text::words;
use std::collections::HashMap;

/// Longest repeated unit that is looked for, in words.
const LONGEST_UNIT: usize = 40;

/// Whether a text is caught in a loop: a word four times on end, a phrase three times, a long
/// phrase twice, a phrase that comes back again and again, or letters in a loop inside of a word or
/// a script without spaces.
pub fn repeats(text: &str) -> bool {
    is_in(text, &words::words(text))
}

/// The same of a text whose words are known.
pub(super) fn is_in(text: &str, words: &[String]) -> bool {
    let numbers = numbered(words);
    let is_number = |n: &u32| words[*n as usize].chars().all(char::is_numeric);
    has_loop(&numbers, is_number, word_units)
        || comes_back(&numbers)
        || comes_twice(&numbers)
        || text.split(|c: char| !is_alphanumeric(c)).any(letters_loop)
        || marks_loop(text)
}

/// For each word the number of the first that is equal to it.
fn numbered(words: &[String]) -> Vec<u32> {
    let mut first: HashMap<&str, u32> = HashMap::with_capacity(words.len());
    words.iter().zip(0..).map(|(word, number)| *first.entry(word).or_insert(number)).collect()
}

/// The number of times a unit of `period` words must stand on end to be a loop. Speakers do say
/// things three times.
fn word_units(period: usize) -> usize {
    match period {
        1 | 2 => 4,
        3..=7 => 3,
        _ => 2,
    }
}

/// The number of times a unit of `period` letters must stand on end: "hahaha" is a word,
/// "hahahahahaha" is not.
fn letter_units(period: usize) -> usize {
    match period {
        1 => 7,
        2 | 3 => 6,
        4..=7 => 4,
        _ => 3,
    }
}

/// Whether some unit stands on end as many times as `units` says for its length.
fn has_loop<T: PartialEq>(
    items: &[T],
    is_number: impl Fn(&T) -> bool,
    units: impl Fn(usize) -> usize,
) -> bool {
    let may_be_one = |period: &usize| units(*period) * period <= items.len();
    (1..=LONGEST_UNIT.min(items.len() / 2)).filter(may_be_one).any(|period| {
        let needed = (units(period) - 1) * period;
        let mut run = 0;
        (period..items.len()).any(|i| {
            // Digits repeat in 1 000 000 000 and in telephone numbers; the check of numbers looks
            // after them.
            let same = items[i] == items[i - period] && !is_number(&items[i]);
            run = if same { run + 1 } else { 0 };
            run >= needed
        })
    })
}

/// Whether four words in a row come back at least four times and make up two fifths of the text.
fn comes_back(words: &[u32]) -> bool {
    let mut counts: FixedMap<&[u32], usize> = FixedMap::default();
    for gram in words.windows(4) {
        *counts.entry(gram).or_default() += 1;
    }
    let most = counts.into_values().max().unwrap_or(0);
    most >= 4 && most * 4 * 5 >= words.len() * 2
}

/// Whether a phrase of five words or more comes a second time, and both together are more than half
/// of the text: "The worst harvest in twenty years has left the worst harvest in twenty years."
fn comes_twice(words: &[u32]) -> bool {
    let repeated = |length: usize| {
        let mut first: FixedMap<&[u32], usize> = FixedMap::default();
        words
            .windows(length)
            .enumerate()
            .any(|(i, gram)| i >= *first.entry(gram).or_insert(i) + length)
    };
    // A phrase that is longer than a quarter of the text has a beginning of this length that is
    // repeated, too.
    let length = (words.len() / 4 + 1).max(5);
    repeated(length)
}

/// Whether letters loop within a run of letters and digits.
fn letters_loop(run: &str) -> bool {
    const FEWEST: usize = 7;
    // Letters have a byte or more.
    if run.len() < FEWEST {
        return false;
    }
    let letters: Vec<char> = run.chars().flat_map(char::to_lowercase).collect();
    letters.len() >= FEWEST && has_loop(&letters, |c| c.is_numeric(), letter_units)
}

/// Whether a punctuation mark or symbol stands twelve times on end; dots, dashes and rules are
/// allowed to.
fn marks_loop(text: &str) -> bool {
    let mut last = (' ', 0);
    text.chars().any(|c| {
        last = if c == last.0 { (c, last.1 + 1) } else { (c, 1) };
        let rule = is_alphanumeric(c)
            || c.is_whitespace()
            || matches!(c, '.' | '…' | '·' | '-' | '–' | '—' | '_' | '=' | '*' | '#' | '~' | '─');
        !rule && last.1 >= 12
    })
}

#[cfg(test)]
mod tests {
    use super::repeats;

    #[test]
    fn loops_are_found() {
        for text in [
            "It was the the the the end.",
            "He said that he said that he said that he left.",
            "The prime minister of the country has said so, the prime minister of the country has said so",
            "The cost of it is high. The cost of it is low. The cost of it is fair. The cost of it is not known.",
            "The worst harvest in twenty years has left the worst harvest in twenty years.",
            "Known as the Dragon of the Moon, the Dragon of the Moon remains active since 1994.",
            "hahahahahahahahahaha",
            "Das ist neueueueueueueueue",
            "彼は言った彼は言った彼は言った彼は言った",
            "这是的的的的的的的的",
            "What!!!!!!!!!!!!!!!",
        ] {
            assert!(repeats(text), "{text}");
        }
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in [
            "Again and again and again he tried.",
            "No, no, no! It is very, very, very good.",
            "The population rose from 1 000 000 000 to 1 100 000 000.",
            "Call 00 00 00 00 00 now...............",
            "the more the better, the less the worse",
            "妈妈骂马吗？马慢，妈妈骂马。",
            "Mississippi banana hahaha",
            "",
        ] {
            assert!(!repeats(text), "{text}");
        }
    }
}
