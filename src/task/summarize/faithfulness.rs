//! Whether a sentence that a model shortened still says what its source says: nothing added,
//! nothing mixed up, no "not" or "may" lost. The model writes English, so the word lists here are
//! English.

use crate::task::checks;
use crate::text::numbers::spelled;
use crate::text::words;
use crate::types::{Lang, Problem};
use std::collections::HashSet;

/// Words that a shortened sentence may have more than its source: they carry no fact.
const FUNCTION_WORDS: &str = "a about after also an and are as at be been but by for from had has have he her his in into is it its of on or she so \
    that the their them then there these they this those to was were when where which while who whose will with";
/// Words that turn the news upside down, or from a claim into a fact, when they are left out.
const QUALIFIERS: &str = "not no never none nor neither without cannot nobody nothing nowhere hardly barely few may might could would should if unless \
    almost nearly only alleged allegedly reportedly apparently suspected accused claim claims claimed seem seems seemed appear appears appeared \
    rumoured rumored possible possibly perhaps likely unlikely denied denies failed fails refused refuses stopped former ex";
/// Words that open a phrase that can be left out. Not "of" and "to": what comes before them is
/// nothing without it.
const PREPOSITIONS: &str = "about across after against along amid among around at before between by despite during following for from in including \
    inside into near on outside over since through under until with within";
/// Words that open a phrase that can be left out up to the end of its clause.
const CONJUNCTIONS: &str =
    "according although and as because but or though when where which while who whose";
/// Less than this share of its content makes a sentence say too little.
const LEAST_CONTENT: f32 = 0.25;

/// The problem of `text` as a shorter way to say `source`, if there is one.
pub fn examine(text: &str, source: &str, lang: &Lang) -> Option<Problem> {
    let (kept, full) = (content(text), content(source));
    if kept.is_empty() {
        return Some(Problem::Empty);
    }
    if !is_complete(text) {
        return Some(Problem::CutOff);
    }
    if checks::repeats(text) {
        return Some(Problem::Repetition);
    }
    let (in_words, known) = (spelled(text, lang), spelled(source, lang));
    if !checks::unsupported_numbers(text, source).is_empty()
        || !in_words.iter().all(|number| known.contains(number))
    {
        return Some(Problem::Number);
    }
    let source_words: HashSet<String> = words::words(source).into_iter().collect();
    let is_known = |name: &String| {
        words::words(name)
            .iter()
            .all(|word| source_words.contains(word) || source_words.contains(bare(word)))
    };
    if !words::names(text, lang).iter().all(is_known) {
        return Some(Problem::Name);
    }
    // A new beginning changes who or how many are spoken of: "Nine sailors", "The sailors".
    let opening = |words: &[String]| words.first_chunk::<2>().cloned();
    let opens_alike = opening(&words::words(text))
        .is_none_or(|pair| words::words(source).windows(2).any(|other| other == pair));
    if !is_pruned(text, source)
        || !opens_alike
        || of(QUALIFIERS, text) != of(QUALIFIERS, source)
        || denials(text) != denials(source)
    {
        return Some(Problem::Unsupported);
    }
    ((kept.len() as f32) < LEAST_CONTENT * full.len() as f32).then_some(Problem::TooShort)
}

/// The words of a sentence that carry its meaning, each once.
pub fn subject(text: &str) -> HashSet<String> {
    content(text).into_iter().collect()
}

/// Whether one of two sentences, given as their [`subject`], says hardly anything that the other
/// does not.
pub fn is_same(a: &HashSet<String>, b: &HashSet<String>) -> bool {
    let fewer = a.len().min(b.len());
    fewer > 0 && a.intersection(b).count() * 10 >= fewer * 7
}

/// The words of a sentence that carry its meaning, in order.
fn content(text: &str) -> Vec<String> {
    let words = words::words(text);
    words
        .iter()
        .map(|word| bare(word).to_owned())
        .filter(|word| !is_in(FUNCTION_WORDS, word))
        .collect()
}

/// A word without the sign of the possessive.
fn bare(word: &str) -> &str {
    word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word)
}

