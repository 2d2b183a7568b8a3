//! A text with its markup as Markdown.

use super::whole::whole_spans;
use crate::text::protect;
use crate::types::{Inner, Marked, Tag, TagKind};
use pulldown_cmark::{Event, Options, Parser, Tag as Element};
use regex::Regex;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;
use unicode_normalization::char::is_combining_mark;

/// What the beginning of a line must not look like in a paragraph: a heading, an item, a quotation,
/// a fence, a rule.
static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:#{1,6}(?:\s|$)|[-+*](?:\s|$)|>|\d{1,9}(?P<dot>[.)])(?:\s|$)|```|~~~|---)")
        .expect("the pattern is constant and tested")
});

/// What a character reference looks like.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
        .expect("the pattern is constant and tested")
});

/// What is done so that a text is read again as what it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Care {
    /// All emphasis is written in HTML.
    elements: bool,
    /// Marks of the text are written as character references.
    references: bool,
    /// Where spaces set markup apart from what stands beside it.
    apart: Apart,
}

/// Where spaces set markup apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Apart {
    /// Where it would be another thing otherwise, as far as a look at two neighbours tells.
    #[default]
    Little,
    /// Around spans and points.
    Outside,
    /// Inside of spans, too.
    Everywhere,
}

/// Ways to write a text, from the one that looks best to the one that is read as it is nearly
/// anywhere.
pub const CARES: [Care; 5] = {
    const fn care(elements: bool, references: bool, apart: Apart) -> Care {
        Care { elements, references, apart }
    }
    [
        care(false, false, Apart::Little),
        care(true, false, Apart::Little),
        care(true, false, Apart::Outside),
        care(true, true, Apart::Outside),
        care(true, true, Apart::Everywhere),
    ]
};

/// A text with its markup, as Markdown has it after `prefix`, the indent and marker of its line.
/// Only what would be taken for markup is escaped. Emphasis that Markdown's rules forbid in its
/// place, as `**«Oui»**x`, is written in HTML.
pub fn markdown(marked: &Marked, prefix: &str) -> String {
    careful_markdown(marked, prefix, CARES[0])
}

/// The same with some care.
pub fn careful_markdown(marked: &Marked, prefix: &str, care: Care) -> String {
    let writer = Writer::new(marked, prefix, care);
    let mut at = 0;
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for step in marked.inline.steps(&marked.text) {
        pieces.push(match step {
            Inner::Text(text) => {
                let start = at;
                at += text.len();
                Piece { text: writer.escaped(start..at), tag: None }
            }
            Inner::Tag(tag) => Piece { text: tag.markup.clone(), tag: Some(tag) },
        });
    }
    if care.elements {
        write_elements(&mut pieces);
    }
    mend_emphasis(&mut pieces);
    set_notes_apart(&mut pieces);
    set_apart(&mut pieces, care.apart);
    let mut out: String = pieces.into_iter().map(|piece| piece.text).collect();
    writer.protect_ends(&mut out);
    out
}

/// A text or a tag, as it is written.
struct Piece<'a> {
    text: String,
    tag: Option<&'a Tag>,
}

struct Writer<'a> {
    marked: &'a Marked,
    prefix: &'a str,
    care: Care,
    /// Parts of the text that are written as they are: code, addresses, placeholders.
    exempt: Vec<Range<usize>>,
    /// Where the text has its first bracket.
    first_bracket: Option<usize>,
    /// Brackets without their other half on the same level, where links could take them for theirs.
    loose: Vec<usize>,
}

