use super::language::{is_function_word, script};
use super::letters::is_alphabetic;
use super::{caps, sentences};
use crate::types::Lang;
use std::collections::HashSet;
use unicode_segmentation::UnicodeSegmentation;

/// The words of a text in lower case, by the Unicode rules for word boundaries. Scripts written
/// without spaces give the pairs of neighbouring characters instead (one character where it stands
/// alone), which need no dictionary and compare as well.
pub fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let unspaced = is_unspaced(first);
        let end = rest
            .char_indices()
            .find(|&(_, c)| is_unspaced(c) != unspaced)
            .map_or(rest.len(), |(i, _)| i);
        let (run, after) = rest.split_at(end);
        if unspaced {
            let chars: Vec<char> = run.chars().collect();
            match chars.as_slice() {
                [one] => out.push(one.to_string()),
                many => out.extend(many.windows(2).map(|pair| pair.iter().collect())),
            }
        } else {
            out.extend(run.unicode_words().map(str::to_lowercase));
        }
        rest = after;
    }
    out
}

/// The beginning of a word, which its forms share: the rest is mostly an ending.
pub fn stem(word: &str) -> String {
    const LETTERS: usize = 5;
    word.chars().take(LETTERS).collect()
}

/// The stems of the words of a text that say something: that are no function words.
pub fn stems(text: &str, lang: &Lang) -> HashSet<String> {
    let says = |word: &String| !is_function_word(word, lang);
    words(text).into_iter().filter(says).map(|word| stem(&word)).collect()
}

/// Whether a character is a letter or vowel sign of a script without spaces. Punctuation is not of
/// the script, or not alphabetic.
fn is_unspaced(c: char) -> bool {
    script::of(c).is_unspaced() && (is_alphabetic(c) || is_mark(c))
}

/// Whether a character is a sign of Thai, Lao, Khmer or Myanmar that belongs to a syllable without
/// being alphabetic (tone marks, killers).
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0E47}'..='\u{0E4E}'
        | '\u{0EC8}'..='\u{0ECE}'
        | '\u{1037}'..='\u{103A}'
        | '\u{17C6}'..='\u{17D3}'
        | '\u{0F71}'..='\u{0F84}')
}

/// Names in a text: runs of capitalized words that do not begin a sentence, and acronyms anywhere.
/// Empty for scripts without case, for text in capitals and for titles that capitalize every word.
/// In languages that capitalize all nouns (German, Luxembourgish) a word must stand beside another
/// capitalized one, or be an acronym.
pub fn names(text: &str, lang: &Lang) -> Vec<String> {
    let nouns_capitalized = matches!(lang.base(), "de" | "lb");
    let mut out: Vec<String> = Vec::new();
    for sentence in sentences::split(text, lang) {
        let tokens = tokens(&sentence.text);
        let cased = tokens.iter().filter(|t| t.cased).count();
        let capitalized = tokens.iter().filter(|t| t.capitalized).count();
        let title_case = cased >= 4 && capitalized * 10 > cased * 7 && !nouns_capitalized;
        if cased == 0 || title_case || caps::is_capitals(&sentence.text) {
            continue;
        }
        let is_name = |t: &Token| t.acronym || (t.capitalized && !t.opens);
        let mut i = 0;
        while i < tokens.len() {
            if !is_name(&tokens[i]) {
                i += 1;
                continue;
            }
            let mut end = i + 1;
            while end < tokens.len() && tokens[end].joined && is_name(&tokens[end]) {
                end += 1;
            }
            let run = &tokens[i..end];
            if !nouns_capitalized || run.len() > 1 || run[0].acronym {
                let name = run.iter().map(|t| t.text).collect::<Vec<_>>().join(" ");
                if !out.contains(&name) {
                    out.push(name);
                }
            }
            i = end;
        }
    }
    out
}

/// Whether a text is nothing but a name or an acronym, as far as its capitals tell: at most three
/// words that all begin with one.
pub fn is_name(text: &str) -> bool {
    const MOST: usize = 3;
    let mut words = text.unicode_words().peekable();
    let is_short = words.peek().is_some() && text.unicode_words().count() <= MOST;
    is_short
        && words.all(|word| word.starts_with(char::is_uppercase))
        && !text.trim_end().ends_with(['!', '?', ':', '…'])
}

