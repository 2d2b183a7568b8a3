//! The cells of a table, with their places; and how a table writes them.

use crate::error::{Error, Result};
use std::borrow::Cow;
use std::ops::Range;

/// Rows by which a table is judged.
const JUDGED: usize = 100;

/// How a table is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dialect {
    /// What stands between cells; none in a table of one column.
    pub delimiter: Option<char>,
    /// Bytes before the first row: the line `sep=;` by which a spreadsheet is told the delimiter.
    pub start: usize,
}

/// A cell as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    /// Its place, quotes included.
    pub place: Range<usize>,
    /// Whether it stands in quotes.
    pub is_quoted: bool,
}

impl Cell {
    /// What it holds.
    pub fn value<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let raw = &text[self.place.clone()];
        let Some(rest) = raw.strip_prefix('"').filter(|_| self.is_quoted) else {
            return raw.into();
        };
        // What some programs write after the closing quote belongs to it.
        let end = closing(rest).unwrap_or(rest.len());
        let (inner, after) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
        if after.is_empty() && !inner.contains('"') {
            return inner.into();
        }
        (inner.replace("\"\"", "\"") + after).into()
    }
}

/// The place of the quote that ends a cell, after its opening one.
fn closing(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|&b| b == b'"')?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

impl Dialect {
    /// The dialect of a table: the delimiter that makes its rows most alike.
    pub fn of(text: &str) -> Dialect {
        Dialect::among(text, &['\t', ';', ',', '|'])
    }

    /// The same with one of these delimiters, of which an earlier one is rarer in prose.
    pub fn among(text: &str, delimiters: &[char]) -> Dialect {
        let first = text.lines().next().unwrap_or_default();
        let told = first.strip_prefix("sep=").or(first.strip_prefix("SEP="));
        if let Some(delimiter) = told.and_then(|rest| rest.chars().next()) {
            let start = text.find('\n').map_or(text.len(), |at| at + 1);
            return Dialect { delimiter: Some(delimiter), start };
        }
        let mut best = (0.6, Dialect { delimiter: None, start: 0 });
        for &delimiter in delimiters {
            let dialect = Dialect { delimiter: Some(delimiter), start: 0 };
            let fit = dialect.fit(text);
            // A tie goes to the one that is rarer in prose.
            if fit > best.0 + 1e-9 {
                best = (fit, dialect);
            }
        }
        best.1
    }

    /// How well the delimiter fits: the share of rows with as many cells as most, and a little more
    /// for more cells.
    fn fit(&self, text: &str) -> f64 {
        let rows = self.rows(text).take(JUDGED).map_while(Result::ok);
        let counts: Vec<usize> = rows.map(|cells| cells.len()).filter(|&n| n > 0).collect();
        let mut sorted = counts.clone();
        sorted.sort_unstable();
        let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
        if usual < 2 {
            return 0.0;
        }
        let alike = counts.iter().filter(|&&n| n == usual).count();
        let share = alike as f64 / counts.len() as f64;
        // One row says little: prose has commas, too.
        share + (usual.min(50) as f64) / 1000.0
    }

    /// The rows of a table. A line that is empty is a row with one empty cell.
    pub fn rows<'a>(&self, text: &'a str) -> Rows<'a> {
        Rows { text, at: self.start, row: 1, delimiter: self.delimiter }
    }

    /// A cell with this text, in quotes where it needs them or had them.
    pub fn quoted(&self, value: &str, was_quoted: bool) -> String {
        let special = |c: char| Some(c) == self.delimiter || matches!(c, '\n' | '\r');
        let is_tabs = self.delimiter == Some('\t');
        let quote = value.starts_with('"') || !is_tabs && value.contains('"');
        let edge = !is_tabs && value.trim() != value;
        if was_quoted || quote || edge || value.contains(special) {
            format!("\"{}\"", value.replace('"', "\"\""))
        } else {
            value.to_string()
        }
    }
}

/// The rows of a table, one after the other.
pub(super) struct Rows<'a> {
    text: &'a str,
    at: usize,
    row: usize,
    delimiter: Option<char>,
}

impl Iterator for Rows<'_> {
    type Item = Result<Vec<Cell>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        let mut cells = Vec::new();
        loop {
            let cell = match self.cell() {
                Ok(cell) => cell,
                Err(error) => {
                    self.at = self.text.len();
                    return Some(Err(error));
                }
            };
            let rest = &self.text[cell.place.end..];
            self.at = cell.place.end;
            cells.push(cell);
            match rest.chars().next() {
                Some(c) if Some(c) == self.delimiter => self.at += c.len_utf8(),
                Some('\r') if rest.starts_with("\r\n") => break self.at += 2,
                Some('\r' | '\n') => break self.at += 1,
                _ => break,
            }
        }
        self.row += 1;
        Some(Ok(cells))
    }
}