impl<'a> Writer<'a> {
    fn new(marked: &'a Marked, prefix: &'a str, care: Care) -> Writer<'a> {
        let tags = &marked.inline.tags;
        let exempt = parts_as_they_are(marked);
        let has_links = tags.iter().any(|tag| tag.markup.contains(['[', ']']));
        let loose = if has_links { loose_brackets(marked) } else { Vec::new() };
        Writer { marked, prefix, care, exempt, first_bracket: marked.text.find('['), loose }
    }

    fn is_cell(&self) -> bool {
        self.prefix.contains('|')
    }

    fn is_exempt(&self, at: usize) -> bool {
        let next = self.exempt.partition_point(|span| span.end <= at);
        self.exempt.get(next).is_some_and(|span| span.start <= at)
    }

    /// A part of the text.
    fn escaped(&self, part: Range<usize>) -> String {
        let mut out = String::with_capacity(part.len());
        for (offset, c) in self.marked.text[part.clone()].char_indices() {
            let at = part.start + offset;
            let is_escaped = self.is_exempt(at) && self.marked.text[..at].ends_with('\\');
            if let Some(reference) = self.reference(c) {
                out.push_str(reference);
                continue;
            }
            if c == '|' && self.is_cell() && !is_escaped {
                out.push('\\');
            } else if c == '&' && !self.is_exempt(at) && REFERENCE.is_match(&self.marked.text[at..])
            {
                out.push_str("&amp;");
                continue;
            } else if self.care.references
                && "\\[]*_`<{}$=^~|!:@#".contains(c)
                && !self.is_exempt(at)
            {
                out.push_str(&format!("&#{};", u32::from(c)));
                continue;
            } else if c.is_ascii_punctuation() && !self.is_exempt(at) && self.is_markup(c, at) {
                out.push('\\');
            }
            out.push(c);
        }
        out
    }

    /// What stands for a mark that would end the text: a title between the quotes of an admonition,
    /// or the brackets of a fence.
    fn reference(&self, c: char) -> Option<&'static str> {
        let marker = self.prefix.trim_start();
        match c {
            '"' if marker.starts_with(['!', '?', '=']) && marker.ends_with('"') => Some("&quot;"),
            '[' if marker.starts_with(":::") && marker.ends_with('[') => Some("&#91;"),
            ']' if marker.starts_with(":::") && marker.ends_with('[') => Some("&#93;"),
            _ => None,
        }
    }

    /// Whether a mark of the text would be taken for markup in its place.
    fn is_markup(&self, c: char, at: usize) -> bool {
        let text = &self.marked.text;
        let (before, after) = (&text[..at], &text[at + 1..]);
        let next = self.following(at + 1);
        match c {
            // An image has it before its bracket.
            '!' => next == Some('[') && !after.starts_with('['),
            '\\' => next.is_some_and(|c| c.is_ascii_punctuation()),
            '<' => next.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')),
            '*' | '_' | '~' => {
                let previous = self.preceding(at);
                let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
                let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                let stands_apart = is_space(previous) && is_space(next);
                let inside = c == '_' && is_word(previous) && is_word(next);
                !stands_apart && !inside && self.has_partner(c)
            }
            '`' => self.has_partner(c),
            '[' => next == Some('^') || self.loose.binary_search(&at).is_ok(),
            ']' => {
                matches!(next, Some('(' | '[')) && self.brackets_before(at)
                    || next == Some(':') && before.starts_with('[')
                    || self.loose.binary_search(&at).is_ok()
            }
            _ => false,
        }
    }

    /// The character that is written at a place: that of a tag, or the text's.
    fn following(&self, at: usize) -> Option<char> {
        let tags = &self.marked.inline.tags;
        let own = tags[tags.partition_point(|tag| tag.at < at)..].iter();
        let tag = own.take_while(|tag| tag.at == at).find_map(|tag| tag.markup.chars().next());
        tag.or_else(|| self.marked.text[at..].chars().next())
    }

    /// The character that is written before a place.
    fn preceding(&self, at: usize) -> Option<char> {
        let tags = &self.marked.inline.tags;
        let own = tags[..tags.partition_point(|tag| tag.at <= at)].iter().rev();
        let tag = own.take_while(|tag| tag.at == at).find_map(|t| t.markup.chars().next_back());
        tag.or_else(|| self.marked.text[..at].chars().next_back())
    }

    /// Whether a bracket is opened before a place.
    fn brackets_before(&self, at: usize) -> bool {
        self.first_bracket.is_some_and(|first| first < at)
    }

    /// Whether there is another such mark, with which it could make a pair.
    fn has_partner(&self, mark: char) -> bool {
        let is_own = |(at, c): &(usize, char)| *c == mark && !self.is_exempt(*at);
        self.marked.text.char_indices().filter(is_own).nth(1).is_some()
            || self.marked.inline.tags.iter().any(|tag| tag.markup.contains(mark))
    }

    /// Keeps the beginning of a line from looking like a block, and the end of a heading from
    /// being taken for its marks.
    fn protect_ends(&self, out: &mut String) {
        let is_heading = self.prefix.trim_end().ends_with('#');
        let begins_line = !is_heading && !self.is_cell() && !self.starts_with_tag();
        if let Some(found) = begins_line.then(|| BLOCK.captures(out)).flatten() {
            let at = found.name("dot").map_or(0, |dot| dot.start());
            out.insert(at, '\\');
        }
        let is_item = self.prefix.trim_end().ends_with(['-', '*', '+', '.', ')']);
        let is_box = ["[ ] ", "[x] ", "[X] "].iter().any(|mark| out.starts_with(mark));
        if is_item && is_box {
            out.insert(0, '\\');
        }
        let bare = out.trim_end_matches('#').len();
        if is_heading && bare < out.len() && out[..bare].ends_with(' ') {
            out.insert(bare, '\\');
        }
    }

    fn starts_with_tag(&self) -> bool {
        self.marked.inline.tags.first().is_some_and(|tag| tag.at == 0)
    }
}

