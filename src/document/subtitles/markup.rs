//! The markup in the text of a cue: tags of SubRip, WebVTT and SubStation; dashes of speakers;
//! notes around what is sung.

use super::super::pairs::{paired, partner, slice};
use crate::types::{Inline, Inner, Marked, Tag, TagKind};
use regex::Regex;
use std::sync::LazyLock;

/// Tags, and in WebVTT characters by name.
static MARKS: LazyLock<Regex> = LazyLock::new(|| {
    let names = "i|b|u|s|font|c|v|lang|ruby|rt|span|em|strong|br";
    let marks = [
        &format!(r"<(?P<close>/?)(?P<name>(?i:{names}))(?P<rest>[.\s/][^<>]*)?>"),
        r"<\d[\d:.]*>",
        r"\{\\[^{}\n]*\}",
        r"(?P<char>&(?:amp|lt|gt|nbsp|lrm|rlm|quot|#39);)",
    ];
    Regex::new(&marks.join("|")).expect("the pattern is constant and tested")
});

const CHARS: [(&str, &str); 8] = [
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&nbsp;", "\u{A0}"),
    ("&lrm;", "\u{200E}"),
    ("&rlm;", "\u{200F}"),
    ("&quot;", "\""),
    ("&#39;", "'"),
];

/// Layers of markup that are taken off a text.
const DEEPEST: usize = 32;

/// What one speaker says in a cue, and what stands around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// Tags, a dash or a note before the text.
    pub lead: String,
    /// The text, its lines joined.
    pub marked: Marked,
    /// Tags or a note after the text.
    pub trail: String,
}

/// Whether text of this character is written without spaces between words.
pub(super) fn is_dense(c: char) -> bool {
    matches!(u32::from(c), 0x2E80..=0x312F | 0x31A0..=0xA4CF | 0xF900..=0xFAFF | 0xFF00..=0xFFEF
        | 0x20000..=0x3FFFF)
}

/// Whether a line begins another part of its cue: another speaker, or a line of a song.
pub(super) fn begins_part(line: &str) -> bool {
    let bare = MARKS.replace_all(line, "");
    let bare = bare.trim_start();
    bare.starts_with(['♪', '♫']) || dash(bare) > 0
}

/// The length of a speaker's dash with the space after it; 0 where there is none.
fn dash(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['-', '–', '—', '‐', '‑', '•']) else { return 0 };
    let is_number = text.starts_with('-') && rest.starts_with(|c: char| c.is_ascii_digit());
    // Two of them interrupt a sentence.
    let is_speaker = !is_number && !rest.starts_with(['-', '–', '—']) && !rest.trim().is_empty();
    if is_speaker { text.len() - rest.trim_start().len() } else { 0 }
}

/// Reads the lines of a part.
pub(super) fn read(lines: &[&str], is_vtt: bool) -> Part {
    let joined = join(lines.iter().map(|line| line.trim()));
    let (mut text, mut tags, mut at) = (String::new(), Vec::new(), 0);
    for found in MARKS.captures_iter(&joined) {
        let Some(whole) = found.get(0) else { continue };
        let is_char = found.name("char").is_some();
        if is_char && !is_vtt {
            continue;
        }
        text.push_str(&joined[at..whole.start()]);
        at = whole.end();
        if is_char {
            let of_char = CHARS.iter().find(|(name, _)| *name == whole.as_str());
            text.push_str(of_char.map_or("", |(_, char)| char));
            continue;
        }
        let name = found.name("name").map_or(String::new(), |n| n.as_str().to_ascii_lowercase());
        let closes = found.name("close").is_some_and(|close| !close.is_empty());
        let kind = match (name.as_str(), closes) {
            ("" | "br", _) => TagKind::Point,
            (_, true) => TagKind::Close,
            (_, false) => TagKind::Open,
        };
        tags.push((Tag { at: text.len(), markup: whole.as_str().into(), kind }, name));
    }
    text.push_str(&joined[at..]);
    let inline = Inline { tags: paired(tags), kept: Vec::new() };
    peel(Marked { text, inline })
}