impl Rows<'_> {
    /// The place where the next row begins.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The cell that begins here.
    fn cell(&self) -> Result<Cell> {
        let (start, rest) = (self.at, &self.text[self.at..]);
        let ends = |c: char| Some(c) == self.delimiter || matches!(c, '\n' | '\r');
        let plain = |from: usize| {
            let end = rest[from..].find(ends).map_or(rest.len(), |at| from + at);
            start..start + end
        };
        let Some(inner) = rest.strip_prefix('"') else {
            return Ok(Cell { place: plain(0), is_quoted: false });
        };
        let is_tabs = self.delimiter == Some('\t');
        let close = closing(inner).map(|at| at + 2);
        // Tables with tabs do without quotes as a rule: one at the start of a cell is a character
        // unless another stands at its end.
        let is_cell = |close: &usize| {
            rest[*close..].chars().next().is_none_or(ends) && !rest[..*close].contains('\t')
        };
        match close {
            Some(close) if !is_tabs || is_cell(&close) => {
                Ok(Cell { place: plain(close), is_quoted: true })
            }
            _ if is_tabs || self.delimiter.is_none() => {
                Ok(Cell { place: plain(0), is_quoted: false })
            }
            _ => {
                let line = self.text[..start].matches('\n').count() + 1;
                let message = format!(
                    "line {line}: a cell begins with a quote that nothing ends (row {}); close it, \
                     or double a quote that belongs to the text",
                    self.row
                );
                Err(Error::input("", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let dialect = Dialect::of(text);
        let values = |cells: Vec<Cell>| cells.iter().map(|c| c.value(text).into_owned()).collect();
        dialect.rows(text).map(|row| values(row.unwrap())).collect()
    }

    #[test]
    fn cells_and_quotes() {
        let text = "id,text\r\n1,\"Hello, \"\"you\"\"\r\nthere\"\r\n2,\r\n3,plain \"quoted\" word";
        assert_eq!(
            rows(text),
            [
                vec!["id", "text"],
                vec!["1", "Hello, \"you\"\r\nthere"],
                vec!["2", ""],
                vec!["3", "plain \"quoted\" word"]
            ]
        );
        // A mark of inches in a table with tabs is no quote.
        assert_eq!(
            rows("a\tb\n\"x\" y\t1\n\"5\n\"z\"\t2\n"),
            [vec!["a", "b"], vec!["\"x\" y", "1"], vec!["\"5"], vec!["z", "2"]]
        );
    }

    #[test]
    fn delimiters() {
        let of = |text: &str| Dialect::of(text).delimiter;
        assert_eq!(of("a;b\n1,5;2,5\n3,5;4,5\n"), Some(';'));
        assert_eq!(of("a\tb, c\n1\t2, 3\n"), Some('\t'));
        assert_eq!(of("a|b\n1|2\n"), Some('|'));
        assert_eq!(
            of("One sentence.\nAnother, with a comma.\nA third, with two, of them.\n"),
            None
        );
        assert_eq!(of("sep=|\na,b|c\n"), Some('|'));
        assert_eq!(rows("sep=;\r\na;b\r\n"), [["a", "b"]]);
    }

    #[test]
    fn what_needs_quotes_gets_them() {
        let commas = Dialect { delimiter: Some(','), start: 0 };
        for (value, was, written) in [
            ("a", false, "a"),
            ("a", true, "\"a\""),
            ("a,b", false, "\"a,b\""),
            ("a \"b\"", false, "\"a \"\"b\"\"\""),
            (" a", false, "\" a\""),
            ("a\nb", false, "\"a\nb\""),
        ] {
            assert_eq!(commas.quoted(value, was), written);
        }
        let tabs = Dialect { delimiter: Some('\t'), start: 0 };
        assert_eq!(tabs.quoted("5\" wide", false), "5\" wide");
    }

    #[test]
    fn a_quote_without_end_is_told_with_its_line() {
        let text = "a,b\n1,2\n3,\"4\n5,6\n";
        let dialect = Dialect { delimiter: Some(','), start: 0 };
        let error = dialect.rows(text).last().unwrap().unwrap_err().to_string();
        assert!(error.contains("line 3:"), "{error}");
    }
}
