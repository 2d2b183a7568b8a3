//! XLIFF 1.2 and 2: segments for translators. The target of a segment that has none, or one that
//! says it is still to be translated, is written, and says that it was not reviewed; other targets
//! stay. Elements inside of a text are its tags.

mod content;
mod scan;

use super::encoded::{Editor, Encoded, Patched};
use super::{DocumentFormat, Edit, Settings, messages, part};
use crate::error::{Error, Result};
use crate::types::{Block, Marked};
use scan::{Segment, Slot};

/// Files of segments.
pub static XLIFF: DocumentFormat = DocumentFormat {
    name: "xliff",
    extensions: &["xliff", "xlf", "sdlxliff", "mqxliff"],
    detect: |head| {
        let head = String::from_utf8_lossy(&head[..head.len().min(4096)]);
        head.contains("<xliff")
    },
    rewrite,
};

fn rewrite(
    bytes: &[u8],
    settings: &Settings,
    edit: &mut dyn FnMut(Block) -> Result<Edit>,
) -> Result<Vec<u8>> {
    let file = Encoded::open(bytes, settings, part::declared)?;
    let text = file.text.as_str();
    let found = scan::read(text)?;
    let mut editor = Editor::new(edit);
    let mut patches = Vec::new();
    for segment in found.segments.iter().filter(|segment| segment.is_wanted(text)) {
        if let Some(new) = ask(text, segment, &mut editor)? {
            patches.extend(segment.patches(text, &new, found.is_two));
        }
    }
    if !editor.has_changed {
        return Ok(bytes.to_vec());
    }
    if let Some(to) = &settings.to {
        for Slot { place, name, value } in &found.languages {
            match value {
                Some(value) if !value.replace('_', "-").eq_ignore_ascii_case(to.as_str()) => {
                    let same = crate::types::Lang::parse(&value.replace('_', "-"));
                    if !same.is_some_and(|lang| lang.same_base(to)) && found.has_targets {
                        let message =
                            format!("its targets are in {value}: translate it with --to {value}");
                        return Err(Error::input("", message));
                    }
                    if !value.is_empty() && !found.has_targets {
                        patches.push((place.clone(), to.to_string()));
                    }
                }
                Some(_) => {}
                None => patches.push((place.clone(), format!(" {name}=\"{to}\""))),
            }
        }
    }
    patches.sort_by_key(|(place, _)| (place.start, place.end));
    let mut patched = Patched::new(text);
    patches.into_iter().for_each(|(place, new)| patched.replace(place, &new));
    let out = patched.finish();
    let told = part::declared(bytes).filter(|_| !file.can_hold(&out));
    let out = match told {
        Some(old) => out.replacen(old, "UTF-8", 1),
        None => out,
    };
    Ok(file.encode(&out, false))
}

/// Asks for the texts of a segment's source; gives the content of its target where one changes.
fn ask(text: &str, segment: &Segment, editor: &mut Editor<'_>) -> Result<Option<String>> {
    let (mut out, mut has_changed) = (String::new(), false);
    for part in content::parts(&text[segment.source.clone()])? {
        let content::Part { before, marked, after, raw } = part;
        out.push_str(before);
        let cases = messages::texts(&marked.text);
        let new = if !cases.is_empty() && marked.inline.tags.is_empty() {
            let new = messages::translated(&marked.text, cases, &mut |case| {
                let mut marked = Marked::plain(case);
                messages::keep_signs(&mut marked);
                Ok(match editor.ask(Block::paragraph(marked))? {
                    Edit::Keep => None,
                    Edit::Replace(new) | Edit::Append(new) => Some(new.text),
                })
            })?;
            new.map_or(Edit::Keep, |new| Edit::Replace(Marked::plain(new)))
        } else if marked.text.contains(char::is_alphabetic) {
            editor.ask(Block::paragraph(marked))?
        } else {
            Edit::Keep
        };
        match new {
            Edit::Keep => out.push_str(raw),
            Edit::Replace(new) | Edit::Append(new) => {
                has_changed = true;
                let (start, end) = (raw.trim_start().len(), raw.trim_end().len());
                out.push_str(&raw[..raw.len() - start]);
                out.push_str(&content::written(&new));
                out.push_str(&raw[end..]);
            }
        }
        out.push_str(after);
    }
    Ok(has_changed.then_some(out))
}

#[cfg(test)]
mod tests;
