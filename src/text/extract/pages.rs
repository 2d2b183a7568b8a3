//! Printed pages: paragraphs out of lines with places. Lines that a page break or a column's end
//! divides are one paragraph again, words that were divided at the end of a line one word; what
//! stands on every page, and page numbers, are left out.

mod lines;

use super::found::{Found, join_line, one_line};
use super::ledger::Ledger;
use super::wraps::ends_sentence;
use crate::types::{Block, BlockKind, Removal};
use lines::{Line, Page, pages};
use std::collections::{HashMap, HashSet};

/// Share of a page's height at its top and bottom in which running heads stand.
const MARGIN: f32 = 0.1;
/// Letters so much larger than the text's are a heading's.
const LARGER: f32 = 1.12;
/// Longest heading, in characters.
const LONGEST_HEADING: usize = 250;

/// Reads what poppler's `pdftotext -bbox-layout` says of a file's pages.
pub(super) fn read(xml: &str) -> Found {
    let mut removed = Ledger::default();
    let mut pages = pages(xml);
    drop_margins(&mut pages, &mut removed);
    let body = usual(pages.iter().flat_map(|page| &page.lines).map(weighed_height));
    let hyphenated = hyphenated(&pages);
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        for area in page.lines.chunk_by(|a, b| a.block == b.block) {
            let area = Area::of(area);
            for (i, line) in area.lines.iter().enumerate() {
                let goes_on = match paragraphs.last() {
                    None => false,
                    Some(open) if i > 0 => open.is_like(line) && !area.begins_at(i),
                    Some(open) => open.is_like(line) && open.goes_on(line),
                };
                match paragraphs.last_mut() {
                    Some(open) if goes_on => open.push(line, &hyphenated),
                    _ => paragraphs.push(Paragraph::of(line, number)),
                }
            }
        }
    }
    let title = title(&paragraphs, body);
    let blocks = paragraphs.iter().map(|paragraph| paragraph.block(body)).collect();
    Found { title, blocks, removed, ..Found::default() }
}

/// Leaves out what stands in the margins of many pages, digits aside, and numbers of pages.
fn drop_margins(pages: &mut [Page], removed: &mut Ledger) {
    let mut seen: HashMap<String, HashSet<usize>> = HashMap::new();
    for (number, page) in pages.iter().enumerate() {
        for line in page.lines.iter().filter(|line| is_marginal(line, page.height)) {
            seen.entry(without_numbers(&line.text)).or_default().insert(number);
        }
    }
    // Heads of left and right pages differ, and the first page has none.
    let many = (pages.len() / 3).max(2);
    for page in pages {
        let height = page.height;
        page.lines.retain(|line| {
            let key = without_numbers(&line.text);
            let is_number = !key.contains(char::is_alphabetic);
            let repeats = seen.get(&key).is_some_and(|pages| pages.len() >= many);
            let furniture = is_marginal(line, height) && (is_number || repeats);
            if furniture {
                removed.add(Removal::Margin, &line.text);
            }
            !furniture
        });
    }
}

fn is_marginal(line: &Line, height: f32) -> bool {
    line.bottom < height * MARGIN || line.top > height * (1.0 - MARGIN)
}

/// A line as it is on other pages, too.
fn without_numbers(text: &str) -> String {
    let lower = text.chars().filter(|c| !c.is_numeric()).flat_map(char::to_lowercase);
    one_line(&lower.collect::<String>())
}

/// The words that are written with a hyphen inside of a line, in lower case.
fn hyphenated(pages: &[Page]) -> HashSet<String> {
    let words = pages.iter().flat_map(|page| &page.lines).flat_map(|l| l.text.split_whitespace());
    let inside = |word: &&str| word.trim_end_matches('-').contains('-');
    words.map(bare).filter(inside).map(str::to_lowercase).collect()
}

/// A word without the marks around it, and without what an apostrophe joins to it.
fn bare(word: &str) -> &str {
    let word = word.rsplit(['’', '\'']).next().unwrap_or(word);
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-')
}

/// The height that most letters have, in points, of heights with their numbers of letters.
fn usual(heights: impl Iterator<Item = (f32, usize)>) -> f32 {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for (height, letters) in heights {
        *counts.entry(tenths(height)).or_default() += letters;
    }
    let most = counts.into_iter().max_by_key(|&(height, letters)| (letters, height));
    most.map_or(0.0, |(height, _)| height as f32 / 10.0)
}

fn weighed_height(line: &Line) -> (f32, usize) {
    (line.height(), line.text.chars().count())
}

