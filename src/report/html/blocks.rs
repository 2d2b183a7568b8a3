//! An article's text as HTML, its layout (headings, lists, quotations, code) kept.

use maud::{Markup, html};
use std::cmp::Reverse;
use std::ops::Range;

/// The text as HTML, with the doubtful ones of its sentences marked. Each block finds its own
/// writing direction, so that mixed languages stand right.
pub(super) fn blocks(text: &str, doubtful: &[&str]) -> Markup {
    let marked = |line: &str| marked(line, doubtful);
    html! {
        @for block in parse(text) {
            @match block {
                Block::Paragraph(lines) => { p dir="auto" { (joined(&lines, marked)) } }
                Block::Quotation(lines) => { blockquote dir="auto" { (joined(&lines, marked)) } }
                Block::Table(lines) => { pre dir="auto" { (joined(&lines, marked)) } }
                Block::Code(lines) => { pre dir="auto" { @for line in lines { (line) "\n" } } }
                Block::List(items) => {
                    ul dir="auto" { @for item in items { (list_item(item, marked)) "\n" } }
                }
                Block::Heading(line) => { h4 dir="auto" { (marked(line)) } }
                Block::Rule => { hr; }
            }
            "\n"
        }
    }
}

/// Lines of one block, which stay lines.
fn joined(lines: &[&str], marked: impl Fn(&str) -> Markup) -> Markup {
    html! { @for (i, line) in lines.iter().enumerate() { @if i > 0 { "\n" } (marked(line)) } }
}

fn list_item(item: &str, marked: impl Fn(&str) -> Markup) -> Markup {
    let numbered = item.starts_with(|c: char| c.is_ascii_digit()).then_some("numbered");
    html! { li dir="auto" class=[numbered] { (marked(item)) } }
}

/// A line with the sentences in it marked that a reader should look at twice.
fn marked(line: &str, sentences: &[&str]) -> Markup {
    with_marks(line, &places(line, sentences))
}

/// A text with some of its places marked, which are in order and apart from each other.
pub(super) fn with_marks(text: &str, places: &[Range<usize>]) -> Markup {
    let starts = std::iter::once(0).chain(places.iter().map(|place| place.end));
    let ends = places.iter().map(|place| place.start).chain([text.len()]);
    let mut marks = places.iter();
    html! {
        @for (start, end) in starts.zip(ends) {
            (text[start..end])
            @if let Some(place) = marks.next() { mark { (text[place.clone()]) } }
        }
    }
}

/// The places where one of the sentences stands in a line, in order, none within another.
fn places(line: &str, sentences: &[&str]) -> Vec<Range<usize>> {
    let goes_on = |one: Option<char>, other: Option<char>| {
        one.zip(other).is_some_and(|(a, b)| a.is_alphanumeric() && b.is_alphanumeric())
    };
    let is_whole = |place: &Range<usize>| {
        let (before, sentence, after) =
            (&line[..place.start], &line[place.clone()], &line[place.end..]);
        !goes_on(before.chars().next_back(), sentence.chars().next())
            && !goes_on(sentence.chars().next_back(), after.chars().next())
    };
    let texts =
        sentences.iter().map(|sentence| sentence.trim()).filter(|sentence| !sentence.is_empty());
    let all = texts.flat_map(|text| line.match_indices(text).map(|(at, text)| at..at + text.len()));
    let mut all: Vec<Range<usize>> = all.filter(is_whole).collect();
    all.sort_by_key(|place| (place.start, Reverse(place.end)));
    let mut end = 0;
    all.retain(|place| {
        let is_apart = place.start >= end;
        end = if is_apart { place.end } else { end };
        is_apart
    });
    all
}

