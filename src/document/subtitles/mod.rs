//! Subtitles: SubRip and WebVTT. What one speaker says is a text; a sentence that runs over several
//! cues is one too, with a tag at the end of each cue, and is divided over them again.

mod cues;
mod lines;
mod markup;
mod shares;

use super::encoded::{Editor, Encoded, Patched, line_end};
use super::{DocumentFormat, Edit, Settings};
use crate::error::{Error, Result};
use crate::types::{Block, Inline, Marked, Tag, TagKind};
use cues::Group;
use lines::{BORDER, LINES, Shape};
use markup::Part;
use std::ops::Range;

/// SubRip.
pub static SRT: DocumentFormat = DocumentFormat {
    name: "srt",
    extensions: &["srt"],
    detect: |head| starts_with_times(head, false),
    rewrite: |bytes, settings, edit| rewrite(bytes, settings, edit, false),
};

/// WebVTT.
pub static VTT: DocumentFormat = DocumentFormat {
    name: "vtt",
    extensions: &["vtt"],
    detect: |head| starts_with_times(head, true),
    rewrite: |bytes, settings, edit| rewrite(bytes, settings, edit, true),
};

/// Cues over which one sentence may run.
const MOST_CUES: usize = 8;
/// Characters that it may have.
const LONGEST: usize = 600;
/// Milliseconds after which it is not gone on with.
const LONGEST_PAUSE: i64 = 3000;
/// Tags in one cue from which on it is no text but an effect, which is left alone.
const MOST_TAGS: usize = 200;

fn starts_with_times(head: &[u8], is_vtt: bool) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    if is_vtt {
        return head.starts_with(b"WEBVTT");
    }
    let head = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let mut lines = head.lines().map(str::trim).filter(|line| !line.is_empty());
    let number = lines.next().is_some_and(|line| line.bytes().all(|b| b.is_ascii_digit()));
    number
        && lines.next().is_some_and(|line| cues::groups(&format!("{line}\nx"), false).count() == 1)
}

fn rewrite(
    bytes: &[u8],
    settings: &Settings,
    edit: &mut dyn FnMut(Block) -> Result<Edit>,
    is_vtt: bool,
) -> Result<Vec<u8>> {
    let file = Encoded::open(bytes, settings, |_| None)?;
    let text = file.text.as_str();
    if cues::groups(text, is_vtt).next().is_none() {
        let message = "holds no subtitles; expected times such as 00:00:01,000 --> 00:00:02,500, \
            and text below them";
        return Err(Error::input("", message));
    }
    let mut copy = Copy {
        text,
        is_vtt,
        is_punctuated: is_punctuated(text, is_vtt),
        patched: Patched::new(text),
        editor: Editor::new(edit),
        waiting: Vec::new(),
    };
    if let Some(place) = settings.to.as_ref().and_then(|_| language(text, is_vtt)) {
        let to = settings.to.as_ref().map_or("", |to| to.as_str());
        copy.patched.replace(place, to);
    }
    for group in cues::groups(text, is_vtt) {
        copy.take(group)?;
    }
    copy.flush()?;
    let has_changed = copy.editor.has_changed;
    let patched = copy.patched.finish();
    Ok(if has_changed { file.encode(&patched, true) } else { bytes.to_vec() })
}

/// The place of the language in the head of a WebVTT file.
fn language(text: &str, is_vtt: bool) -> Option<Range<usize>> {
    let head = &text[..text.find("\n\n").or_else(|| text.find("\r\n\r\n"))?];
    let at = head.find("\nLanguage:").filter(|_| is_vtt)? + "\nLanguage:".len();
    let rest = head[at..].lines().next()?;
    let start = at + rest.len() - rest.trim_start().len();
    Some(start..start + rest.trim().len())
}

/// Whether sentences end in punctuation here, so that one without goes on in the next cue.
fn is_punctuated(text: &str, is_vtt: bool) -> bool {
    let (mut ended, mut all) = (0usize, 0usize);
    for group in cues::groups(text, is_vtt).take(5000) {
        let last = group.lines.last().map_or("", |line| &text[line.clone()]);
        all += 1;
        ended += usize::from(is_ended(&markup::read(&[last], is_vtt).marked.text));
    }
    ended * 4 >= all
}

