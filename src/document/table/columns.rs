//! The columns of a table that are translated, and whether its first row names them.

use super::super::Settings;
use super::cells::Dialect;
use crate::error::{Error, Result};

/// Rows by which columns are judged.
const JUDGED: usize = 200;
/// Longest name of a column.
const LONGEST_NAME: usize = 40;

/// Names that columns usually have.
const NAMES: &[&str] = &[
    "id",
    "key",
    "title",
    "text",
    "name",
    "description",
    "body",
    "content",
    "date",
    "url",
    "link",
    "source",
    "target",
    "lang",
    "language",
    "category",
    "author",
    "summary",
    "sentence",
    "comment",
    "label",
    "type",
    "price",
    "question",
    "answer",
    "headline",
    "subject",
    "message",
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "ru",
    "titel",
    "titre",
    "título",
    "titulo",
    "texto",
    "texte",
    "nom",
    "nombre",
    "beschreibung",
    "datum",
];

/// The columns that are translated.
#[derive(Debug, PartialEq)]
pub(super) struct Chosen {
    /// By their numbers from 0.
    columns: Vec<bool>,
    /// Whether the first row names columns.
    pub has_header: bool,
}

impl Chosen {
    /// Whether the texts of this column are translated.
    pub fn has(&self, column: usize) -> bool {
        self.columns.get(column).copied().unwrap_or(false)
    }
}

/// Chooses columns: those that are named or numbered, or all that hold text.
///
/// # Errors
/// When there is no such column, or the table is broken.
pub(super) fn choose(text: &str, dialect: &Dialect, settings: &Settings) -> Result<Chosen> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for cells in dialect.rows(text).take(JUDGED) {
        rows.push(cells?.iter().map(|cell| cell.value(text).trim().to_string()).collect());
    }
    let first = rows.first().cloned().unwrap_or_default();
    let wide = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut has_header = is_header(&rows);
    let mut columns = vec![false; wide];
    for wanted in &settings.columns {
        let named = |name: &String| name.eq_ignore_ascii_case(wanted.trim());
        let number = wanted.trim().parse::<usize>().ok().filter(|n| (1..=wide).contains(n));
        match (
            first.iter().position(|name| name == wanted.trim()).or(first.iter().position(named)),
            number,
        ) {
            (Some(column), _) => (columns[column], has_header) = (true, true),
            (None, Some(number)) => columns[number - 1] = true,
            (None, None) => return Err(unknown(wanted, &first, wide)),
        }
    }
    if settings.columns.is_empty() {
        let body = &rows[usize::from(has_header).min(rows.len())..];
        columns = (0..wide).map(|column| holds_text(body, column)).collect();
    }
    Ok(Chosen { columns, has_header })
}

fn unknown(wanted: &str, first: &[String], wide: usize) -> Error {
    let names: Vec<&str> = first.iter().map(String::as_str).take(20).collect();
    let message = format!(
        "has no column {wanted:?}; expected a name of its first row ({}) or a number from 1 to \
         {wide}",
        names.join(", ")
    );
    Error::input("", message)
}

/// Whether the first row names the columns: short names, each another, and either usual ones or
/// unlike what is below them.
fn is_header(rows: &[Vec<String>]) -> bool {
    let Some((first, body)) = rows.split_first() else { return false };
    let is_name = |cell: &String| {
        let known = |c: char| c.is_alphanumeric() || " _-.#/()[]:".contains(c);
        !cell.is_empty()
            && cell.chars().count() <= LONGEST_NAME
            && cell.chars().all(known)
            && cell.contains(char::is_alphabetic)
            && !cell.ends_with('.')
    };
    let mut distinct: Vec<&String> = first.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if body.is_empty() || !first.iter().all(is_name) || distinct.len() != first.len() {
        return false;
    }
    let is_usual = |cell: &String| {
        let lower = cell.to_lowercase();
        lower.split(|c: char| !c.is_alphanumeric()).any(|word| NAMES.contains(&word))
    };
    let is_unlike = |column: usize| {
        let below =
            || body.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
        let (count, length) = below().fold((0, 0), |(n, sum), cell| (n + 1, sum + cell.len()));
        let figures = below().filter(|cell| !cell.contains(char::is_alphabetic)).count();
        count > 0 && (figures * 2 > count || length > 3 * count * first[column].len())
    };
    let usual = first.iter().filter(|cell| is_usual(cell)).count();
    let sentences = first.iter().any(|cell| cell.split_whitespace().count() > 5);
    !sentences
        && (usual * 2 >= first.len()
            || usual > 0 && first.len() > 2
            || (0..first.len()).any(is_unlike))
}

/// Whether a column holds text, and not numbers, codes or addresses.
fn holds_text(rows: &[Vec<String>], column: usize) -> bool {
    let cells = rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
    let (all, text) =
        cells.fold((0, 0), |(all, text), cell| (all + 1, text + usize::from(is_text(cell))));
    all > 0 && text * 2 >= all
}

fn is_text(cell: &str) -> bool {
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    let is_address = cell.contains("://") || cell.starts_with("www.") || cell.starts_with('/');
    let words = cell.split_whitespace().count();
    let is_code = words == 1
        && (cell.contains(['@', '_', '/', '\\', '=', '<'])
            || cell.chars().any(|c| c.is_ascii_digit())
            || !cell.chars().any(char::is_lowercase) && cell.is_ascii()
            || cell.is_ascii() && letters < 4);
    letters * 2 > cell.chars().filter(|c| !c.is_whitespace()).count()
        && !(is_address && words == 1)
        && !is_code
}
