//! Placeholders for what a translation model cannot read and should not touch: it copies them to
//! the place where what they stand for belongs.

use super::language::script;
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text with placeholders, and what they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masked {
    /// The text.
    pub text: String,
    /// What stands behind placeholders, in order.
    holes: Vec<Hole>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hole {
    placeholder: String,
    original: String,
    /// Whether the placeholder was set apart from what stood right before the original, and right
    /// after it.
    is_apart: [bool; 2],
}

/// Longest word with a raised or lowered digit, in characters, that is kept whole: a unit, a
/// formula, a power, and not a word with a footnote.
const LONGEST_FORMULA: usize = 4;
/// Characters that may stand between two runs that are kept as one.
const LONGEST_BETWEEN: usize = 3;

/// The runs of a text that a model is not to touch, in order: `unknown` ones, of which it has no
/// character, each as far as its word goes; formulas with raised or lowered digits and fractions,
/// which tokenizers read as ordinary digits; stutters. What stands between two of them and has no
/// letter or digit belongs to both.
pub fn runs(text: &str, unknown: &[Range<usize>]) -> Vec<Range<usize>> {
    let words = words(text);
    let whole_word = |run: &Range<usize>| {
        // Only a letter makes its word unreadable; a symbol stands for itself.
        let own = &text[run.clone()];
        if !own.contains(char::is_alphabetic) || own.contains(is_unspaced) {
            return run.clone();
        }
        let touched = words.iter().filter(|word| word.start < run.end && run.start < word.end);
        touched.fold(run.clone(), |all, word| all.start.min(word.start)..all.end.max(word.end))
    };
    let mut found: Vec<Range<usize>> = unknown.iter().map(whole_word).collect();
    found.extend(words.iter().filter(|word| is_formula(&text[(*word).clone()])).cloned());
    found.extend(stutters(text));
    found.sort_by_key(|run| (run.start, run.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for run in found {
        match merged.last_mut() {
            Some(last) if run.start <= last.end || is_between(&text[last.end..run.start]) => {
                last.end = last.end.max(run.end);
            }
            _ => merged.push(run),
        }
    }
    merged
}

/// Replaces runs of a text, in order, by placeholders.
pub fn mask(text: &str, runs: &[Range<usize>]) -> Masked {
    let mut masked = Masked::default();
    let (mut end, mut number) = (0, 0);
    for run in runs {
        let placeholder = loop {
            number += 1;
            let name = format!("X{number}");
            if !text.contains(&name) {
                break name;
            }
        };
        masked.push(&text[end..run.start]);
        let before = masked.push(&placeholder);
        let original = text[run.clone()].into();
        masked.holes.push(Hole { placeholder, original, is_apart: [before, false] });
        end = run.end;
        let after = text[end..].starts_with(is_letter);
        masked.holes.last_mut().into_iter().for_each(|hole| hole.is_apart[1] = after);
    }
    masked.push(&text[end..]);
    masked
}

impl Masked {
    /// Adds text; a placeholder stands apart from letters, where words do. Whether a space was put
    /// between.
    fn push(&mut self, text: &str) -> bool {
        let is_apart = self.text.ends_with(is_letter) && text.starts_with(is_letter);
        if is_apart {
            self.text.push(' ');
        }
        self.text.push_str(text);
        is_apart
    }

    /// Whether a text has all that the placeholders stand for.
    pub fn is_whole_in(&self, text: &str) -> bool {
        self.holes.iter().all(|hole| text.contains(hole.original.as_str()))
    }

    /// A translation with what the placeholders stand for in their places. What has lost its
    /// placeholder is missing; of a placeholder that comes twice, the second one goes.
    pub fn restore(&self, translation: &str) -> String {
        let mut text = translation.to_string();
        // From the last: X1 is the beginning of X10.
        for Hole { placeholder, original, is_apart } in self.holes.iter().rev() {
            let Some((before, after)) = text.split_once(placeholder.as_str()) else { continue };
            let after = after.replace(&format!(" {placeholder}"), "").replace(placeholder, "");
            let before = if is_apart[0] { before.trim_end_matches(' ') } else { before };
            let after = if is_apart[1] { after.trim_start_matches(' ') } else { &after };
            text = format!("{before}{original}{after}");
        }
        text
    }
}

/// Ways to write a character that a model does not know, the likeliest first; `word` is what stands
/// before it in its word. Typographic marks become those of a typewriter; a capital a small letter;
/// in a word in lower case, which is no name, a letter loses its accent.
pub fn plainer(c: char, word: &str) -> Vec<String> {
    let mark = match c {
        '’' | '‘' | '‚' | '‛' | '′' | 'ʼ' => "'",
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => "\"",
        '–' | '—' | '―' | '‒' | '‐' | '‑' | '−' => "-",
        '…' => "...",
        _ => "",
    };
    let mut found = Vec::new();
    if c == '—' && !word.is_empty() {
        found.push(" - ".into());
    } else if !mark.is_empty() {
        found.push(mark.into());
    }
    if c.is_uppercase() {
        found.push(c.to_lowercase().collect());
    }
    if c.is_alphabetic() && word.chars().next().unwrap_or(c).is_lowercase() {
        found.push([c].into_iter().nfd().filter(|c| !is_combining_mark(*c)).collect());
    }
    found
}

/// The words of a text: runs of letters, digits and what combines with them.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        match words.last_mut() {
            _ if !c.is_alphanumeric() && !is_combining_mark(c) => {}
            Some(last) if last.end == at => last.end = end,
            _ => words.push(at..end),
        }
    }
    words
}