/// A length in tenths of a point; lengths from files are not trusted to fit.
fn tenths(length: f32) -> u32 {
    (length * 10.0).round().clamp(0.0, 1e6) as u32
}

/// Lines that stand together: a column, or a part of it.
struct Area<'a> {
    lines: &'a [Line],
    left: f32,
    right: f32,
    /// The usual distance from one line to the next.
    pitch: f32,
}

impl<'a> Area<'a> {
    fn of(lines: &'a [Line]) -> Area<'a> {
        let left = lines.iter().map(|line| line.left).fold(f32::INFINITY, f32::min);
        let right = lines.iter().map(|line| line.right).fold(0.0, f32::max);
        let pitches = lines.windows(2).map(|pair| ((pair[1].top - pair[0].top).max(0.0), 1));
        Area { lines, left, right, pitch: usual(pitches) }
    }

    /// Whether a paragraph begins with that line, the first one aside: it is indented, set off, or
    /// the line before it ends a sentence with room to spare.
    fn begins_at(&self, i: usize) -> bool {
        let (before, line) = (&self.lines[i - 1], &self.lines[i]);
        let em = line.height();
        let indent =
            |line: &Line| line.left - self.left > em * 0.6 && line.left - self.left < em * 4.0;
        let gap = line.top - before.top;
        let room = self.right - before.right;
        let first = line.text.split(' ').next().unwrap_or_default().chars().count() as f32;
        is_bullet(&line.text)
            || indent(line) && !indent(before)
            || gap > self.pitch * 1.3
            || ends_sentence(&before.text) && room > em * 0.5 * (first + 2.0)
    }
}

fn is_bullet(text: &str) -> bool {
    ["•", "▪", "–", "—", "*", "-"].iter().any(|b| text.starts_with(&format!("{b} ")))
}

/// A paragraph in the making.
struct Paragraph {
    text: String,
    height: f32,
    page: usize,
}

impl Paragraph {
    fn of(line: &Line, page: usize) -> Paragraph {
        Paragraph { text: line.text.clone(), height: line.height(), page }
    }

    /// Whether a line's letters have the size of this paragraph's.
    fn is_like(&self, line: &Line) -> bool {
        (line.height() / self.height).max(self.height / line.height()) < LARGER
    }

    /// Whether a sentence goes on in the first line of the next area, on the next page perhaps.
    fn goes_on(&self, line: &Line) -> bool {
        let open = !ends_sentence(&self.text) && !self.text.ends_with(':');
        open && line.text.starts_with(char::is_lowercase) && !is_bullet(&line.text)
    }

    /// Adds a line. A hyphen at the end of the one before it divides a word, unless that word is
    /// written with one elsewhere.
    fn push(&mut self, line: &Line, hyphenated: &HashSet<String>) {
        let small = line.text.starts_with(char::is_lowercase);
        let open = match self.text.strip_suffix(['-', '\u{ad}', '\u{2010}']) {
            Some(open) if small && open.ends_with(char::is_alphabetic) => open,
            _ => return join_line(&mut self.text, &line.text),
        };
        let (head, tail) = (open.rsplit(' ').next(), line.text.split(' ').next());
        let whole = format!("{}-{}", head.unwrap_or_default(), tail.unwrap_or_default());
        if !hyphenated.contains(&bare(&whole).to_lowercase()) {
            self.text.truncate(open.len());
        }
        self.text.push_str(&line.text);
    }

    /// Whether it is a heading over text whose letters have that height.
    fn is_heading(&self, body: f32) -> bool {
        self.height >= body * LARGER && self.text.chars().count() <= LONGEST_HEADING
    }

