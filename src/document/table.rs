//! Tables: values that are separated by commas, semicolons, tabs or bars, as RFC 4180 and
//! spreadsheets write them. What is not replaced stays as it is, to the byte.

mod cells;
mod columns;
mod stream;

use super::encoded::{Editor, Encoded, Patched, line_end};
use super::{DocumentFormat, Edit, Settings};
use crate::error::Result;
use crate::types::{Block, Lang, Marked};
use cells::{Cell, Dialect};
use std::borrow::Cow;

pub use stream::RowCutter;

/// Tables of text.
pub static CSV: DocumentFormat =
    DocumentFormat { name: "csv", extensions: &["csv", "tsv", "tab"], detect: |_| false, rewrite };

/// The values of a table's rows, each with the number of the line that it begins on, from 1: of a
/// table with one of these delimiters. An empty line is a row with one empty value.
///
/// # Errors
/// An item is an error where a cell has no end; the message is a phrase that follows the file's
/// name, and no row comes after it.
pub fn values<'a>(
    text: &'a str,
    delimiters: &[char],
) -> impl Iterator<Item = Result<(usize, Vec<Cow<'a, str>>)>> {
    let dialect = Dialect::among(text, delimiters);
    let (mut line, mut end) = (1, 0);
    dialect.rows(text).map(move |cells| {
        let cells = cells?;
        let start = cells.first().map_or(end, |cell| cell.place.start);
        line += text[end..start].matches('\n').count();
        end = start;
        Ok((line, cells.iter().map(|cell| cell.value(text)).collect()))
    })
}

fn rewrite(
    bytes: &[u8],
    settings: &Settings,
    edit: &mut dyn FnMut(Block) -> Result<Edit>,
) -> Result<Vec<u8>> {
    let file = Encoded::open(bytes, settings, |_| None)?;
    let dialect = Dialect::of(&file.text);
    let columns = columns::choose(&file.text, &dialect, settings)?;
    let mut editor = Editor::new(edit);
    let changed = ask(&file.text, &dialect, &columns, &mut editor)?;
    if !editor.has_changed {
        return Ok(bytes.to_vec());
    }
    let out = write(&file.text, &dialect, &columns, &changed, settings.to.as_ref())?;
    Ok(file.encode(&out, true))
}

/// What becomes of a cell.
struct Changed {
    row: usize,
    column: usize,
    /// Its text now.
    instead: Option<String>,
    /// The text beside it.
    beside: Option<String>,
}

/// Asks for the texts of the cells in the columns that are translated, line by line, and gives
/// those that change, in order.
fn ask(
    text: &str,
    dialect: &Dialect,
    columns: &columns::Chosen,
    editor: &mut Editor<'_>,
) -> Result<Vec<Changed>> {
    let mut changed = Vec::new();
    for (row, cells) in dialect.rows(text).enumerate() {
        let cells = cells?;
        if row == 0 && columns.has_header {
            continue;
        }
        let wanted = cells.iter().enumerate().filter(|(column, _)| columns.has(*column));
        for (column, cell) in wanted {
            let value = cell.value(text);
            let (mut instead, mut beside) = (String::new(), String::new());
            let (mut is_replaced, mut is_followed) = (false, false);
            for line in value.split_inclusive(['\n', '\r']) {
                let bare = line.trim();
                let new = match bare.contains(char::is_alphabetic) {
                    true => editor.ask(Block::paragraph(Marked::plain(bare)))?,
                    false => Edit::Keep,
                };
                let around = |new: &str| line.replacen(bare, new, 1);
                let (one, two) = match new {
                    Edit::Keep => (line.to_string(), line.to_string()),
                    Edit::Replace(new) => {
                        is_replaced = true;
                        (around(&new.to_markup()), line.to_string())
                    }
                    Edit::Append(new) => {
                        is_followed = true;
                        (line.to_string(), around(&new.to_markup()))
                    }
                };
                instead.push_str(&one);
                beside.push_str(&two);
            }
            if is_replaced || is_followed {
                changed.push(Changed {
                    row,
                    column,
                    instead: is_replaced.then_some(instead),
                    beside: is_followed.then_some(beside),
                });
            }
        }
    }
    Ok(changed)
}

/// The table with its changes. Texts that stand beside others have columns of their own at the end.
fn write(
    text: &str,
    dialect: &Dialect,
    columns: &columns::Chosen,
    changed: &[Changed],
    to: Option<&Lang>,
) -> Result<String> {
    let has_beside = changed.iter().any(|change| change.beside.is_some());
    let mut patched = Patched::new(text);
    let mut changes = changed.iter().peekable();
    for (row, cells) in dialect.rows(text).enumerate() {
        let cells = cells?;
        let mut extra = Vec::new();
        for (column, cell) in cells.iter().enumerate() {
            let change = changes.next_if(|change| (change.row, change.column) == (row, column));
            if let Some(instead) = change.and_then(|change| change.instead.as_ref()) {
                patched.replace(cell.place.clone(), &dialect.quoted(instead, cell.is_quoted));
            }
            if has_beside && columns.has(column) {
                let is_header = row == 0 && columns.has_header;
                let beside = match (is_header, change.and_then(|change| change.beside.clone())) {
                    (true, _) => named(&cell.value(text), to),
                    (_, Some(beside)) => beside,
                    (_, None) => cell.value(text).into_owned(),
                };
                extra.push(dialect.quoted(&beside, cell.is_quoted));
            }
        }
        let end = cells.last().map_or(0, |cell: &Cell| cell.place.end);
        if let Some(delimiter) = dialect.delimiter.filter(|_| !extra.is_empty()) {
            let extra: String = extra.iter().map(|cell| format!("{delimiter}{cell}")).collect();
            patched.replace(end..end, &extra);
        } else if !extra.is_empty() {
            patched.replace(end..end, &format!("{}{}", line_end(text), extra.concat()));
        }
    }
    Ok(patched.finish())
}

/// The name of the column that stands beside another.
fn named(column: &str, to: Option<&Lang>) -> String {
    to.map_or_else(|| column.to_string(), |to| format!("{column} ({to})"))
}

#[cfg(test)]
mod tests;
