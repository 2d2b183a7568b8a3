//! The pieces of a text that a summary is made of.

use super::length::count_words;
use crate::languages;
use crate::text::sentences;
use crate::types::Lang;

/// A sentence of more words is none: a transcript without marks, a list in one line.
const LONGEST_SENTENCE: usize = 100;
/// The same of one without any mark in it, as a comma.
const LONGEST_UNMARKED: usize = 40;
/// Most words of the passages that it is divided into.
const LONGEST_PASSAGE: usize = 30;
/// Characters for a word in scripts without spaces, where [`count_words`] counts characters: as
/// many as a long word has in a sentence, and as an average one has in a passage.
const CHARACTERS: usize = 3;
const CHARACTERS_OF_PASSAGE: usize = 2;
/// More bytes than a passage can have; what is longer need not be counted.
const MOST_BYTES: usize = 4096;

/// The sentences of a text; one that is too long to be a sentence is divided where clauses or
/// phrases end, so that a summary of a text without marks is not the whole text.
pub(crate) fn passages(text: &str, language: &Lang) -> Vec<String> {
    let (unit, short_unit) = match languages::is_spaceless(language) {
        true => (CHARACTERS, CHARACTERS_OF_PASSAGE),
        false => (1, 1),
    };
    let is_within =
        |piece: &str, most: usize| piece.len() <= MOST_BYTES && count_words(piece) <= most;
    let mut out = Vec::new();
    for sentence in sentences::split(text, language) {
        let most = if is_marked(&sentence.text) { LONGEST_SENTENCE } else { LONGEST_UNMARKED };
        if is_within(&sentence.text, most * unit) {
            out.push(sentence.text);
        } else {
            let fits = |piece: &str| is_within(piece, LONGEST_PASSAGE * short_unit);
            let pieces = sentences::split_long(&sentence.text, language, &fits);
            out.extend(pieces.into_iter().map(|piece| piece.text));
        }
    }
    out
}

/// Whether a text has a mark with which a clause or a quotation in it ends.
fn is_marked(text: &str) -> bool {
    const MARKS: [char; 20] = [
        ',', ';', ':', '–', '—', '(', '"', '“', '”', '«', '»', '،', '؛', '、', '，', '；', '：',
        '「', '।', '՝',
    ];
    let mut chars = text.chars().peekable();
    std::iter::from_fn(|| chars.next().map(|c| (c, chars.peek().copied())))
        // "3,5" and "16:15" are in a word.
        .any(|(c, next)| MARKS.contains(&c) && next.is_some_and(|next| !next.is_numeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_marks_is_divided() {
        let clause = "then we went along the quay and looked at the boats because it was late ";
        let pieces = passages(&clause.repeat(20), &Lang::en());
        assert!(pieces.len() > 6, "{pieces:?}");
        assert!(pieces.iter().all(|piece| (1..=40).contains(&count_words(piece))), "{pieces:?}");
        assert_eq!(pieces.join(" "), clause.repeat(20).trim());
    }

    #[test]
    fn a_short_text_without_marks_is_divided_too() {
        let clauses = "also guten tag zusammen heute reden wir über die alte brücke die seit \
                       mai zu ist und gestern um 16:15 kamen die taucher und fanden risse in 3,5 \
                       metern tiefe das hatte niemand von uns erwartet und jetzt dauert es ein ganzes jahr oder mehr";
        let pieces = passages(clauses, &Lang::parse("de").unwrap());
        assert!(pieces.len() == 2 && pieces.join(" ") == clauses, "{pieces:?}");
        let marked = clauses.replace(" zu ist und", " zu ist, und");
        assert_eq!(passages(&marked, &Lang::parse("de").unwrap()), [marked]);
    }

    #[test]
    fn text_without_marks_nor_spaces_is_divided() {
        let thai = Lang::parse("th").unwrap();
        let pieces = passages(&"เขาเดินไปตลาด เพื่อซื้อผลไม้ ".repeat(40), &thai);
        assert!(pieces.len() > 4 && pieces.iter().all(|piece| count_words(piece) <= 120));
        let pieces = passages(&"ก".repeat(20_000), &thai);
        assert!(pieces.len() > 100);
    }

    #[test]
    fn sentences_stay_whole() {
        let text = "It rained. Boats waited. Nobody came. Lamps failed. Fog fell. We left.";
        assert_eq!(passages(text, &Lang::en()).len(), 6);
        let long = format!("It was a {}day. It was short.", "long, and ".repeat(40));
        assert_eq!(passages(&long, &Lang::en()).len(), 2);
    }
}
