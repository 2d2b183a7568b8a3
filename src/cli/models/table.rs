//! A table in columns, which gives up its less important ones where the terminal is narrow.

use std::io::IsTerminal;

/// The columns of a terminal that says nothing of its width.
const USUAL: usize = 80;
/// A column: its head, its cells, and whether a narrow terminal does without it.
pub(super) struct Column {
    pub head: &'static str,
    pub cells: Vec<String>,
    /// The columns with the highest numbers go first; 0 stays.
    pub drop: u8,
    /// The width to which its cells may be cut, if they may.
    pub least: Option<usize>,
}

/// The width that standard output has, if it is a terminal or the environment says it (`COLUMNS`).
pub(super) fn width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.or_else(|| std::io::stdout().is_terminal().then_some(USUAL))
}

/// The table, in lines of at most so many columns as far as that can be.
pub(super) fn render(mut columns: Vec<Column>, width: Option<usize>) -> String {
    columns.retain(|column| column.cells.iter().any(|cell| !cell.is_empty()));
    let limit = width.unwrap_or(usize::MAX);
    while total(&columns) > limit {
        let Some(last) = columns.iter().map(|column| column.drop).max().filter(|drop| *drop > 0)
        else {
            break;
        };
        columns.retain(|column| column.drop != last);
    }
    // The last ones first: the names stand at the front.
    for i in (0..columns.len()).rev() {
        let over = total(&columns).saturating_sub(limit);
        let column = &mut columns[i];
        let Some(least) = column.least.filter(|_| over > 0) else { continue };
        let most = column.width().saturating_sub(over).max(least);
        column.cells.iter_mut().filter(|cell| count(cell) > most).for_each(|cell| {
            *cell = cell.chars().take(most - 1).chain(['…']).collect();
        });
    }
    let rows = columns.first().map_or(0, |column| column.cells.len());
    let line = |cell: &dyn Fn(&Column) -> String| {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| format!("{:<width$}", cell(column), width = column.width()))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let head = line(&|column| column.head.to_string());
    (0..rows).fold(head, |table, row| table + &line(&|column| column.cells[row].clone()))
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().map(|cell| count(cell)).chain([self.head.len()]).max().unwrap_or(0)
    }
}

fn total(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.width() + 2).sum::<usize>().saturating_sub(2)
}

fn count(text: &str) -> usize {
    text.chars().count()
}