    fn block(&self, body: f32) -> Block {
        let text = one_line(&self.text);
        let marked = text.split_once(' ').filter(|_| is_bullet(&text));
        let (kind, prefix, text) = match marked {
            _ if self.is_heading(body) => (BlockKind::Heading, "## ", text),
            Some((_, item)) => (BlockKind::Item, "- ", item.to_string()),
            None => (BlockKind::Paragraph, "", text),
        };
        Block { kind, prefix: prefix.into(), text, suffix: "\n\n".into(), ..Block::default() }
    }
}

/// The title: what is written largest on the first page with text, and larger than the text.
fn title(paragraphs: &[Paragraph], body: f32) -> Option<String> {
    let first = paragraphs.first()?.page;
    let on_first = paragraphs.iter().take_while(|paragraph| paragraph.page == first);
    let headings = on_first.filter(|paragraph| {
        paragraph.is_heading(body)
            && paragraph.text.chars().filter(|c| c.is_alphabetic()).count() > 3
    });
    // The first of several that are equally large.
    let largest = headings.reduce(|a, b| if b.height > a.height * 1.02 { b } else { a })?;
    Some(one_line(&largest.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line: left edge, top, height of letters, text; each letter is half as wide as it is high.
    type Printed<'a> = (f32, f32, f32, &'a str);

    /// Pages of areas of lines.
    fn written(pages: &[&[&[Printed<'_>]]]) -> String {
        let word = |text: &str| format!("<word>{}</word>", quick_xml::escape::escape(text));
        let line = |&(left, top, height, text): &Printed<'_>| {
            let right = left + text.chars().count() as f32 * height * 0.5;
            let words: String = text.split(' ').map(word).collect();
            let bottom = top + height;
            format!(
                "<line xMin=\"{left}\" yMin=\"{top}\" xMax=\"{right}\" yMax=\"{bottom}\">{words}</line>"
            )
        };
        let area = |area: &&[Printed<'_>]| {
            format!("<block>{}</block>", area.iter().map(line).collect::<String>())
        };
        let page = |page: &&[&[Printed<'_>]]| {
            let areas: String = page.iter().map(area).collect();
            format!("<page width=\"600\" height=\"800\"><flow>{areas}</flow></page>")
        };
        format!(
            "<html><body><doc>{}</doc></body></html>",
            pages.iter().map(page).collect::<String>()
        )
    }

    fn texts(found: &Found) -> Vec<&str> {
        found.blocks.iter().map(|block| block.text.as_str()).collect()
    }

    #[test]
    fn paragraphs_go_on_over_columns_and_pages() {
        let xml = written(&[
            &[
                &[(50., 30., 8., "La Gazette du Port")],
                &[(50., 90., 20., "Le pont"), (50., 114., 20., "est fermé")],
                &[
                    (60., 150., 10., "Le conseil a fermé le pont pour des tra-"),
                    (50., 162., 10., "vaux de longue durée, dit l’avant-projet."),
                    (60., 174., 10., "Le nouvel avant-"),
                ],
                &[
                    (300., 150., 10., "projet prévoit un bac qui partira toutes"),
                    (300., 162., 10., "les"),
                ],
                &[(280., 770., 8., "Page 1")],
            ],
            &[
                &[(50., 30., 8., "La Gazette du Port")],
                &[(50., 90., 10., "vingt minutes."), (50., 102., 10., "– d’abord le matin ;")],
                &[(280., 770., 8., "Page 2")],
            ],
        ]);
        let found = read(&xml);
        assert_eq!(found.title.as_deref(), Some("Le pont est fermé"));
        assert_eq!(
            texts(&found),
            [
                "Le pont est fermé",
                "Le conseil a fermé le pont pour des travaux de longue durée, dit l’avant-projet.",
                "Le nouvel avant-projet prévoit un bac qui partira toutes les vingt minutes.",
                "d’abord le matin ;",
            ]
        );
        let kinds: Vec<BlockKind> = found.blocks.iter().map(|block| block.kind).collect();
        use BlockKind::{Heading, Item, Paragraph};
        assert_eq!(kinds, [Heading, Paragraph, Paragraph, Item]);
        let removed = found.removed.entries();
        assert_eq!((removed[0].reason, removed[0].parts), (Removal::Margin, 4));
    }

    #[test]
    fn what_stands_on_one_page_alone_stays() {
        let top = [(50., 30., 10., "Am 3. Mai wird die Brücke geschlossen.")];
        let text = [(50., 200., 10., "Die Fähre fährt alle 20 Minuten.")];
        let xml = written(&[&[&top, &text], &[&text]]);
        assert_eq!(texts(&read(&xml)).len(), 3);
        // Without spaces between words.
        let xml = written(&[&[&[
            (50., 200., 10., "橋は月曜日から閉"),
            (50., 212., 10., "鎖されている。"),
        ]]]);
        assert_eq!(texts(&read(&xml)), ["橋は月曜日から閉鎖されている。"]);
    }

    #[test]
    fn broken_descriptions_give_what_can_be_read() {
        for xml in
            ["", "<page", "<page height=\"1e99\"><block><line yMax=\"-5\"><word>a</word></line>"]
        {
            let found = read(xml);
            assert!(found.blocks.len() <= 1, "{:?}", texts(&found));
        }
    }
}