/// Whether a text is its source with phrases left out, word for word in the same order ("Spain beat
/// France" does not come from "France beat Spain"), each where a phrase begins: without the last
/// word, "a result of the flood" says something else.
fn is_pruned(text: &str, source: &str) -> bool {
    let (kept, full) = (tokens(text), tokens(source));
    let (of_text, of_source) = common_subsequence(&kept, &full);
    let is_function_word = |token: &Token| is_in(FUNCTION_WORDS, &token.word);
    if !kept.iter().zip(of_text).all(|(token, matched)| matched || is_function_word(token)) {
        return false;
    }
    let mut at = 0;
    while at < full.len() {
        let start = at;
        while at < full.len() && !of_source[at] {
            at += 1;
        }
        if !full[start..at].iter().all(is_function_word) && !is_phrase(&full, start, at) {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether the words from `start` to `end` can be left out.
fn is_phrase(tokens: &[Token], start: usize, end: usize) -> bool {
    let ends = end == tokens.len() || tokens[end - 1].ends_clause;
    if start == 0 {
        return ends;
    }
    let first = tokens[start].word.as_str();
    let has_rest = tokens.get(end).is_some_and(|next| next.word == "of");
    (ends && (tokens[start - 1].ends_clause || is_in(CONJUNCTIONS, first)))
        || (is_in(PREPOSITIONS, first) && !has_rest)
}

/// A word as it stands in a sentence.
struct Token {
    word: String,
    /// Whether a comma, dash or bracket comes after it.
    ends_clause: bool,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for chunk in text.split_whitespace() {
        let word = chunk
            .trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '$' | '£' | '€' | '%'));
        if word.is_empty() || chunk.starts_with('(') {
            // A dash between spaces, an opening bracket.
            tokens.iter_mut().last().into_iter().for_each(|last| last.ends_clause = true);
        }
        if !word.is_empty() {
            tokens.push(Token {
                word: bare(word).to_lowercase(),
                ends_clause: chunk
                    .trim_end_matches(['"', '\'', '”', '’'])
                    .ends_with([',', ';', ':', ')', '—', '–']),
            });
        }
    }
    tokens
}

/// The words of either side that belong to a longest common subsequence, marked.
fn common_subsequence(a: &[Token], b: &[Token]) -> (Vec<bool>, Vec<bool>) {
    let mut length = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            let skip = length[i + 1][j].max(length[i][j + 1]);
            length[i][j] = if is_same_word(&a[i].word, &b[j].word) {
                skip.max(length[i + 1][j + 1] + 1)
            } else {
                skip
            };
        }
    }
    let (mut of_a, mut of_b) = (vec![false; a.len()], vec![false; b.len()]);
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if is_same_word(&a[i].word, &b[j].word) && length[i][j] == length[i + 1][j + 1] + 1 {
            (of_a[i], of_b[j]) = (true, true);
            i += 1;
            j += 1;
        } else if length[i + 1][j] >= length[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    (of_a, of_b)
}

/// Whether two words differ in their endings at most: "raises", "raised".
fn is_same_word(a: &str, b: &str) -> bool {
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let longest = a.chars().count().max(b.chars().count());
    a == b
        || (common >= 4
            && common + 2 >= longest
            && !a.chars().chain(b.chars()).any(char::is_numeric))
}

fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|other| other == word)
}

/// The words of a list that a text has.
fn of(list: &str, text: &str) -> HashSet<String> {
    words::words(text).into_iter().filter(|word| is_in(list, word)).collect()
}

/// The number of times that "n't" stands in a text.
fn denials(text: &str) -> usize {
    text.matches("n't").count() + text.matches("n’t").count()
}

/// Whether a sentence has an end mark, and its quotation marks and brackets are closed.
fn is_complete(text: &str) -> bool {
    let count = |c: char| text.matches(c).count();
    let ends = text.trim_end_matches(['"', '\'', '”', '’', ')']).ends_with(['.', '!', '?']);
    // Apostrophes at the end of a word may be plural possessives; at its beginning they open a
    // quotation.
    let opened = text.split_whitespace().filter(|word| word.starts_with(['\'', '‘'])).count();
    let closed = text
        .split_whitespace()
        .filter(|w| {
            w.trim_end_matches(['.', ',', ';', ':', '!', '?']).ends_with(['\'', '’'])
                || w.ends_with(['\'', '’'])
        })
        .count();
    ends && opened <= closed
        && !text.ends_with("...")
        && count('"').is_multiple_of(2)
        && count('“') == count('”')
        && count('(') == count(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "The bank, founded in 1901, said on Monday that Ann Smith had not resigned and that profits rose 4% to $3bn, its best year ever.";

    fn check(text: &str) -> Option<Problem> {
        examine(text, SOURCE, &Lang::en())
    }

    #[test]
    fn an_honest_short_form_passes() {
        assert_eq!(
            check(
                "The bank said that Ann Smith had not resigned and that profits rose 4% to $3bn."
            ),
            None
        );
        assert_eq!(check("The bank said that Ann Smith had not resigned."), None);
    }

    #[test]
    fn what_the_source_does_not_say_fails() {
        for (text, problem) in [
            ("", Problem::Empty),
            ("The bank said that Ann Smith had not resigned and", Problem::CutOff),
            ("The bank said the the the the profits had not resigned.", Problem::Repetition),
            ("The bank said that profits had not risen 5%.", Problem::Number),
            ("The bank said that twenty profits had not resigned.", Problem::Number),
            ("The bank said that Ann Jones had not resigned.", Problem::Name),
            ("The bank said that Ann Smith had resigned.", Problem::Unsupported),
            (
                "The bank said that profits had not rose and Ann Smith resigned.",
                Problem::Unsupported,
            ),
            ("The company said that profits had not rose 4%.", Problem::Unsupported),
            ("The Ann Smith had not resigned.", Problem::Unsupported),
            (
                "The bank said that Ann Smith had not resigned and that 4% to $3bn.",
                Problem::Unsupported,
            ),
            ("Here is a summary: Ann Smith had not resigned.", Problem::Unsupported),
        ] {
            assert_eq!(check(text), Some(problem), "{text}");
        }
    }

    #[test]
    fn sentences_that_say_the_same_are_known() {
        let same = |a, b| is_same(&subject(a), &subject(b));
        assert!(same(
            "The volcano erupted on Sunday near the coast.",
            "Near the coast, the volcano erupted."
        ));
        assert!(!same("The volcano erupted on Sunday.", "The minister resigned on Sunday."));
        assert!(!same("", ""));
    }
}
