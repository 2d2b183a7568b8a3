//! The segments of a file, with the places of what may change.

use super::content::{attribute, attribute_place, events};
use crate::error::{Error, Result};
use quick_xml::events::Event;
use std::ops::Range;

/// Depth of elements from which on a file is no file of segments.
const DEEPEST: usize = 200;

/// States of a target that is still to be translated.
const OPEN: [&str; 5] = ["new", "needs-translation", "needs-l10n", "needs-adaptation", "initial"];

/// An attribute that may be set.
pub(super) struct Slot {
    /// Where its value stands, or where it would be put.
    pub place: Range<usize>,
    pub name: &'static str,
    pub value: Option<String>,
}

/// A source and its target.
#[derive(Default)]
pub(super) struct Segment {
    /// The content that is translated.
    pub source: Range<usize>,
    /// Where a target would be put.
    after: usize,
    /// The element's target, all of it and its content.
    target: Option<(Range<usize>, Range<usize>)>,
    /// The start tag of its segment, in version 2.
    tag: Range<usize>,
    state: Option<String>,
    stays: bool,
}

/// What a file holds.
pub(super) struct Found {
    pub segments: Vec<Segment>,
    /// Whether it is of version 2.
    pub is_two: bool,
    /// Its target languages.
    pub languages: Vec<Slot>,
    /// Whether any target has text.
    pub has_targets: bool,
}

impl Segment {
    /// Whether the segment is to be translated.
    pub fn is_wanted(&self, text: &str) -> bool {
        let target = self.target.as_ref().map_or("", |(_, inner)| text[inner.clone()].trim());
        let is_open = self.state.as_deref().is_some_and(|state| OPEN.contains(&state));
        let is_copy = target == text[self.source.clone()].trim();
        !self.stays && !self.source.is_empty() && (target.is_empty() || is_open || is_copy)
    }

    /// The changes that give it this target.
    pub fn patches(&self, text: &str, new: &str, is_two: bool) -> Vec<(Range<usize>, String)> {
        let state = if is_two {
            ""
        } else {
            " state=\"needs-review-translation\" state-qualifier=\"leveraged-mt\""
        };
        let element = format!("<target{state}>{new}</target>");
        let mut out = match &self.target {
            Some((whole, _)) => {
                let tag = &text[whole.clone()];
                let language = attribute(tag, "xml:lang");
                let language = language.map_or(String::new(), |l| format!(" xml:lang=\"{l}\""));
                vec![(whole.clone(), element.replacen("<target", &format!("<target{language}"), 1))]
            }
            None => {
                // On a line of its own where its source is.
                let before = &text[..self.after];
                let line = before.rfind('\n').map_or("", |at| &before[at..]);
                let indent = &line[..line.len() - line.trim_start().len()];
                vec![(self.after..self.after, format!("{indent}{element}"))]
            }
        };
        if is_two {
            let tag = &text[self.tag.clone()];
            match attribute_place(tag, "state") {
                Some(place) => {
                    let start = self.tag.start;
                    out.push((start + place.start..start + place.end, "translated".into()));
                }
                None => {
                    let at = self.tag.start + "<segment".len();
                    out.push((at..at, " state=\"translated\"".into()));
                }
            }
        }
        out
    }
}

/// Finds the segments of a file.
///
/// # Errors
/// When it is no XLIFF.
pub(super) fn read(text: &str) -> Result<Found> {
    let mut found =
        Found { segments: Vec::new(), is_two: false, languages: Vec::new(), has_targets: false };
    let mut scan = Scan { text, path: Vec::new(), segment: None, content: 0 };
    let mut has_root = false;
    events(text, |event, place| {
        match event {
            Event::Start(tag) => {
                let name = tag.local_name().as_ref().to_string();
                has_root |= name == "xliff";
                if scan.path.len() > DEEPEST {
                    return Err(Error::input("", "has elements too deep inside of each other"));
                }
                scan.start(name, place, &mut found);
            }
            Event::Empty(tag) => {
                let name = tag.local_name().as_ref().to_string();
                if name == "target" {
                    scan.start(name, place.clone(), &mut found);
                    scan.end(place.end..place.end, &mut found);
                }
            }
            Event::End(_) => scan.end(place, &mut found),
            _ => {}
        }
        Ok(())
    })?;
    match (has_root, scan.path.is_empty()) {
        (false, _) => Err(Error::input("", "is no XLIFF: expected an element <xliff>")),
        (true, false) => Err(Error::input("", "is not complete; it may have been cut off")),
        (true, true) => Ok(found),
    }
}

struct Scan<'a> {
    text: &'a str,
    /// Open elements: name, whether what is in them stays, the place of their start tag.
    path: Vec<(String, bool, Range<usize>)>,
    segment: Option<Segment>,
    /// Where the content of a source or target begins.
    content: usize,
}

impl Scan<'_> {
    fn start(&mut self, name: String, place: Range<usize>, found: &mut Found) {
        let tag = &self.text[place.clone()];
        let above = self.path.last().is_some_and(|(_, stays, _)| *stays);
        let own = match attribute(tag, "translate") {
            Some("no") => true,
            Some("yes") => false,
            _ => above,
        };
        let stays = own || attribute(tag, "approved") == Some("yes") && name == "trans-unit";
        let mut language = |name: &'static str| {
            let value = attribute_place(tag, name);
            let end = place.end - if tag.ends_with("/>") { 2 } else { 1 };
            let at = value.clone().map_or(end..end, |v| place.start + v.start..place.start + v.end);
            found.languages.push(Slot { place: at, name, value: value.map(|v| tag[v].into()) });
        };
        match name.as_str() {
            "xliff" => {
                found.is_two = attribute(tag, "version").is_some_and(|v| v.starts_with('2'));
                if found.is_two {
                    language("trgLang");
                }
            }
            "file" if !found.is_two => language("target-language"),
            "trans-unit" | "segment" => {
                let state = attribute(tag, "state").map(String::from);
                let is_done = state.as_deref().is_some_and(|s| matches!(s, "reviewed" | "final"));
                let stays = stays || is_done;
                self.segment =
                    Some(Segment { tag: place.clone(), state, stays, ..Segment::default() });
            }
            "source" | "target" | "seg-source" => self.content = place.end,
            _ => {}
        }
        let is_target = name == "target" && self.is_in_segment();
        if let Some(segment) = self.segment.as_mut().filter(|_| is_target) {
            segment.state = attribute(tag, "state").map(String::from).or(segment.state.take());
        }
        self.path.push((name, stays, place));
    }

    /// Whether the innermost element stands in a segment itself, and not in a proposal beside it.
    fn is_in_segment(&self) -> bool {
        let above = self.path.last().map_or("", |(name, ..)| name.as_str());
        matches!(above, "trans-unit" | "segment")
    }

    fn end(&mut self, place: Range<usize>, found: &mut Found) {
        let Some((name, _, tag)) = self.path.pop() else { return };
        let is_inside = self.is_in_segment();
        match (name.as_str(), &mut self.segment) {
            ("source" | "seg-source", Some(segment)) if is_inside => {
                segment.source = self.content.min(place.start)..place.start;
                segment.after = place.end;
            }
            ("target", Some(segment)) if is_inside => {
                let inner = self.content.min(place.start)..place.start;
                found.has_targets |= !self.text[inner.clone()].trim().is_empty();
                segment.target = Some((tag.start..place.end, inner));
            }
            ("trans-unit" | "segment", _) => found.segments.extend(self.segment.take()),
            _ => {}
        }
    }
}