/// Whether a sentence ends with this text.
fn is_ended(text: &str) -> bool {
    let bare = text.trim_end_matches(|c: char| "\"'”’»›」』)]".contains(c) || c.is_whitespace());
    let brackets = |open: &[char]| text.starts_with(open) && text.ends_with([')', ']', '）', '】']);
    bare.is_empty()
        || bare.ends_with(|c: char| ".!?…:;。！？：；।؟۔".contains(c))
        || brackets(&['(', '[', '（', '【'])
}

/// A cue's group of lines that is not written yet.
struct Waiting {
    group: Group,
    /// Its parts, each with the number of its lines.
    parts: Vec<(Part, usize)>,
    /// Whether its last part goes on in the next group's first.
    goes_on: bool,
}

/// A file on its way.
struct Copy<'a, 'b> {
    text: &'a str,
    is_vtt: bool,
    is_punctuated: bool,
    patched: Patched<'a>,
    editor: Editor<'b>,
    /// Groups of which each goes on in the next.
    waiting: Vec<Waiting>,
}

impl Copy<'_, '_> {
    /// Takes the next group; those before it are written unless they go on in it.
    fn take(&mut self, group: Group) -> Result<()> {
        let lines: Vec<&str> = group.lines.iter().map(|line| &self.text[line.clone()]).collect();
        let mut starts: Vec<usize> =
            (0..lines.len()).filter(|&n| n == 0 || markup::begins_part(lines[n])).collect();
        starts.push(lines.len());
        let part = |pair: &[usize]| {
            let of_part = &lines[pair[0]..pair[1]];
            (markup::read(of_part, self.is_vtt), of_part.len())
        };
        let parts = starts.windows(2).map(part).collect();
        let next = Waiting { group, parts, goes_on: false };
        if self.waiting.last().is_some_and(|last| self.goes_on_in(last, &next)) {
            self.waiting.iter_mut().for_each(|w| w.goes_on = true);
        } else {
            self.flush()?;
        }
        self.waiting.push(next);
        Ok(())
    }

    /// Whether the last sentence of a group goes on in the next one.
    fn goes_on_in(&self, last: &Waiting, next: &Waiting) -> bool {
        let (Some((from, _)), Some((to, _))) = (last.parts.last(), next.parts.first()) else {
            return false;
        };
        // A chain has its links in whole cues, but for its ends.
        let is_link = self.waiting.len() == 1 || last.parts.len() == 1;
        let length: usize = self.waiting.iter().map(|w| w.parts[0].0.marked.text.len()).sum();
        let pause = next.group.time.start - last.group.time.end;
        let (text, follows) = (&from.marked.text, &to.marked.text);
        let is_small = follows.starts_with(char::is_lowercase);
        let is_open = !is_ended(text) || is_small && !text.ends_with(['!', '?', '…', ':', ';']);
        let is_sung = |part: &Part| (part.lead.clone() + &part.trail).contains(['♪', '♫']);
        let same_lead = to.lead.is_empty() || to.lead == from.lead;
        is_link
            && self.waiting.len() < MOST_CUES
            && length + follows.len() <= LONGEST
            && (self.is_punctuated || is_small && text.ends_with(','))
            && next.group.is_first
            && (-500..=LONGEST_PAUSE).contains(&pause)
            && next.group.time.start > last.group.time.start
            && is_open
            && follows.starts_with(|c: char| c.is_alphanumeric() || "\"'“„«‘¿¡".contains(c))
            && !to.lead.contains(['-', '–', '—', '•'])
            && same_lead
            && !is_sung(from)
            && !is_sung(to)
            && !text.is_empty()
    }

