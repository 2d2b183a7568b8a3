//! Places where a sentence may end.

use super::parts::{CLOSING, OPENING};
use super::{headings, items, references};
use crate::types::Lang;
use unicode_segmentation::UnicodeSegmentation;

/// What ends at a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A sentence, if what stands around its mark says so.
    Sentence,
    /// A heading without a mark, if it is short.
    Heading,
    /// Whatever it is: an item of a list begins.
    Item,
}

/// A place where a sentence may end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub at: usize,
    pub kind: Kind,
}

/// Places after each Unicode sentence, and those that Unicode leaves out: the marks of single
/// languages, full stops without a space or with a number after them, items of lists.
pub(super) fn candidates(text: &str, lang: &Lang) -> Vec<Candidate> {
    let mut ends = unicode(text, lang);
    match lang.base() {
        // Armenian sentences are also typed with a colon, and a full stop is a colon there.
        "hy" => {
            marks(text, ':', &mut ends);
            if text.contains('։') || text.contains(": ") || text.ends_with(':') {
                ends.retain(|&end| {
                    !text[..end].trim_end_matches(is_after_stop).ends_with(['.', '․'])
                });
            }
        }
        "el" => marks(text, ';', &mut ends),
        "bo" | "dz" => shads(text, &mut ends),
        _ => {}
    }
    full_stops(text, &mut ends);
    if !matches!(lang.base(), "ru" | "uk" | "be") {
        dashes(text, &mut ends);
    }
    references::ends(text, &mut ends);
    let items = items::starts(text, lang);
    let place = |kind| move |at| Candidate { at, kind };
    let mut out: Vec<Candidate> = ends.into_iter().map(place(Kind::Sentence)).collect();
    out.extend(items.into_iter().map(place(Kind::Item)));
    out.extend(headings::ends(text, lang).into_iter().map(place(Kind::Heading)));
    out.sort_unstable();
    out
}

fn is_after_stop(c: char) -> bool {
    c == ' ' || c == '\u{a0}' || CLOSING.contains(&c)
}

/// Ends of Unicode's sentences, moved to before an opening or after a closing quotation mark.
fn unicode(text: &str, lang: &Lang) -> Vec<usize> {
    // »…« is how some languages write what others write «…».
    let inward =
        matches!(lang.base(), "de" | "da" | "cs" | "sk" | "sl" | "hr" | "sr" | "bs" | "hu" | "pl");
    // „…“: what opens a quotation elsewhere closes it here.
    let low = text.contains('„');
    let mut open = false;
    let mut out: Vec<usize> = Vec::new();
    for (at, piece) in text.split_sentence_bound_indices() {
        open = is_open_after(piece, open, low);
        let end = at + without_opening(piece, &text[at + piece.len()..], open, low).len();
        let before = piece.trim_end().strip_suffix('«').filter(|_| !inward);
        if let Some(kept) = before.filter(|kept| kept.ends_with(['.', '!', '?', '…'])) {
            out.push(at + kept.len());
            continue;
        }
        // In French a space stands before the mark that closes a quotation.
        match text[end..].strip_prefix('»') {
            Some(after) if after.starts_with([',', ';', ':', '.', '!', '?', ')']) => {}
            Some(after) if !after.starts_with(char::is_alphanumeric) => out.push(
                text.len()
                    - after.trim_start_matches(|c: char| c.is_whitespace() && c != '\n').len(),
            ),
            _ => out.push(end),
        }
        if piece.ends_with('\n') {
            open = false;
        }
    }
    out
}

/// Whether a quotation is open after a piece of text, if one was or was not before it. A mark that
/// opens and closes alike, as `"` does, is told by that; some texts also close with “.
fn is_open_after(piece: &str, was_open: bool, low: bool) -> bool {
    let mut open = was_open;
    let mut before = ' ';
    for c in piece.chars() {
        open = match c {
            '“' if !low && matches!(before, ':' | '：' | ',' | '，') => true,
            '“' if !low => !open,
            '”' if !low => false,
            '"' => !open,
            _ => open,
        };
        before = c;
    }
    open
}

