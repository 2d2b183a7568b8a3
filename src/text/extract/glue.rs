//! Paragraphs that a scraper put together without a space: "le terrorismeThomas Gallay". No list of
//! words says where they part; the text itself does, and names such as iPhone, YouTube and McDonald
//! must stay whole.

use crate::types::{Block, BlockKind};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A word that could be two: a small letter is followed by a capital one in it.
struct Seam {
    word: Range<usize>,
    at: usize,
}

/// The words of a text.
#[derive(Default)]
struct Seen {
    /// How often each comes.
    counts: HashMap<String, usize>,
    /// Those that begin a sentence.
    starts: HashSet<String>,
}

impl Seen {
    fn take_in(&mut self, text: &str) {
        for word in words(text) {
            let before = text[..word.start].trim_end();
            let begins = before.is_empty() || before.ends_with(['.', '!', '?', '«', '“']);
            let word = text[word].to_string();
            if begins {
                self.starts.insert(word.clone());
            }
            *self.counts.entry(word).or_default() += 1;
        }
    }
}

/// Parts blocks at the places where two paragraphs were put together.
pub(super) fn part(blocks: Vec<Block>) -> Vec<Block> {
    if blocks.iter().all(|block| seams(&block.text).is_empty()) {
        return blocks;
    }
    let mut seen = Seen::default();
    blocks.iter().for_each(|block| seen.take_in(&block.text));
    let mut out = Vec::with_capacity(blocks.len());
    for mut block in blocks {
        let is_plain = block.kind != BlockKind::Verbatim && block.inline.kept.is_empty();
        let places: Vec<usize> = seams(&block.text)
            .into_iter()
            .filter(|seam| is_plain && is_glued(&block.text, seam, &seen))
            .map(|seam| seam.at)
            .collect();
        let suffix = std::mem::take(&mut block.suffix);
        let mut start = 0;
        for at in places {
            let text = block.text[start..at].to_string();
            let prefix = std::mem::take(&mut block.prefix);
            out.push(Block {
                kind: block.kind,
                prefix,
                text,
                suffix: "\n".into(),
                ..Block::default()
            });
            start = at;
        }
        out.push(Block { text: block.text.split_off(start), suffix, ..block });
    }
    out
}

/// The runs of letters of a text.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(char::is_alphabetic)?;
        let length = text[start..].find(|c: char| !c.is_alphabetic());
        rest = length.map_or(text.len(), |length| start + length);
        Some(start..rest)
    })
}

/// The words with exactly one capital letter after a small one, which could be two words.
fn seams(text: &str) -> Vec<Seam> {
    let seam = |word: Range<usize>| {
        let letters: Vec<(usize, char)> = text[word.clone()].char_indices().collect();
        let mut changes = letters
            .windows(2)
            .filter(|pair| pair[0].1.is_lowercase() && pair[1].1.is_uppercase())
            .map(|pair| word.start + pair[1].0);
        match (changes.next(), changes.next()) {
            (Some(at), None) => Some(Seam { word, at }),
            _ => None,
        }
    };
    words(text).filter_map(seam).collect()
}

/// Whether a word is two. For it speak: each half stands elsewhere by itself, both are long, and
/// another capitalized word follows, as in a name. Against it: the whole stands elsewhere too, or
/// beside it what belongs to code and addresses.
fn is_glued(text: &str, seam: &Seam, seen: &Seen) -> bool {
    /// Least letters of halves that no name is made of.
    const LONG: (usize, usize) = (5, 4);
    let Seam { word, at } = seam;
    let (left, right) = (&text[word.start..*at], &text[*at..word.end]);
    let has = |word: &str| seen.counts.contains_key(word);
    let length = |part: &str| part.chars().count();
    let before = text[..word.start].chars().next_back();
    let after = &text[word.end..];
    let in_prose = before.is_none_or(|c| c.is_whitespace() || "«“\"’'(—–-".contains(c))
        && after.chars().next().is_none_or(|c| c.is_whitespace() || ",.;:!?)’'»”\"-".contains(c))
        && !after
            .trim_start_matches(['.', ':'])
            .starts_with(|c: char| c.is_alphanumeric() && after.starts_with(['.', ':']));
    let is_shaped = left.chars().skip(1).all(char::is_lowercase)
        && right.chars().skip(1).all(char::is_lowercase)
        && length(left) >= 3
        && length(right) >= 2;
    if !in_prose || !is_shaped || seen.counts.get(&text[word.clone()]).copied().unwrap_or(0) > 1 {
        return false;
    }
    if left.starts_with(char::is_uppercase) {
        // Names are made like this: one half has to be known, the other to begin sentences.
        return has(left) && seen.starts.contains(right) && length(left) >= LONG.1;
    }
    let next_is_name = after.strip_prefix(' ').is_some_and(|next| {
        let mut letters = next.chars();
        letters.next().is_some_and(char::is_uppercase)
            && letters.next().is_some_and(char::is_lowercase)
    });
    let is_long = length(left) >= LONG.0 && length(right) >= LONG.1;
    // The first half alone says nothing: "use" of useState is a word, and so is "face" of faceTime.
    (has(left) || is_long) && (has(right) || seen.starts.contains(right) || next_is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(text: &str) -> Vec<String> {
        let block = Block {
            kind: BlockKind::Paragraph,
            prefix: String::new(),
            text: text.into(),
            suffix: "\n".into(),
            ..Block::default()
        };
        part(vec![block]).into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn paragraphs_are_parted() {
        assert_eq!(
            parted("Un débat sur le terrorismeThomas Gallay répond."),
            ["Un débat sur le terrorisme", "Thomas Gallay répond."]
        );
        assert_eq!(
            parted(
                "Der Rat tagt heute im RathausDer Bürgermeister kam. Das Rathaus war voll. Der Saal auch."
            ),
            [
                "Der Rat tagt heute im Rathaus",
                "Der Bürgermeister kam. Das Rathaus war voll. Der Saal auch."
            ]
        );
        assert_eq!(
            parted("Мост закрыт на годМэр сообщил. Это будет трудный год, и Мэр это знает."),
            ["Мост закрыт на год", "Мэр сообщил. Это будет трудный год, и Мэр это знает."]
        );
    }

    #[test]
    fn names_and_code_stay_whole() {
        for text in [
            "She bought an iPhone Pro and an iPad Air at eBay Kleinanzeigen.",
            "YouTube Premium and PayPal Holdings, McDonald Douglas, LinkedIn News.",
            "An easyJet Europe plane and one of airBaltic Corporation, says deviantArt.",
            "The GmbH and the MwSt are macOS Ventura.",
            "Call querySelector on it, then backgroundColor.",
            "You use the hook useState and useEffect; they set it with setState or setTimeout.",
            "His face on a faceTime call; a master of the masterCard, in play on a playStation.",
            "MasterCard Inc.; the Master and the Card.",
            "See https://example.org/articleThomas Gallay or nameThomas@example.org",
        ] {
            assert_eq!(parted(text), [text]);
        }
    }
}
