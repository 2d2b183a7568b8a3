//! Marks of references after a sentence, as encyclopedias and papers have them: "in 1910.[14]",
//! "is a gas. [1][2]", "of reform.⁷".

/// Longest text between the brackets of a mark: `[citation needed]`.
const LONGEST: usize = 24;

/// What may stand before the marks at the end of a sentence.
const SENTENCE: [char; 14] =
    ['.', '!', '?', '…', '。', '！', '？', '"', '”', '»', '’', ')', '։', '।'];

/// Places after the marks that follow a sentence.
pub(super) fn ends(text: &str, out: &mut Vec<usize>) {
    for (at, _) in text.match_indices(|c| c == '[' || is_superscript(c)) {
        if !text[..at].trim_end_matches(is_space).ends_with(SENTENCE) {
            continue;
        }
        let length = at_start(&text[at..]);
        if length > 0 {
            let rest = text[at + length..].trim_start_matches(is_space);
            out.push(text.len() - rest.len());
        }
    }
}

/// Bytes of the marks that a text begins with, and of the spaces between them.
pub(super) fn at_start(text: &str) -> usize {
    let mut end = 0;
    loop {
        let rest = text[end..].trim_start_matches(is_space);
        let Some(length) = mark(rest) else { return end };
        end = text.len() - rest.len() + length;
    }
}

/// The text before the marks at its end, where these follow the mark of a sentence.
pub(super) fn before(text: &str) -> &str {
    let mut head = text;
    while let Some(start) = last(head) {
        head = head[..start].trim_end_matches(is_space);
    }
    if head.ends_with(SENTENCE) { head } else { text }
}

/// Where the mark begins that a text ends with.
fn last(text: &str) -> Option<usize> {
    let figures = text.trim_end_matches(is_superscript);
    if figures.len() < text.len() {
        return Some(figures.len());
    }
    let inner = text.strip_suffix(']')?;
    let open = inner.char_indices().rev().take(LONGEST).find(|&(_, c)| c == '[')?.0;
    mark(&text[open..]).filter(|&length| open + length == text.len()).map(|_| open)
}

/// Bytes of the mark that a text begins with: a number or a letter in brackets, a few words such as
/// `[note 3]`, `[citation needed]`, or raised figures.
fn mark(text: &str) -> Option<usize> {
    let figures = text.len() - text.trim_start_matches(is_superscript).len();
    if figures > 0 {
        return Some(figures);
    }
    let inner = text.strip_prefix('[')?;
    let end = inner.char_indices().take(LONGEST).find(|&(_, c)| c == ']')?.0;
    let (content, after) = (&inner[..end], &inner[end + 1..]);
    let is_number = content.starts_with(|c: char| c.is_ascii_digit())
        && content.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '-' | '–' | ' '));
    let is_letter = content.len() == 1 && content.starts_with(|c: char| c.is_ascii_lowercase());
    let is_note = content.split_once(' ').is_some_and(|(word, number)| {
        let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        numbered && word.chars().all(char::is_lowercase)
    });
    let is_remark = matches!(content, "citation needed" | "when?" | "who?" | "update");
    // `[1](https://…)` is a link, and `[1]: ` begins a definition.
    let stands = !after.starts_with(['(', ':']);
    ((is_number || is_letter || is_note || is_remark) && stands).then_some(end + 2)
}

fn is_superscript(c: char) -> bool {
    matches!(c, '¹' | '²' | '³' | '⁰' | '⁴'..='⁹')
}

fn is_space(c: char) -> bool {
    c == ' ' || c == '\u{a0}'
}