    /// Asks for the texts of the groups that wait, and writes them.
    fn flush(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        // What each part of each group becomes.
        let mut edits: Vec<Vec<Edit>> =
            waiting.iter().map(|w| vec![Edit::Keep; w.parts.len()]).collect();
        let chained = waiting.iter().take_while(|w| w.goes_on).count();
        let last = waiting.len().saturating_sub(1);
        for (number, group) in waiting.iter().enumerate() {
            for part in 0..group.parts.len() {
                let is_start = part + 1 == group.parts.len() && chained > 0 && number == 0;
                if number > 0 && part == 0 {
                    continue;
                }
                let span = if is_start { 0..last + 1 } else { number..number + 1 };
                let links: Vec<(usize, usize)> =
                    span.map(|n| if n == number { (n, part) } else { (n, 0) }).collect();
                for (link, edit) in links.iter().zip(self.ask(&waiting, &links)?) {
                    edits[link.0][link.1] = edit;
                }
            }
        }
        for (group, edits) in waiting.iter().zip(edits) {
            if edits.iter().any(|edit| *edit != Edit::Keep) {
                self.write(group, &edits);
            }
        }
        Ok(())
    }

    /// Asks for the text that some parts have together, and divides the answer among them.
    fn ask(&mut self, waiting: &[Waiting], links: &[(usize, usize)]) -> Result<Vec<Edit>> {
        let (mut whole, mut cues) = (Marked::default(), Vec::new());
        for &(group, part) in links {
            let (Part { marked, .. }, lines) = &waiting[group].parts[part];
            let Range { start, end } = waiting[group].group.time;
            cues.push(Shape {
                width: lines::width(&marked.text),
                shown: end.saturating_sub(start),
                lines: *lines,
                tags: marked.inline.tags.clone(),
            });
            append(&mut whole, marked);
        }
        let is_effect = whole.inline.tags.len() > MOST_TAGS;
        if whole.text.trim().is_empty() || is_effect {
            return Ok(vec![Edit::Keep; links.len()]);
        }
        let edit = self.editor.ask(Block::paragraph(whole))?;
        let spread = |marked: &Marked| lines::divided(marked, &cues).into_iter();
        Ok(match edit {
            Edit::Keep => vec![Edit::Keep; links.len()],
            Edit::Replace(marked) => spread(&marked).map(Edit::Replace).collect(),
            Edit::Append(marked) => spread(&marked).map(Edit::Append).collect(),
        })
    }

    /// Writes the lines of a group anew.
    fn write(&mut self, group: &Waiting, edits: &[Edit]) {
        let places = &group.group.lines;
        let (Some(first), Some(end)) = (places.first(), places.last()) else { return };
        let mut out: Vec<String> = Vec::new();
        let mut at = 0;
        for ((part, count), edit) in group.parts.iter().zip(edits) {
            let old = places[at..at + count].iter().map(|line| self.text[line.clone()].to_string());
            at += count;
            let (keeps, marked) = match edit {
                Edit::Keep => (true, None),
                Edit::Replace(marked) => (false, Some(marked)),
                Edit::Append(marked) => (true, Some(marked)),
            };
            out.extend(old.filter(|_| keeps));
            if let Some(marked) = marked {
                let lines = lines::wrapped(marked, (*count).max(LINES));
                let lines: Vec<String> =
                    lines.iter().map(|line| markup::write(line, self.is_vtt)).collect();
                let text = lines.join("\n");
                let whole = format!("{}{}{}", part.lead, text.trim(), part.trail);
                out.extend(whole.split('\n').map(String::from));
            }
        }
        let new = out.join(line_end(self.text));
        self.patched.replace(first.start..end.end, &new);
    }
}

/// Puts the text of the next cue after another, with a tag at the end of that.
fn append(whole: &mut Marked, next: &Marked) {
    if !whole.text.is_empty() {
        let at = whole.text.len();
        let dense =
            whole.text.ends_with(markup::is_dense) && next.text.starts_with(markup::is_dense);
        whole.inline.tags.push(Tag { at, markup: BORDER.into(), kind: TagKind::Point });
        if !dense {
            whole.text.push(' ');
        }
    }
    let start = whole.text.len();
    whole.text.push_str(&next.text);
    let Inline { tags, .. } = &next.inline;
    whole.inline.tags.extend(tags.iter().map(|tag| Tag { at: start + tag.at, ..tag.clone() }));
}

#[cfg(test)]
mod tests;