/// The parts of a text that are written as they are, in order: no tags stand inside of them.
fn parts_as_they_are(marked: &Marked) -> Vec<Range<usize>> {
    let Marked { text, inline } = marked;
    let mut parts: Vec<Range<usize>> = whole_spans(marked).collect();
    // What only the tags set apart; marks of code have partners beyond them.
    let mut at = 0;
    for step in inline.steps(text).filter(|_| !inline.tags.is_empty()) {
        if let Inner::Text(text) = step {
            let own = protect::spans(text).into_iter();
            let own = own.filter(|span| !text[span.clone()].starts_with('`'));
            parts.extend(own.map(|span| at + span.start..at + span.end));
            at += text.len();
        }
    }
    parts.retain(|part| !text[part.clone()].starts_with(['<', '&']));
    parts.sort_by_key(|part| (part.start, Reverse(part.end)));
    parts.dedup_by(|next, last| next.start < last.end);
    parts
}

/// The places of brackets whose other half is not on the same level of markup, in order.
fn loose_brackets(marked: &Marked) -> Vec<usize> {
    let (mut levels, mut loose, mut at) = (vec![Vec::new()], Vec::new(), 0);
    for step in marked.inline.steps(&marked.text) {
        match step {
            Inner::Text(text) => {
                for (offset, bracket) in text.match_indices(['[', ']']) {
                    let open: Option<&mut Vec<usize>> = levels.last_mut();
                    match (bracket, open) {
                        ("[", Some(open)) => open.push(at + offset),
                        (_, open) => {
                            if open.and_then(Vec::pop).is_none() {
                                loose.push(at + offset);
                            }
                        }
                    }
                }
                at += text.len();
            }
            Inner::Tag(tag) => match tag.kind {
                TagKind::Open => levels.push(Vec::new()),
                TagKind::Close => loose.extend(levels.pop().into_iter().flatten()),
                TagKind::Point => {}
            },
        }
    }
    loose.extend(levels.into_iter().flatten());
    loose.sort_unstable();
    loose
}