/// Unicode takes every quotation mark and bracket after a full stop for a closing one, but where no
/// space is written the next sentence's opening mark stands there too. `next` is the text after
/// the piece; `open`: the last quotation mark opens; `low`: quotations open with „.
fn without_opening<'a>(piece: &'a str, next: &str, open: bool, low: bool) -> &'a str {
    let kept = piece.trim_end_matches(|c| {
        matches!(c, '「' | '『' | '（' | '《' | '【' | '‘' | '„' | '(' | '[')
            || c == '“' && !low && open
            || c == '"' && open
    });
    if kept.len() < piece.len()
        && (kept.ends_with(['。', '！', '？'])
            || kept.ends_with(['.', '!', '?']) && next.starts_with(char::is_uppercase)
            || kept.ends_with(['」', '』', '”', '"']) && !piece.is_ascii())
    {
        kept
    } else {
        piece
    }
}

/// Places after a mark of one language and a capital or a figure next; after a colon, with a space
/// between them.
fn marks(text: &str, mark: char, out: &mut Vec<usize>) {
    for (at, _) in text.match_indices(mark) {
        let after = &text[at + 1..];
        let rest = after.trim_start();
        let first = rest.trim_start_matches(OPENING).chars().next();
        if (rest.len() < after.len() || mark == ';')
            && first.is_some_and(|c| c.is_uppercase() || mark == ':' && c.is_numeric())
        {
            out.push(text.len() - rest.len());
        }
    }
}

/// Places after the strokes that end Tibetan sentences and clauses.
fn shads(text: &str, out: &mut Vec<usize>) {
    for (at, shad) in text.match_indices(['།', '༎']) {
        let after = &text[at + shad.len()..];
        let rest = after.trim_start_matches([' ', '\u{a0}', '།', '༎']);
        if rest.len() < after.len() {
            out.push(text.len() - rest.len());
        }
    }
}

/// Places after a full stop that has a capital at once after it, or a figure or an omission after a
/// space. Unicode takes these for the middle of a sentence.
fn full_stops(text: &str, out: &mut Vec<usize>) {
    for (at, _) in text.match_indices('.') {
        let after = &text[at + 1..];
        let Some(next) = after.chars().next() else { break };
        if next.is_alphanumeric() {
            if next.is_uppercase() {
                out.push(at + 1);
            }
            continue;
        }
        let tail = after.trim_start_matches(CLOSING);
        let rest = tail.trim_start_matches([' ', '\u{a0}']);
        if rest.len() == tail.len() {
            continue;
        }
        let omits = || {
            let attached = text[..at].ends_with(char::is_alphanumeric);
            attached
                && (rest.starts_with("...") || rest.starts_with('…') || rest.starts_with(". . ."))
        };
        if rest.trim_start_matches(OPENING).starts_with(char::is_numeric) || omits() {
            out.push(text.len() - rest.len());
        }
    }
}

/// Places before a dash after the end of a sentence, where speech resumes: "– mondta. – Ezt
/// láttam." Unicode takes the dash for a sign that the sentence goes on, as Russian and its
/// relatives do.
fn dashes(text: &str, out: &mut Vec<usize>) {
    let is_space = |c: char| c == ' ' || c == '\u{a0}';
    for (at, dash) in text.match_indices(['–', '—']) {
        let rest = &text[at + dash.len()..];
        let head = text[..at].trim_end_matches(is_space);
        if head.len() < at
            && head.trim_end_matches(CLOSING).ends_with(['.', '!', '?', '…'])
            && rest.starts_with(is_space)
            && rest.trim_start_matches(is_space).starts_with(char::is_uppercase)
        {
            out.push(at);
        }
    }
}
