//! Lines of printed pages with their places, out of what poppler's `pdftotext -bbox-layout` writes:
//! `page`, `flow`, `block`, `line` and `word` elements, each word with its box.
//!
//! <https://manpages.debian.org/stable/poppler-utils/pdftotext.1.en.html>

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Its height, in points.
    pub(super) height: f32,
    /// Its lines in reading order.
    pub(super) lines: Vec<Line>,
}

/// A line of a page. Lengths are in points, from the page's upper left corner.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    /// Its words, with a space between two.
    pub(super) text: String,
    pub(super) left: f32,
    pub(super) right: f32,
    pub(super) top: f32,
    pub(super) bottom: f32,
    /// Number of its block: an area of lines that stand together.
    pub(super) block: usize,
}

impl Line {
    /// The height of its letters.
    pub(super) fn height(&self) -> f32 {
        (self.bottom - self.top).max(1.0)
    }
}

/// The pages of a description; as many as could be read where it is broken.
pub(super) fn pages(xml: &str) -> Vec<Page> {
    let mut reader = Reader::from_str(xml);
    let mut pages: Vec<Page> = Vec::new();
    let mut line: Option<Line> = None;
    let (mut block, mut in_word) = (0, false);
    loop {
        match reader.read_event() {
            Err(_) | Ok(Event::Eof) => return pages,
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                "page" => pages.push(Page { height: number(&tag, "height"), lines: Vec::new() }),
                "block" => block += 1,
                "line" => {
                    line = Some(Line {
                        left: number(&tag, "xMin"),
                        right: number(&tag, "xMax"),
                        top: number(&tag, "yMin"),
                        bottom: number(&tag, "yMax"),
                        block,
                        text: String::new(),
                    });
                }
                "word" => {
                    if let Some(line) = line.as_mut().filter(|line| !line.text.is_empty()) {
                        line.text.push(' ');
                    }
                    in_word = true;
                }
                _ => {}
            },
            Ok(Event::End(tag)) => match tag.local_name().as_ref() {
                "line" => {
                    let done = line.take().filter(|line| !line.text.trim().is_empty());
                    if let (Some(page), Some(line)) = (pages.last_mut(), done) {
                        page.lines.push(line);
                    }
                }
                "word" => in_word = false,
                _ => {}
            },
            Ok(Event::Text(text)) if in_word => {
                if let Some(line) = &mut line {
                    line.text.push_str(&text);
                }
            }
            Ok(Event::GeneralRef(name)) if in_word => {
                let written = format!("&{};", &*name);
                if let (Some(line), Ok(text)) = (&mut line, quick_xml::escape::unescape(&written)) {
                    line.text.push_str(&text);
                }
            }
            Ok(_) => {}
        }
    }
}

/// An attribute that is a number; zero where it is none.
fn number(tag: &BytesStart<'_>, name: &str) -> f32 {
    let value = tag.try_get_attribute(name).ok().flatten();
    let value = value.and_then(|value| value.value.parse().ok());
    value.filter(|value: &f32| value.is_finite()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_lines_with_their_places() {
        let xml = r#"<html><head><title>x</title></head><body><doc><page width="595.0" height="842.0">
            <flow><block xMin="1"><line xMin="56.5" yMin="28" xMax="90" yMax="35.5">
            <word xMin="56">L&#233;a</word><word>&amp;</word> <word>Co</word></line></block>
            <block><line xMin="nan" yMin="-1"><word> </word></line><line><word>b</word></line></block>"#;
        let found = pages(xml);
        assert_eq!((found.len(), found[0].height), (1, 842.0));
        let [first, second] = &found[0].lines[..] else { panic!("{found:?}") };
        assert_eq!((first.text.as_str(), first.left, first.block), ("Léa & Co", 56.5, 1));
        assert_eq!(first.height(), 7.5);
        assert_eq!((second.text.as_str(), second.block), ("b", 2));
        assert!(pages("no pages").is_empty() && pages("<page><line></page>").len() == 1);
    }
}