/// Puts a space after marks of footnotes that would be taken for the text of a link, or for the
/// beginning of a note.
fn set_notes_apart(pieces: &mut [Piece<'_>]) {
    let is_note = |piece: &Piece<'_>| {
        let is_mark = piece.text.trim_start().starts_with("[^") && piece.text.ends_with(']');
        is_mark && piece.tag.is_some_and(|tag| tag.kind == TagKind::Point)
    };
    for number in 1..pieces.len() {
        let next = pieces[number].text.as_str();
        let is_target = next.starts_with(['[', '(', ':']) && !next.starts_with("[^");
        let begins_note = next.starts_with("^[") && pieces[number - 1].text.ends_with('^');
        if is_target && is_note(&pieces[number - 1]) || begins_note {
            pieces[number - 1].text.push(' ');
        }
    }
}

/// Puts spaces between tags and what stands beside them.
fn set_apart(pieces: &mut [Piece<'_>], apart: Apart) {
    if apart == Apart::Little {
        return;
    }
    let kind = |piece: &Piece<'_>| piece.tag.map(|tag| tag.kind);
    // Spaces before the text would begin a block of code.
    let first = pieces.iter().position(|piece| !piece.text.is_empty()).unwrap_or(0);
    for number in first + 1..pieces.len() {
        let (before, after) = (&pieces[number - 1], &pieces[number]);
        let (left, right) = (kind(before), kind(after));
        let is_inside = left == Some(TagKind::Open) || right == Some(TagKind::Close);
        let is_text = left.is_none() && right.is_none();
        let is_spaced = before.text.ends_with(' ') || after.text.starts_with(' ');
        if !is_text && !is_spaced && (apart == Apart::Everywhere || !is_inside) {
            pieces[number - 1].text.push(' ');
        }
    }
}

/// Writes all emphasis as elements, be its other half in this text or in another.
fn write_elements(pieces: &mut [Piece<'_>]) {
    for piece in pieces.iter_mut().filter(|piece| is_emphasis(&piece.text)) {
        let (open, close) = otherwise(&piece.text, true);
        match piece.tag.map(|tag| tag.kind) {
            Some(TagKind::Open) => piece.text = open,
            Some(TagKind::Close) => piece.text = close,
            _ => {}
        }
    }
}

/// Writes emphasis otherwise where its marks would not be read as such: with the other mark, or as
/// an element.
fn mend_emphasis(pieces: &mut [Piece<'_>]) {
    /// Marks depend on those beside them, so what is mended may make more necessary.
    const ROUNDS: usize = 6;
    let pairs = emphasis(pieces);
    for round in 0..ROUNDS {
        let read = if pairs.is_empty() { HashSet::new() } else { read_emphasis(pieces) };
        let is_lost =
            |pair: &&(usize, usize)| is_emphasis(&pieces[pair.0].text) && !read.contains(*pair);
        let lost: Vec<(usize, usize)> = pairs.iter().filter(is_lost).copied().collect();
        if lost.is_empty() {
            return;
        }
        for (first, last) in lost {
            let (open, close) = otherwise(&pieces[first].text, round + 1 == ROUNDS);
            (pieces[first].text, pieces[last].text) = (open, close);
        }
    }
}

fn is_emphasis(mark: &str) -> bool {
    matches!(mark, "*" | "_" | "**" | "__" | "~~" | "~")
}

/// The marks that begin and end emphasis, by the numbers of their pieces.
fn emphasis(pieces: &[Piece<'_>]) -> Vec<(usize, usize)> {
    let (mut open, mut pairs): (Vec<usize>, Vec<(usize, usize)>) = Default::default();
    for (number, piece) in pieces.iter().enumerate() {
        match piece.tag.map(|tag| tag.kind) {
            Some(TagKind::Open) => open.push(number),
            Some(TagKind::Close) => {
                let is_pair =
                    |first: &usize| is_emphasis(&piece.text) && pieces[*first].text == piece.text;
                pairs.extend(open.pop().filter(is_pair).map(|first| (first, number)));
            }
            _ => {}
        }
    }
    pairs
}

/// The pairs of marks that the parser finds where they stand.
fn read_emphasis(pieces: &[Piece<'_>]) -> HashSet<(usize, usize)> {
    // To emphasis all else is letters, spaces and other marks; and it is not to begin a block.
    let mut shape = String::from("x ");
    let mut places: HashMap<usize, usize> = HashMap::new();
    for (number, Piece { text, tag }) in pieces.iter().enumerate() {
        if tag.is_some() && is_emphasis(text) {
            places.insert(shape.len(), number);
            shape.push_str(text);
            continue;
        }
        shape.extend(text.chars().map(|c| match c {
            c if c.is_alphanumeric() || is_combining_mark(c) => 'x',
            c if c.is_whitespace() => ' ',
            c if c.is_ascii() => '.',
            c => c,
        }));
    }
    shape.push_str(" x");
    let mut found = HashSet::new();
    for (event, range) in Parser::new_ext(&shape, Options::ENABLE_STRIKETHROUGH).into_offset_iter()
    {
        let length = match event {
            Event::Start(Element::Emphasis) => 1,
            Event::Start(Element::Strong) => 2,
            Event::Start(Element::Strikethrough) => {
                1 + usize::from(shape[range.clone()].starts_with("~~"))
            }
            _ => continue,
        };
        let ends = [range.start, range.end - length].map(|at| places.get(&at).copied());
        if let [Some(first), Some(last)] = ends {
            found.insert((first, last));
        }
    }
    found
}

/// Another way to write emphasis; as elements it is read anywhere.
fn otherwise(mark: &str, as_element: bool) -> (String, String) {
    if mark.starts_with('_') && !as_element {
        let stars = "*".repeat(mark.len());
        return (stars.clone(), stars);
    }
    let name = match mark {
        "~~" | "~" => "del",
        "*" | "_" => "em",
        _ => "strong",
    };
    (format!("<{name}>"), format!("</{name}>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Inline;

    fn written(text: &str, tags: &[(usize, &str, TagKind)], prefix: &str) -> String {
        let tag =
            |&(at, markup, kind): &(usize, &str, TagKind)| Tag { at, markup: markup.into(), kind };
        let inline = Inline { tags: tags.iter().map(tag).collect(), kept: Vec::new() };
        markdown(&Marked { text: text.into(), inline }, prefix)
    }

    #[test]
    fn only_what_is_markup_is_escaped() {
        for (text, prefix, expected) in [
            (
                "5 * 3, snake_case, C#, [sic] and 1 < 2 & x",
                "",
                "5 * 3, snake_case, C#, [sic] and 1 < 2 & x",
            ),
            ("a *b* and _c_ d", "", "a \\*b\\* and \\_c\\_ d"),
            ("one * and *two", "", "one * and \\*two"),
            ("1. First", "", "1\\. First"),
            ("1. First", "# ", "1. First"),
            ("[x] done", "- ", "\\[x] done"),
            ("The \"day\"", "!!! note \"", "The &quot;day&quot;"),
            ("A [b]", ":::tip[", "A &#91;b&#93;"),
            ("# No", "> ", "\\# No"),
            ("- no", "", "\\- no"),
            ("a | b", "| ", "a \\| b"),
            ("a | b", "", "a | b"),
            ("see [a](b) and [^1]", "", "see [a\\](b) and \\[^1]"),
            ("<b> &amp; \\*", "", "\\<b> &amp;amp; \\\\*"),
            ("`a_b_` https://x.org/a_b_c_ {a_b}", "", "`a_b_` https://x.org/a_b_c_ {a_b}"),
        ] {
            assert_eq!(written(text, &[], prefix), expected);
        }
    }

    #[test]
    fn emphasis_is_read_as_such() {
        use TagKind::{Close, Open};
        let bold = |text: &str, start, end, mark| {
            written(text, &[(start, mark, Open), (end, mark, Close)], "")
        };
        assert_eq!(bold("a bc d", 2, 4, "**"), "a **bc** d");
        assert_eq!(bold("a \"b\"c", 2, 5, "**"), "a <strong>\"b\"</strong>c");
        assert_eq!(bold("abc", 1, 2, "_"), "a*b*c");
        assert_eq!(bold("a (b) c", 2, 5, "_"), "a _(b)_ c");
    }
}