/// Whether a letter or digit is of a script that sets words apart.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && !is_unspaced(c)
}

/// Where a text stutters: the same letter three times or more, with hyphens between them.
fn stutters(text: &str) -> Vec<Range<usize>> {
    let is_hyphen = |c: char| matches!(c, '-' | '‑' | '–');
    let mut found = Vec::new();
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let same = |a: char, b: char| a.to_lowercase().eq(b.to_lowercase());
    let mut i = 0;
    while i < chars.len() {
        let (start, letter) = chars[i];
        let opens = letter.is_alphabetic() && (i == 0 || !chars[i - 1].1.is_alphanumeric());
        let mut end = i;
        while opens
            && let (Some((_, hyphen)), Some((_, next))) = (chars.get(end + 1), chars.get(end + 2))
            && is_hyphen(*hyphen)
            && same(*next, letter)
            && chars.get(end + 3).is_none_or(|(_, c)| !c.is_alphanumeric())
        {
            end += 2;
        }
        if end >= i + 4 {
            found.push(start..chars[end].0 + chars[end].1.len_utf8());
        }
        i = end + 1;
    }
    found
}

/// Whether a word is a unit, a formula or a fraction that digits of another height belong to.
fn is_formula(word: &str) -> bool {
    let is_raised =
        |c: char| matches!(c, '²' | '³' | '¹' | '¼'..='¾' | '⁰' | '⁴'..='₎' | '⅐'..='⅞' | '↉');
    word.contains(is_raised) && word.chars().count() <= LONGEST_FORMULA
}

/// Whether a character is of a script without spaces, whose words do not show.
fn is_unspaced(c: char) -> bool {
    script::of(c).is_unspaced()
}

fn is_between(text: &str) -> bool {
    text.chars().count() <= LONGEST_BETWEEN && !text.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ranges of what no Portuguese model knows.
    fn unknown(text: &str) -> Vec<Range<usize>> {
        let known = |c: char| c.is_whitespace() || c < '\u{250}' || matches!(c, '₂' | '…');
        text.char_indices()
            .filter(|(_, c)| !known(*c))
            .map(|(at, c)| at..at + c.len_utf8())
            .collect()
    }

    fn found(text: &str) -> Vec<&str> {
        runs(text, &unknown(text)).into_iter().map(|run| &text[run]).collect()
    }

    #[test]
    fn runs_go_as_far_as_their_words() {
        assert_eq!(found("Adoro 😍 pizza 🍕🎉!"), ["😍", "🍕🎉"]);
        assert_eq!(found("O nome (biːdɛl, ˈʤuːliən) é raro."), ["biːdɛl, ˈʤuːliən"]);
        assert_eq!(found("O sábio 孔子 nasceu; Москва, não."), ["孔子", "Москва"]);
        assert_eq!(found("10 m² de CO₂, uma palavra² e ½"), ["m²", "CO₂", "½"]);
        assert_eq!(found("O-o-o-o, que b-b-bom e A–a-a"), ["O-o-o-o", "A–a-a"]);
        assert!(found("X-Y-Z, u-turn e-mail, 1-1-1").is_empty());
        assert!(found("").is_empty());
    }

    #[test]
    fn what_is_masked_comes_back_in_its_place() {
        let masked = |text: &str| mask(text, &runs(text, &unknown(text)));
        let found = masked("Café☕ ou 茶, diz X1?");
        assert_eq!(found.text, "Café X2 ou X3, diz X1?");
        assert_eq!(found.restore("Does X1 say X3 or coffee X2?"), "Does X1 say 茶 or coffee☕?");
        assert_eq!(found.restore("Coffee, says X1?"), "Coffee, says X1?");
        assert_eq!(found.restore("X2 coffee X2 or X3X3?"), "☕ coffee or 茶?");
        assert!(found.is_whole_in("☕ or 茶") && !found.is_whole_in("☕ or tea"));
        let many: String = "a ☕ ".repeat(11);
        let found = masked(&many);
        assert_eq!(found.restore(&found.text), many);
        assert_eq!(masked("Bom dia").text, "Bom dia");
    }

    #[test]
    fn what_is_not_known_has_plainer_forms() {
        assert_eq!(plainer('’', "one"), ["'"]);
        assert_eq!(
            (plainer('—', "news"), plainer('–', "")),
            (vec![" - ".into()], vec!["-".into()])
        );
        assert_eq!(plainer('Í', ""), ["í"]);
        assert_eq!(plainer('ü', "ling"), ["u"]);
        assert!(plainer('ü', "M").is_empty() && plainer('☕', "").is_empty());
    }
}
