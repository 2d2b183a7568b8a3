//! The length of a summary, counted as readers count.

use crate::error::{Error, Result};
use crate::text::language::script;
use std::ops::Range;
use std::str::FromStr;

/// The length of a summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// One sentence.
    Short,
    /// Three sentences.
    #[default]
    Medium,
    /// Six sentences.
    Long,
    /// At most so many words, and as near to that as whole sentences allow. In scripts written
    /// without spaces each character counts as a word.
    Words(usize),
    /// Exactly so many sentences, when the article has that many.
    Sentences(usize),
    /// At most so many in a hundred of the article's words, from 1 to 100, but always a sentence or
    /// its beginning.
    Share(u8),
}

impl FromStr for Length {
    type Err = Error;

    /// `short`, `medium`, `long`, `50w`, `3s`, `20%`.
    fn from_str(text: &str) -> Result<Self> {
        let number = |suffix| text.strip_suffix(suffix)?.parse().ok().filter(|&n: &usize| n > 0);
        let share = || {
            let percent = text.strip_suffix('%')?.parse().ok().filter(|n| (1..=100).contains(n));
            percent.map(Length::Share)
        };
        match text {
            "short" => Ok(Length::Short),
            "medium" => Ok(Length::Medium),
            "long" => Ok(Length::Long),
            _ => number(['w', 'W'])
                .map(Length::Words)
                .or_else(|| number(['s', 'S']).map(Length::Sentences))
                .or_else(share)
                .ok_or_else(|| {
                    Error::Usage(format!(
                        "length {text:?} is not known; use short, medium, long, a number of words \
                         as 50w, a number of sentences as 3s, or a share of the article's words \
                         as 20%"
                    ))
                }),
        }
    }
}

/// A length in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Budget {
    Words(usize),
    Sentences(usize),
}

impl Length {
    /// The length in numbers, for the sentences of an article.
    pub(super) fn budget(self, sentences: &[String]) -> Budget {
        match self {
            Length::Short => Budget::Sentences(1),
            Length::Medium => Budget::Sentences(3),
            Length::Long => Budget::Sentences(6),
            Length::Sentences(n) => Budget::Sentences(n),
            Length::Words(n) => Budget::Words(n),
            Length::Share(percent) => {
                let all: usize = sentences.iter().map(|sentence| count_words(sentence)).sum();
                Budget::Words((all * usize::from(percent) / 100).max(1))
            }
        }
    }
}

/// Number of words of a text, as [`Length::Words`] counts them.
pub fn count_words(text: &str) -> usize {
    word_ranges(text).len()
}

/// The places of the words.
fn word_ranges(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    // Whether the current run of characters between spaces already has a word that its next letter
    // goes on with.
    let mut open = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if c.is_whitespace() {
            open = false;
        } else if c.is_alphanumeric() && script::of(c).is_unspaced() {
            words.push(at..end);
            open = false;
        } else if let (true, Some(last)) = (open, words.last_mut()) {
            last.end = end;
        } else if c.is_alphanumeric() {
            words.push(at..end);
            open = true;
        } else if let Some(last) = words.last_mut().filter(|last| last.end == at) {
            last.end = end; // a mark belongs to the word before it
        }
    }
    words
}

/// The text when it has at most `most` words; otherwise its beginning up to the last clause
/// boundary in reach, or that many words, with an ellipsis. Never empty unless the text is.
pub fn cut(text: &str, most: usize) -> String {
    let words = word_ranges(text);
    let most = most.max(1);
    if words.len() <= most {
        return text.to_owned();
    }
    let is_boundary = |range: &Range<usize>| {
        text[range.clone()].ends_with([',', ';', ':', '–', '—', '，', '、', '；', '：', '،', '؛'])
    };
    // A clause that is no more than half of what was asked for says too little.
    let clause = (most / 2 + 1..=most).rev().find(|&n| is_boundary(&words[n - 1]));
    let end = words[clause.unwrap_or(most) - 1].end;
    let kept = text[..end].trim_end_matches(|c: char| {
        !c.is_alphanumeric() && !matches!(c, ')' | '”' | '"' | '»' | '%')
    });
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read() {
        let read = |text: &str| text.parse::<Length>().ok();
        assert_eq!(read("50w"), Some(Length::Words(50)));
        assert_eq!(read("3s"), Some(Length::Sentences(3)));
        assert_eq!(read("long"), Some(Length::Long));
        assert_eq!(read("20%"), Some(Length::Share(20)));
        for bad in ["", "0w", "w", "-3s", "3", "3ss", "tiny", "0%", "101%", "300%", "%", "2.5%"] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_share_is_one_of_the_words() {
        let sentences = ["One two three four five six.", "Seven eight nine ten."].map(String::from);
        let budget = |percent| Length::Share(percent).budget(&sentences);
        assert_eq!(budget(20), Budget::Words(2));
        assert_eq!(budget(100), Budget::Words(10));
        assert_eq!(budget(1), Budget::Words(1));
    }

    #[test]
    fn words_are_counted_as_readers_do() {
        assert_eq!(count_words("It's 3.5% – well-known, e.g. at AT&T."), 6);
        assert_eq!(count_words("我爱北京。"), 4);
        assert_eq!(count_words("iPhone 15は高い"), 5);
        assert_eq!(count_words(" … "), 0);
    }

    #[test]
    fn cuts_fall_on_clauses() {
        let text = "The bank, which is the oldest, raised its rates on Monday.";
        assert_eq!(cut(text, 7), "The bank, which is the oldest…");
        assert_eq!(cut(text, 11), text);
        assert_eq!(cut(text, 4), "The bank, which is…");
        assert_eq!(cut("Supercalifragilistic", 1), "Supercalifragilistic");
        assert_eq!(cut("央行周一加息，市场下跌。", 8), "央行周一加息…");
        assert_eq!(cut("One two", 0), "One…");
    }
}