/// An element of the page, with the lines of its text.
enum Block<'a> {
    Paragraph(Vec<&'a str>),
    Quotation(Vec<&'a str>),
    Table(Vec<&'a str>),
    Code(Vec<&'a str>),
    List(Vec<&'a str>),
    Heading(&'a str),
    Rule,
}

/// Gathers the lines of a text in blocks.
fn parse(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block> = Vec::new();
    // Whether the last block may go on: not after a blank line or at the start.
    let mut open = false;
    let mut in_code = false;
    for whole in text.lines() {
        let line = line(whole);
        if in_code {
            in_code = !matches!(line, Line::Fence);
            if let (true, Some(Block::Code(lines))) = (in_code, blocks.last_mut()) {
                lines.push(whole);
            }
            continue;
        }
        let last = blocks.last_mut().filter(|_| open);
        open = matches!(line, Line::Item(_) | Line::Quote(_) | Line::Row(_) | Line::Text(_));
        in_code = matches!(line, Line::Fence);
        match (line, last) {
            (Line::Blank, _) => {}
            (Line::Fence, _) => blocks.push(Block::Code(Vec::new())),
            (Line::Rule, _) => blocks.push(Block::Rule),
            (Line::Heading(text), _) => blocks.push(Block::Heading(text)),
            (Line::Item(text), Some(Block::List(lines)))
            | (Line::Quote(text), Some(Block::Quotation(lines)))
            | (Line::Row(text), Some(Block::Table(lines)))
            | (Line::Text(text), Some(Block::Paragraph(lines))) => lines.push(text),
            (Line::Item(text), _) => blocks.push(Block::List(vec![text])),
            (Line::Quote(text), _) => blocks.push(Block::Quotation(vec![text])),
            (Line::Row(text), _) => blocks.push(Block::Table(vec![text])),
            (Line::Text(text), _) => blocks.push(Block::Paragraph(vec![text])),
        }
    }
    blocks
}

/// A line by the characters that it begins with, and its text without them.
enum Line<'a> {
    Blank,
    Fence,
    Rule,
    Heading(&'a str),
    Item(&'a str),
    Quote(&'a str),
    Row(&'a str),
    Text(&'a str),
}

fn line(text: &str) -> Line<'_> {
    let trimmed = text.trim();
    let marks = trimmed.bytes().take_while(|&b| b == b'#').count();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = (1..=3).contains(&digits)
        && (trimmed[digits..].starts_with(". ") || trimmed[digits..].starts_with(") "));
    if trimmed.is_empty() {
        Line::Blank
    } else if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
        Line::Fence
    } else if trimmed.len() >= 3
        && (trimmed.bytes().all(|b| b == b'-') || trimmed.bytes().all(|b| b == b'*'))
    {
        Line::Rule
    } else if (1..=6).contains(&marks) && trimmed[marks..].starts_with(' ') {
        Line::Heading(trimmed[marks..].trim_start())
    } else if let Some(item) =
        ["- ", "* ", "+ ", "• "].iter().find_map(|mark| trimmed.strip_prefix(mark))
    {
        Line::Item(item.trim_start())
    } else if numbered {
        // The number is part of the text: it need not start at 1 or go on by 1.
        Line::Item(trimmed)
    } else if let Some(quoted) = trimmed.strip_prefix('>') {
        Line::Quote(quoted.trim_start())
    } else if trimmed.starts_with('|') && trimmed.ends_with('|') && trimmed.len() > 1 {
        Line::Row(trimmed)
    } else {
        Line::Text(trimmed)
    }
}

#[cfg(test)]
mod tests {
    fn html(text: &str, doubtful: &[&str]) -> String {
        super::blocks(text, doubtful).into_string()
    }

    #[test]
    fn layout_is_kept_and_everything_escaped() {
        let text = "First <b>line</b>\nsecond\n\n## A & B\n- one\n- two\n3. three\n\n> \
            said\n```\n<code>\n\n- x\n```\nlast\n---\n| a | b |";
        assert_eq!(
            html(text, &[]).replace(" dir=\"auto\"", ""),
            "<p>First &lt;b&gt;line&lt;/b&gt;\nsecond</p>\n<h4>A &amp; \
    B</h4>\n<ul><li>one</li>\n<li>two</li>\n<li class=\"numbered\">3. three</li>\n</ul>\n\
             <blockquote>said</blockquote>\n<pre>&lt;code&gt;\n\n- \
             x\n</pre>\n<p>last</p>\n<hr>\n<pre>| a | b |</pre>\n"
        );
        assert_eq!(html("```\nnever closed", &[]), "<pre dir=\"auto\">never closed\n</pre>\n");
        assert_eq!(
            html("###### ######\n#\n# \n12\n>\n", &[]),
            "<h4 dir=\"auto\">######</h4>\n<p dir=\"auto\">#\n#\n12</p>\n<blockquote \
             dir=\"auto\"></blockquote>\n"
        );
    }

    #[test]
    fn doubtful_sentences_are_marked_where_they_stand() {
        let text =
            "## 5 < 6\n\nOne. A < b. Two? A < b.\n- So 15 < 60\n- これは。変だ。\n\nA < b. One";
        let doubtful = ["A < b.", "5 < 6", "Two? A < b.", "変だ。", "", "Three."];
        assert_eq!(
            html(text, &doubtful).replace(" dir=\"auto\"", ""),
            "<h4><mark>5 &lt; 6</mark></h4>\n<p>One. <mark>A &lt; b.</mark> <mark>Two? A &lt; \
    b.</mark></p>\n\
             <ul><li>So 15 &lt; 60</li>\n<li>これは。<mark>変だ。</mark></li>\n</ul>\n<p><mark>A &lt; \
             b.</mark> One</p>\n"
        );
    }
}