/// Lines as one, with spaces between them where their script has spaces.
fn join<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for line in lines {
        let is_dense = out.ends_with(is_dense) && line.starts_with(is_dense);
        if !out.is_empty() && !is_dense {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}

/// Takes off what stands around the words.
fn peel(mut marked: Marked) -> Part {
    let (mut lead, mut trail) = (String::new(), String::new());
    for _ in 0..DEEPEST {
        let Marked { text, inline: Inline { tags, .. } } = &marked;
        let (length, count) = (text.len(), tags.len());
        let first = tags.first().filter(|tag| tag.at == 0);
        let last = tags.last().filter(|tag| tag.at == length);
        let note = |c: char| matches!(c, '♪' | '♫');
        let trimmed = text.trim_start();
        let marks = if text.starts_with(note) {
            length - text.trim_start_matches(note).trim_start().len()
        } else if trimmed.len() < length {
            length - trimmed.len()
        } else {
            dash(text)
        };
        let kept = text.trim_end().trim_end_matches(note).trim_end().len();
        match (first, last) {
            (Some(tag), _) if tag.kind == TagKind::Point => {
                lead.push_str(&tag.markup);
                marked = slice(&marked, 0..length, 1..count);
            }
            (Some(open), Some(close)) if partner(tags, 0) == Some(count - 1) => {
                lead.push_str(&open.markup);
                trail.insert_str(0, &close.markup);
                marked = slice(&marked, 0..length, 1..count - 1);
            }
            (_, Some(tag)) if tag.kind == TagKind::Point => {
                trail.insert_str(0, &tag.markup);
                marked = slice(&marked, 0..length, 0..count - 1);
            }
            (None, _) if marks > 0 && tags.iter().all(|tag| tag.at >= marks) => {
                lead.push_str(&text[..marks]);
                marked = slice(&marked, marks..length, 0..count);
            }
            (_, None) if kept < length && tags.iter().all(|tag| tag.at <= kept) => {
                trail.insert_str(0, &text[kept..]);
                marked = slice(&marked, 0..kept, 0..count);
            }
            _ => break,
        }
    }
    Part { lead, marked, trail }
}

/// A text as a cue has it.
pub(super) fn write(marked: &Marked, is_vtt: bool) -> String {
    let steps = marked.inline.steps(&marked.text);
    let shown = steps.map(|step| match step {
        Inner::Tag(tag) => tag.markup.clone(),
        // No blank line and no arrow ends a cue before its time.
        Inner::Text(text) if is_vtt => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            text.replace('\u{A0}', "&nbsp;").replace(['\n', '\r'], " ")
        }
        Inner::Text(text) => text.replace(['\n', '\r'], " ").replace("-->", "→"),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[&str], is_vtt: bool) -> (String, String, String) {
        let part = read(lines, is_vtt);
        (part.lead, part.marked.to_markup(), part.trail)
    }

    #[test]
    fn what_stands_around_the_words() {
        let cases: &[(&[&str], [&str; 3])] = &[
            (&["{\\an8}<i>Come", "in!</i>"], ["{\\an8}<i>", "Come in!", "</i>"]),
            (&["- <i>No.</i> Yes."], ["- ", "<i>No.</i> Yes.", ""]),
            (&["<i>- No.</i>"], ["<i>- ", "No.", "</i>"]),
            (&["<i>a</i> b <i>c</i>"], ["", "<i>a</i> b <i>c</i>", ""]),
            (&["♪ La la ♪"], ["♪ ", "La la", " ♪"]),
            (&["<v Ann>Hello, <b>you</b>"], ["<v Ann>", "Hello, <b>you</b>", ""]),
            (
                &["<font color=\"#ff0000\">Red</font>"],
                ["<font color=\"#ff0000\">", "Red", "</font>"],
            ),
            (&["-5 degrees"], ["", "-5 degrees", ""]),
            (&["--and then"], ["", "--and then", ""]),
            (&["I <3 you, 2 > 1"], ["", "I <3 you, 2 > 1", ""]),
            (&["政府は", "発表した"], ["", "政府は発表した", ""]),
            (&["One <00:19.000>two"], ["", "One <00:19.000>two", ""]),
            (&["♪"], ["♪", "", ""]),
            (&["-"], ["", "-", ""]),
        ];
        for (lines, expected) in cases {
            let (lead, text, trail) = told(lines, false);
            assert_eq!([&lead, &text, &trail], *expected, "{lines:?}");
        }
    }

    #[test]
    fn characters_by_name_in_webvtt() {
        let part = read(&["R&amp;D &lt;now&gt;&nbsp;!"], true);
        assert_eq!(part.marked.text, "R&D <now>\u{A0}!");
        assert_eq!(write(&part.marked, true), "R&amp;D &lt;now&gt;&nbsp;!");
        assert_eq!(read(&["R&amp;D"], false).marked.text, "R&amp;D");
        assert_eq!(write(&Marked::plain("a --> b\nc"), false), "a → b c");
    }

    #[test]
    fn speakers_and_songs_begin_parts() {
        for line in ["- Hi", "–Hi", "<i>- Hi</i>", "♪ La", "{\\an8}- x"] {
            assert!(begins_part(line), "{line}");
        }
        for line in ["Hi - there", "-5", "--so", "—"] {
            assert!(!begins_part(line), "{line}");
        }
    }
}
