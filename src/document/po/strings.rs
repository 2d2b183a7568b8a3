//! The strings of a catalog: their escapes, their lines, and the markup inside of them.

use super::super::pairs::paired;
use crate::types::{Inline, Marked, Tag, TagKind};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Columns of a line in quotes, as gettext's programs write it.
const WIDEST: usize = 77;

/// Directives of C and its kin: `%s`, `%1$-5.2lf`, `%(name)s`, `%<PRIu64>`.
const PERCENT: &str = r"%(?:\([A-Za-z_]\w*\)|\d+\$)?[-+ 0#']*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|q|j|z|t|L)?(?:[diouxXeEfFgGaAcspnr@%]|<[A-Za-z0-9]+>)";
/// Names in braces: `{}`, `{0}`, `{name!r:>10}`, `${x}`, `%{x}`, `{{x}}`.
const BRACES: &str = r"\{\{[^{}\n]{0,80}\}\}|[$%#]?\{[A-Za-z0-9_.:!,<>^+\-\[\] ]{0,80}\}";
/// Tags, as in HTML and Pango, and characters by name.
const TAGS: &str = r#"</?[A-Za-z][A-Za-z0-9:_-]*(?:\s[^<>]*)?/?>"#;
const CHARS: &str = r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});";
/// Places of Qt, KDE and Boost: `%1`, `%L1`, `%n`, `%1%`.
const PLACES: &str = r"%L?(?:\d{1,2}%?|n)";

static STRICT: LazyLock<Regex> = LazyLock::new(|| pattern(&[PERCENT, BRACES, TAGS, CHARS]));
static QT: LazyLock<Regex> = LazyLock::new(|| pattern(&[PLACES, BRACES, TAGS, CHARS]));
/// Without a flag "100% sure" is no directive: one has no space in it.
static LOOSE: LazyLock<Regex> = LazyLock::new(|| {
    let percent = r"%(?:\([A-Za-z_]\w*\)|\d+\$)?(?:\.?\d+)?(?:ll|l|z)?[diuxXfgcs@](?-u:\b)";
    pattern(&[percent, BRACES, TAGS, CHARS])
});

fn pattern(parts: &[&str]) -> Regex {
    Regex::new(&parts.join("|")).expect("the pattern is constant and tested")
}

/// The text of a string in quotes; `None` where it has no end.
pub(super) fn read(quoted: &str) -> Option<String> {
    let mut chars = quoted.strip_prefix('"')?.chars();
    let mut out = String::new();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().trim().is_empty().then_some(out),
            '\\' => out.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'a' => '\x07',
                'b' => '\x08',
                'f' => '\x0C',
                'v' => '\x0B',
                other => other,
            }),
            c => out.push(c),
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            '\x0B' => out.push_str("\\v"),
            c => out.push(c),
        }
    }
    out
}

/// A string under a keyword, on one line or, as gettext's programs write it, on several under an
/// empty one.
pub(super) fn written(keyword: &str, text: &str, wrap: bool, end: &str) -> String {
    let inner_break = text.trim_end_matches('\n').contains('\n');
    let whole = escaped(text);
    let is_long = wrap && width(&whole) + keyword.len() + 3 > WIDEST + 2;
    if !inner_break && !is_long {
        return format!("{keyword} \"{whole}\"");
    }
    let mut out = format!("{keyword} \"\"");
    for line in text.split_inclusive('\n') {
        for part in wrapped(&escaped(line), wrap) {
            out.push_str(&format!("{end}\"{part}\""));
        }
    }
    out
}

fn width(text: &str) -> usize {
    let is_wide = |c: char| {
        matches!(
            u32::from(c),
            0x1100..=0x115F
                | 0x2E80..=0xA4CF
                | 0xAC00..=0xD7A3
                | 0xF900..=0xFAFF
                | 0xFF00..=0xFF60
        )
    };
    text.chars().map(|c| 1 + usize::from(is_wide(c))).sum()
}

/// The parts of a line, each of which ends with the space at which it was broken.
fn wrapped(line: &str, wrap: bool) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let last = parts.last_mut().map(|part| (width(part), part));
        match last {
            Some((wide, part)) if !wrap || wide == 0 || wide + width(word) <= WIDEST => {
                part.push_str(word);
            }
            _ => parts.push(word.to_string()),
        }
    }
    parts
}

fn marks(flags: &[String]) -> &'static Regex {
    let has = |names: &[&str]| flags.iter().any(|flag| names.contains(&flag.as_str()));
    if has(&["qt-format", "qt-plural-format", "kde-format", "kde-kuit-format", "boost-format"]) {
        &QT
    } else if flags.iter().any(|f| f.ends_with("-format") && !f.starts_with("no-")) {
        &STRICT
    } else {
        &LOOSE
    }
}

/// The placeholders of a message.
pub(super) fn placeholders(text: &str, flags: &[String]) -> Vec<Range<usize>> {
    let found = marks(flags).find_iter(text).filter(|m| !m.as_str().starts_with('<'));
    found.map(|m| m.range()).collect()
}

/// A line of a message: its tags apart, its placeholders as parts that are kept.
pub(super) fn inline(line: &str, flags: &[String]) -> Marked {
    let (mut text, mut tags, mut kept, mut at) = (String::new(), Vec::new(), Vec::new(), 0);
    for found in marks(flags).find_iter(line) {
        text.push_str(&line[at..found.start()]);
        at = found.end();
        let markup = found.as_str();
        if !markup.starts_with('<') {
            kept.push(text.len()..text.len() + markup.len());
            text.push_str(markup);
            continue;
        }
        let inner = markup.trim_matches(['<', '>', '/']);
        let name = inner.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let kind = match (markup.starts_with("</"), markup.ends_with("/>")) {
            (true, _) => TagKind::Close,
            (_, true) => TagKind::Point,
            _ => TagKind::Open,
        };
        tags.push((Tag { at: text.len(), markup: markup.into(), kind }, name));
    }
    text.push_str(&line[at..]);
    Marked { text, inline: Inline { tags: paired(tags), kept } }
}