/// A word with the properties that tell names.
struct Token<'a> {
    text: &'a str,
    /// Whether it has a letter of a script with case.
    cased: bool,
    /// Whether it begins with a capital and is longer than one letter.
    capitalized: bool,
    /// Whether it has two or more letters, all capitals.
    acronym: bool,
    /// Whether it begins a sentence or a quotation, where every word is capitalized.
    opens: bool,
    /// Whether only a space stands between it and the word before.
    joined: bool,
}

fn tokens(sentence: &str) -> Vec<Token<'_>> {
    let mut out: Vec<Token> = Vec::new();
    let mut end = 0;
    for (start, word) in sentence.unicode_word_indices() {
        let between = &sentence[end..start];
        // "Alma-Ata", "Jean-Pierre": one name, written with a hyphen.
        let hyphened = matches!(between, "-" | "‑" | "'" | "’") && !out.is_empty();
        if hyphened && let Some(last) = out.last_mut() {
            let from = end - last.text.len();
            last.text = &sentence[from..start + word.len()];
            last.acronym = last.acronym && word.chars().all(|c| c.is_uppercase() || c.is_numeric());
            end = start + word.len();
            continue;
        }
        let letters = || word.chars().filter(|c| c.is_alphabetic());
        let cased = letters().any(|c| script::of(c).has_case());
        let upper = letters().filter(|c| c.is_uppercase()).count();
        out.push(Token {
            text: word,
            cased,
            capitalized: cased
                && word.chars().next().is_some_and(char::is_uppercase)
                && letters().count() > 1,
            acronym: cased && upper >= 2 && upper == letters().count(),
            opens: out.is_empty()
                || between
                    .contains(['"', '“', '„', '«', '»', '”', ':', '¿', '¡', '…', '(', '—', '–']),
            joined: between == " " || between == "\u{a0}",
        });
        end = start + word.len();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_scripts() {
        assert_eq!(words("It’s 3.5% — Café, İzmir"), ["it’s", "3.5", "café", "i\u{307}zmir"]);
        assert_eq!(words("我喜欢 Rust 语言。"), ["我喜", "喜欢", "rust", "语言"]);
        assert_eq!(words("中"), ["中"]);
        assert_eq!(words("น้ำ"), ["น้", "้ำ"]);
        assert!(words(" — … 。 ").is_empty());
        assert_eq!(words("کتاب‌ها خوب"), ["کتاب\u{200c}ها", "خوب"]);
    }

    #[test]
    fn a_name_stands_alone() {
        for yes in ["Erik", "João Silva", "Dr. Silva", "NATO", "Иван"] {
            assert!(is_name(yes), "{yes}");
        }
        for no in ["", "gato", "Bom dia", "OLÁ!", "速報", "One Two Three Four", "7"] {
            assert!(!is_name(no), "{no}");
        }
    }

    #[test]
    fn names_without_sentence_starts() {
        let text = "Yesterday Kassym-Jomart Tokayev met NATO officials in Almaty. The talks were \
            “Very good”, he said. EU leaders agreed.";
        assert_eq!(names(text, &Lang::en()), ["Kassym-Jomart Tokayev", "NATO", "Almaty", "EU"]);
        let german = "Gestern sprach die Kanzlerin Angela Merkel über den Haushalt der EU.";
        assert_eq!(names(german, &Lang::parse("de").unwrap()), ["Kanzlerin Angela Merkel", "EU"]);
        let russian = "Вчера Путин встретился с Эрдоганом в Сочи.";
        assert_eq!(names(russian, &Lang::parse("ru").unwrap()), ["Путин", "Эрдоганом", "Сочи"]);
    }

    #[test]
    fn no_names_in_titles_capitals_and_caseless_scripts() {
        assert!(names("Kazakhstan Announces New Peace Talks", &Lang::en()).is_empty());
        assert!(names("KAZAKHSTAN ANNOUNCES TALKS", &Lang::en()).is_empty());
        assert!(names("وصل الرئيس إلى باريس", &Lang::parse("ar").unwrap()).is_empty());
    }
}
