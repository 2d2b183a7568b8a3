//! The entries of a catalog, with the places of what may change.

use super::super::encoded::{Patched, lines};
use super::strings;
use crate::error::{Error, Result};
use std::ops::Range;

/// Columns up to which gettext's programs write a line, with room for what some count otherwise.
const WIDEST: usize = 84;

/// A message and its translation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub message: String,
    /// The message for several things.
    pub plural: Option<String>,
    /// Its flags, as `c-format`.
    pub flags: Vec<String>,
    has_context: bool,
    /// The place of its line of flags.
    flags_line: Option<Range<usize>>,
    /// Where its first keyword stands.
    start: usize,
    /// Its translations.
    forms: Vec<String>,
    /// The place of their lines.
    pub translations: Range<usize>,
}

impl Entry {
    /// Whether this is the head of the catalog.
    pub fn is_header(&self) -> bool {
        self.message.is_empty() && !self.has_context
    }

    pub fn first_translation(&self) -> String {
        self.forms.first().cloned().unwrap_or_default()
    }

    fn is_fuzzy(&self) -> bool {
        self.flags.iter().any(|flag| flag == "fuzzy")
    }

    /// Whether the message has no translation, or a doubtful one.
    pub fn is_wanted(&self) -> bool {
        !self.message.is_empty() && (self.is_fuzzy() || self.forms.iter().all(String::is_empty))
    }

    /// Marks the translation as one that somebody has to look at.
    pub fn mark_fuzzy(&self, text: &str, end: &str, patched: &mut Patched<'_>) {
        match &self.flags_line {
            _ if self.is_fuzzy() => {}
            Some(line) => {
                let at = line.start + text[line.clone()].find(',').map_or(0, |comma| comma + 1);
                patched.replace(at..at, " fuzzy,");
            }
            None => patched.replace(self.start..self.start, &format!("#, fuzzy{end}")),
        }
    }

    /// Takes that mark off.
    pub fn unmark_fuzzy(&self, text: &str, patched: &mut Patched<'_>) {
        let Some(line) = self.flags_line.clone().filter(|_| self.is_fuzzy()) else { return };
        let others: Vec<&str> =
            self.flags.iter().map(String::as_str).filter(|flag| *flag != "fuzzy").collect();
        if others.is_empty() {
            let next = text[line.end..].find('\n').map_or(line.end, |at| line.end + at + 1);
            patched.replace(line.start..next, "");
        } else {
            patched.replace(line, &format!("#, {}", others.join(", ")));
        }
    }
}

/// The part of an entry that a string in quotes belongs to.
#[derive(Clone, Copy)]
enum Field {
    None,
    Other,
    Message,
    Plural,
    Form,
}

/// The entries of a catalog; those that are obsolete are passed over.
///
/// # Errors
/// When a line is none of a catalog, with its number.
pub(super) fn read(text: &str) -> Result<Vec<Entry>> {
    let mut reader = Reader { entries: Vec::new(), entry: Entry::default(), field: Field::None };
    for (number, line) in lines(text).enumerate() {
        let content = text[line.clone()].trim();
        let place = line.start + text[line.clone()].find(content).unwrap_or(0);
        reader.line(content, place..place + content.len()).map_err(|message| {
            let shown: String = content.chars().take(60).collect();
            Error::input("", format!("line {}: {message}: {shown}", number + 1))
        })?;
    }
    reader.finish().map_err(|message| Error::input("", format!("at its end: {message}")))?;
    if reader.entries.is_empty() {
        let message = "holds no messages; expected lines as msgid \"…\" and msgstr \"…\"";
        return Err(Error::input("", message));
    }
    Ok(reader.entries)
}

struct Reader {
    entries: Vec<Entry>,
    entry: Entry,
    field: Field,
}

impl Reader {
    fn line(&mut self, content: &str, place: Range<usize>) -> Result<(), &'static str> {
        if content.is_empty() || content.starts_with("#~") {
            return self.finish();
        }
        if let Some(comment) = content.strip_prefix('#') {
            if !self.entry.forms.is_empty() {
                self.finish()?;
            }
            if let Some(flags) = comment.strip_prefix(',') {
                self.entry.flags.extend(flags.split(',').map(|flag| flag.trim().to_string()));
                self.entry.flags_line = Some(place);
            }
            return Ok(());
        }
        let (keyword, string) = content.split_at(content.find('"').ok_or(EXPECTED)?);
        let value = strings::read(string).ok_or("a string has no end, or something after it")?;
        let keyword = keyword.trim();
        if matches!(keyword, "msgid" | "msgctxt" | "domain") && !self.entry.forms.is_empty() {
            self.finish()?;
        }
        if !keyword.is_empty() && matches!(self.field, Field::None) {
            self.entry.start = place.start;
        }
        self.field = match keyword {
            "" if matches!(self.field, Field::None) => return Err(EXPECTED),
            "" => self.field,
            "msgid" => Field::Message,
            "msgid_plural" => {
                self.entry.plural = Some(String::new());
                Field::Plural
            }
            "msgctxt" => {
                self.entry.has_context = true;
                Field::Other
            }
            "domain" => Field::Other,
            _ if keyword.starts_with("msgstr") => {
                if self.entry.forms.is_empty() {
                    self.entry.translations = place.clone();
                }
                self.entry.forms.push(String::new());
                Field::Form
            }
            _ => return Err(EXPECTED),
        };
        match self.field {
            Field::Message => self.entry.message.push_str(&value),
            Field::Plural => self.entry.plural.get_or_insert_default().push_str(&value),
            Field::Form => {
                self.entry.translations.end = place.end;
                if let Some(form) = self.entry.forms.last_mut() {
                    form.push_str(&value);
                }
            }
            Field::None | Field::Other => {}
        }
        Ok(())
    }

    /// Ends the entry.
    fn finish(&mut self) -> Result<(), &'static str> {
        let entry = std::mem::take(&mut self.entry);
        let field = std::mem::replace(&mut self.field, Field::None);
        match field {
            Field::Form => self.entries.push(entry),
            Field::Message | Field::Plural => return Err("a message has no msgstr"),
            Field::None | Field::Other => {}
        }
        Ok(())
    }
}

const EXPECTED: &str = "expected msgid, msgstr, a comment or a string in quotes";

/// Whether the catalog was written without wrapping its lines.
pub(super) fn is_unwrapped(text: &str) -> bool {
    let is_long = |line: Range<usize>| {
        let content = text[line].trim();
        !content.starts_with('#')
            && content.len() > WIDEST
            && content.chars().count() > WIDEST
            && content.chars().take(WIDEST).filter(|c| *c == ' ').count() > 1
            && content.contains(' ')
    };
    lines(text).any(is_long)
}
