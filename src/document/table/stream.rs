//! The rows of a table that comes in piece by piece.

use super::cells::{Cell, Dialect};
use crate::error::Result;

/// Bytes within which a quote is looked for that ends a cell, where one without an end may be a
/// character: in tables with tabs, and of one column.
const FAR: usize = 1 << 20;

/// Cuts a table into its rows.
#[derive(Clone, Debug)]
pub struct RowCutter {
    dialect: Dialect,
}

/// The first row of a text.
#[derive(Debug)]
pub struct CutRow {
    /// The values of its cells.
    pub values: Vec<String>,
    /// Bytes that it takes in the text, its line break included.
    pub length: usize,
}

impl RowCutter {
    /// How a table is written, judged by its beginning; and the bytes before its first row.
    pub fn new(start: &str) -> (RowCutter, usize) {
        let dialect = Dialect::of(start);
        let before = dialect.start;
        (RowCutter { dialect: Dialect { start: 0, ..dialect } }, before)
    }

    /// The first row of a text that is not empty: `None` where more of it has to be there first.
    /// `is_all` says that nothing more comes.
    ///
    /// # Errors
    /// When a cell has no end.
    pub fn first(&self, text: &str, is_all: bool) -> Option<Result<CutRow>> {
        let mut rows = self.dialect.rows(text);
        let cells = match rows.next()? {
            Ok(cells) => cells,
            Err(error) => return is_all.then_some(Err(error)),
        };
        let length = rows.at();
        if !is_all && !self.is_certain(text, &cells, length) {
            return None;
        }
        let values = cells.iter().map(|cell| cell.value(text).into_owned()).collect();
        Some(Ok(CutRow { values, length }))
    }

    /// Whether a row stays as it is, whatever follows the text.
    fn is_certain(&self, text: &str, cells: &[Cell], length: usize) -> bool {
        let row = &text.as_bytes()[..length];
        // A line break may be the first half of one.
        let ends = row.last() == Some(&b'\n') || row.last() == Some(&b'\r') && length < text.len();
        let may_be_quoted = |cell: &Cell| {
            let rest = &text[cell.place.start..];
            let is_open = || {
                let inner = &rest[1..];
                let tab = inner.find('\t').filter(|_| self.dialect.delimiter == Some('\t'));
                !inner[..tab.unwrap_or(inner.len())].contains('"') && tab.is_none()
            };
            !cell.is_quoted && rest.starts_with('"') && rest.len() < FAR && is_open()
        };
        ends && !cells.iter().any(may_be_quoted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of a text that comes in so many bytes at a time.
    fn rows(text: &str, step: usize) -> Vec<Vec<String>> {
        let (cutter, before) = RowCutter::new(text);
        let (mut at, mut end, mut rows) = (before, before, Vec::new());
        while at < text.len() {
            match cutter.first(&text[at..end], end == text.len()) {
                Some(row) => {
                    let row = row.unwrap();
                    at += row.length;
                    rows.push(row.values);
                }
                None => end = text.ceil_char_boundary((end + step).min(text.len())),
            }
        }
        rows
    }

    #[test]
    fn rows_are_the_same_however_a_table_comes_in() {
        for text in [
            "id,text\r\n1,\"Hello, \"\"you\"\"\r\nthere\"\r\n2,\r\n3,plain \"quoted\" word",
            "a\tb\n\"x\" y\t1\n\"5\n\"z\"\t2\n",
            "a\tb\n\"two\nlines\"\t2\n\"5 inches\t1\n",
            "sep=;\na;b\n1,5;\"2;5\"\n",
            "text\nOne.\n\"Two.\nThree.\"\n",
        ] {
            let (cutter, before) = RowCutter::new(text);
            let whole: Vec<Vec<String>> = cutter
                .dialect
                .rows(&text[before..])
                .map(|cells| {
                    let cells = cells.unwrap();
                    cells.iter().map(|cell| cell.value(&text[before..]).into_owned()).collect()
                })
                .collect();
            for step in [1, 2, 5, 1000] {
                assert_eq!(rows(text, step), whole, "{text:?} by {step}");
            }
        }
    }
}
