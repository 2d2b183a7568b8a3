//! The content of a source: text, and elements as tags.

use super::super::pairs::paired;
use crate::error::{Error, Result};
use crate::types::{Inline, Inner, Marked, Tag, TagKind};
use quick_xml::Reader;
use quick_xml::events::Event;

/// A text of a source: all of it, or one of the segments that it is divided into.
pub(super) struct Part<'a> {
    /// White space, and the beginning of the segment's mark.
    pub before: &'a str,
    pub marked: Marked,
    pub after: &'a str,
    /// The text as it is written.
    pub raw: &'a str,
}

/// Elements whose content is code of the original format.
const CODES: [&str; 6] = ["ph", "bpt", "ept", "it", "sub", "cp"];

/// The texts of a source, one after the other.
///
/// # Errors
/// When an element is no element.
pub(super) fn parts(source: &str) -> Result<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut at = 0;
    for (inner, end) in segments(source)? {
        parts.push(part(
            &source[at..inner.start],
            &source[inner.clone()],
            &source[inner.end..end],
        )?);
        at = end;
    }
    if parts.is_empty() || !source[at..].trim().is_empty() {
        parts.push(part("", &source[at..], "")?);
    }
    Ok(parts)
}

/// The segments of a source that is divided: the place of what is in each, and where its mark ends.
fn segments(source: &str) -> Result<Vec<(std::ops::Range<usize>, usize)>> {
    let mut found = Vec::new();
    if !source.contains("mtype=\"seg\"") {
        return Ok(found);
    }
    let (mut depth, mut start) = (0usize, None);
    events(source, |event, place| {
        match event {
            Event::Start(tag) => {
                let is_seg =
                    depth == 0 && attribute(&source[place.clone()], "mtype") == Some("seg");
                if is_seg && tag.local_name().as_ref() == "mrk" {
                    start = Some(place.end);
                }
                depth += 1;
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                if let Some(start) = start.take_if(|_| depth == 0) {
                    found.push((start..place.start, place.end));
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn part<'a>(before: &'a str, raw: &'a str, after: &'a str) -> Result<Part<'a>> {
    let marked = marked(raw.trim())?;
    Ok(Part { before, marked, after, raw })
}

/// Text and tags.
fn marked(source: &str) -> Result<Marked> {
    let (mut text, mut tags, mut kept) = (String::new(), Vec::new(), Vec::new());
    // Open elements: names, and where a part that is kept began.
    let mut open: Vec<(String, Option<usize>)> = Vec::new();
    // The code whose element is open: its start, and its depth.
    let mut code: Option<(usize, usize)> = None;
    let mut depth = 0usize;
    events(source, |event, place| {
        let raw = &source[place.clone()];
        match event {
            Event::Start(tag) => {
                depth += 1;
                let name = tag.local_name().as_ref().to_string();
                if code.is_some() {
                    return Ok(());
                }
                if CODES.contains(&name.as_str()) {
                    code = Some((place.start, depth));
                    return Ok(());
                }
                let is_kept = attribute(raw, "mtype") == Some("protected")
                    || attribute(raw, "translate") == Some("no");
                open.push((name.clone(), is_kept.then_some(text.len())));
                let kind = TagKind::Open;
                tags.push((
                    Tag { at: text.len(), markup: raw.into(), kind },
                    format!("{name}{depth}"),
                ));
            }
            Event::End(tag) => {
                let name = tag.local_name().as_ref().to_string();
                let ends_code = code.filter(|(_, at)| *at == depth);
                depth = depth.saturating_sub(1);
                if let Some((start, _)) = ends_code {
                    code = None;
                    let markup = &source[start..place.end];
                    tags.push(standing(markup, &name, text.len()));
                } else if code.is_none() {
                    if let Some((_, Some(start))) = open.pop() {
                        kept.extend((start < text.len()).then_some(start..text.len()));
                    }
                    let key = format!("{name}{}", depth + 1);
                    let kind = TagKind::Close;
                    tags.push((Tag { at: text.len(), markup: raw.into(), kind }, key));
                }
            }
            Event::Empty(tag) if code.is_none() => {
                let name = tag.local_name().as_ref().to_string();
                tags.push(standing(raw, &name, text.len()));
            }
            Event::Text(_) | Event::GeneralRef(_) if code.is_none() => {
                let plain = quick_xml::escape::unescape(raw)
                    .map_err(|e| Error::input("", format!("is no XML that can be read: {e}")))?;
                text.push_str(&one_line(&plain));
            }
            Event::CData(_) if code.is_none() => {
                let data = raw.trim_start_matches("<![CDATA[").trim_end_matches("]]>");
                text.push_str(&one_line(data));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(Marked { text, inline: Inline { tags: paired(tags), kept } })
}

/// Text with its line breaks as spaces: those of a file that is laid out to be read.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.truncate(out.trim_end().len());
            out.push(' ');
        }
        out.push_str(if number > 0 { line.trim_start() } else { line.trim_end_matches('\r') });
    }
    out
}

/// An element that stands by itself, or is one end of a span.
fn standing(markup: &str, name: &str, at: usize) -> (Tag, String) {
    let kind = match name {
        "bpt" | "bx" | "sc" | "sm" => TagKind::Open,
        "ept" | "ex" | "ec" | "em" => TagKind::Close,
        _ => TagKind::Point,
    };
    let key = attribute(markup, "rid")
        .or(attribute(markup, "startRef"))
        .or(attribute(markup, "i"))
        .or(attribute(markup, "id"));
    (Tag { at, markup: markup.into(), kind }, format!("#{}", key.unwrap_or_default()))
}

/// The value of an attribute in a tag, as it is written.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let place = attribute_place(tag, name)?;
    Some(&tag[place])
}

/// The place of that value.
pub(super) fn attribute_place(tag: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let head = &tag[..tag.find('>').map_or(tag.len(), |end| end)];
    for (at, _) in head.match_indices(name) {
        let before = head[..at].ends_with(char::is_whitespace);
        let rest = head[at + name.len()..].trim_start();
        let Some(value) = rest.strip_prefix('=').map(str::trim_start).filter(|_| before) else {
            continue;
        };
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let start = head.len() - value.len() + 1;
        let end = tag[start..].find(quote)?;
        return Some(start..start + end);
    }
    None
}

/// The events of a piece of XML with their places.
///
/// # Errors
/// When it is no XML, and those of `each`.
pub(super) fn events(
    source: &str,
    mut each: impl FnMut(Event<'_>, std::ops::Range<usize>) -> Result<()>,
) -> Result<()> {
    let bad = |e: &dyn std::fmt::Display| {
        Error::input("", format!("is no XML that can be read: {e}; it may have been cut off"))
    };
    let mut reader = Reader::from_str(source);
    let mut at = 0;
    loop {
        let event = reader.read_event().map_err(|e| bad(&e))?;
        let end = usize::try_from(reader.buffer_position()).unwrap_or(source.len());
        match event {
            Event::Eof => return Ok(()),
            Event::DocType(ref text) if text.contains('[') => {
                let message = "declares entities of its own, which is refused";
                return Err(Error::input("", message));
            }
            event => each(event, at..end)?,
        }
        at = end;
    }
}

/// A text as XML.
pub(super) fn written(marked: &Marked) -> String {
    let steps = marked.inline.steps(&marked.text);
    let shown = steps.map(|step| match step {
        Inner::Tag(tag) => tag.markup.clone(),
        Inner::Text(text) => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
    });
    shown.collect()
}
