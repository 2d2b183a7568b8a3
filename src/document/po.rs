//! Catalogs of messages of gettext. A message that has no translation, or one that is marked as
//! fuzzy, gets one and the mark: a program does not show it until somebody has looked at it
//! (`msgattrib --clear-fuzzy` takes the marks off). Other translations stay.

mod entries;
mod plurals;
mod strings;

use super::encoded::{Editor, Encoded, Patched, line_end};
use super::{DocumentFormat, Edit, Settings, messages};
use crate::error::Result;
use crate::types::{Block, Lang};
use entries::Entry;
use plurals::Plurals;

/// Catalogs and templates of messages.
pub static PO: DocumentFormat =
    DocumentFormat { name: "po", extensions: &["po", "pot"], detect: is_catalog, rewrite };

fn is_catalog(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&head[..head.len().min(16 << 10)]);
    let mut lines = head.lines().map(str::trim_end).filter(|line| !line.starts_with('#'));
    lines.find(|line| !line.is_empty()).is_some_and(|line| line.starts_with("msgid \""))
        && lines.any(|line| line.starts_with("msgstr"))
}

/// The encoding that the head of a catalog tells.
fn charset(head: &[u8]) -> Option<&str> {
    let at = head.windows(8).position(|w| w == b"charset=")? + 8;
    let end =
        head[at..].iter().position(|&b| !(b.is_ascii_alphanumeric() || b == b'-' || b == b'_'))?;
    std::str::from_utf8(&head[at..at + end]).ok().filter(|name| *name != "CHARSET")
}

fn rewrite(
    bytes: &[u8],
    settings: &Settings,
    edit: &mut dyn FnMut(Block) -> Result<Edit>,
) -> Result<Vec<u8>> {
    let file = Encoded::open(bytes, settings, charset)?;
    let text = file.text.as_str();
    let entries = entries::read(text)?;
    let header = entries.iter().find(|entry| entry.is_header());
    let header = header.map_or(String::new(), Entry::first_translation);
    let plurals = Plurals::of(&header, settings.to.as_ref());
    let mut editor = Editor::new(edit);
    let mut news: Vec<Option<Vec<String>>> = Vec::with_capacity(entries.len());
    for entry in &entries {
        news.push(if entry.is_wanted() { ask(entry, &plurals, &mut editor)? } else { None });
    }
    if !editor.has_changed {
        return Ok(bytes.to_vec());
    }
    let wrap = !entries::is_unwrapped(text);
    let end = line_end(text);
    let mut patched = Patched::new(text);
    for (entry, new) in entries.iter().zip(&news) {
        if let Some(forms) = new {
            entry.mark_fuzzy(text, end, &mut patched);
            patched.replace(entry.translations.clone(), &written(entry, forms, wrap, end));
        } else if let (true, Some(to)) = (entry.is_header(), &settings.to) {
            entry.unmark_fuzzy(text, &mut patched);
            let fields = fields(&header, to, &plurals);
            let new = strings::written("msgstr", &fields, wrap, end);
            patched.replace(entry.translations.clone(), &new);
        }
    }
    let out = patched.finish();
    // Where the encoding cannot hold it, the head tells the new one.
    let told = charset(bytes).filter(|_| !file.can_hold(&out));
    let out = match told {
        Some(old) => out.replacen(&format!("charset={old}"), "charset=UTF-8", 1),
        None => out,
    };
    Ok(file.encode(&out, false))
}

/// Asks for the texts of a message; gives the forms of its translation where it has changed.
fn ask(entry: &Entry, plurals: &Plurals, editor: &mut Editor<'_>) -> Result<Option<Vec<String>>> {
    let one = translate(&entry.message, entry, editor)?;
    let Some(message) = &entry.plural else { return Ok(one.map(|one| vec![one])) };
    let many = translate(message, entry, editor)?;
    if one.is_none() && many.is_none() {
        return Ok(None);
    }
    let many = many.unwrap_or_else(|| message.clone());
    let one = one.unwrap_or_else(|| entry.message.clone());
    // "One file" does not say the number; a form for 21, too, has to.
    let tells_less = strings::placeholders(&entry.message, &entry.flags).len()
        < strings::placeholders(message, &entry.flags).len();
    let form = |number: usize| match plurals.one {
        Some(form) if form == number && !(tells_less && plurals.one_is_more) => one.clone(),
        _ => many.clone(),
    };
    Ok(Some((0..plurals.count).map(form).collect()))
}

/// The translation of a message, whose lines, or cases, are texts of their own; `None` where all
/// stay.
fn translate(message: &str, entry: &Entry, editor: &mut Editor<'_>) -> Result<Option<String>> {
    let cases = messages::texts(message);
    if !cases.is_empty() {
        return messages::translated(message, cases, &mut |case| {
            let mut marked = strings::inline(case, &entry.flags);
            messages::keep_signs(&mut marked);
            Ok(match editor.ask(Block::paragraph(marked))? {
                Edit::Keep => None,
                Edit::Replace(new) | Edit::Append(new) => Some(new.to_markup()),
            })
        });
    }
    let (mut out, mut has_changed) = (String::new(), false);
    for line in message.split_inclusive('\n') {
        let bare = line.trim();
        if !bare.contains(char::is_alphabetic) {
            out.push_str(line);
            continue;
        }
        let new = match editor.ask(Block::paragraph(strings::inline(bare, &entry.flags)))? {
            Edit::Keep => {
                out.push_str(line);
                continue;
            }
            Edit::Replace(new) | Edit::Append(new) => new.to_markup(),
        };
        has_changed = true;
        let start = line.len() - line.trim_start().len();
        out.push_str(&line[..start]);
        out.push_str(&new);
        out.push_str(&line[start + bare.len()..]);
    }
    Ok(has_changed.then_some(out))
}

/// The lines of a translation.
fn written(entry: &Entry, forms: &[String], wrap: bool, end: &str) -> String {
    if entry.plural.is_none() {
        return strings::written("msgstr", forms.first().map_or("", String::as_str), wrap, end);
    }
    let form = |(number, form): (usize, &String)| {
        strings::written(&format!("msgstr[{number}]"), form, wrap, end)
    };
    forms.iter().enumerate().map(form).collect::<Vec<_>>().join(end)
}

/// The fields of the head, with the language and its plural forms.
fn fields(header: &str, to: &Lang, plurals: &Plurals) -> String {
    let locale = plurals::locale(to);
    let (mut out, mut has_language, mut has_plurals) = (String::new(), false, false);
    for line in header.split_inclusive('\n') {
        let name = line.split(':').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("Language") {
            has_language = true;
            out.push_str(&format!("Language: {locale}\n"));
        } else if name.eq_ignore_ascii_case("Plural-Forms") {
            has_plurals = true;
            out.push_str(&format!("Plural-Forms: {}\n", plurals.rule));
        } else if name.eq_ignore_ascii_case("Content-Type") {
            out.push_str(&line.replace("charset=CHARSET", "charset=UTF-8"));
        } else {
            out.push_str(line);
        }
    }
    if !has_language {
        out.push_str(&format!("Language: {locale}\n"));
    }
    if !has_plurals {
        out.push_str(&format!("Plural-Forms: {}\n", plurals.rule));
    }
    out
}

#[cfg(test)]
mod tests;
