//! Settings for reading articles.

/// Settings of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Field of JSON, or column of a table, that holds the title; found among usual names without.
    pub title_field: Option<String>,
    /// The one that holds the text; found among usual names without.
    pub text_field: Option<String>,
    /// The one that holds the id of articles in a file of several; found among usual names without.
    pub id_field: Option<String>,
    /// Columns of tables that are translated, by name or by number from 1; without, those that hold
    /// text.
    pub columns: Vec<String>,
    /// Whether the rows of tables that have a column for the text are articles; else a table is a
    /// document.
    pub rows: bool,
    /// Largest article in bytes, after decompression.
    pub max_bytes: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions {
            title_field: None,
            text_field: None,
            id_field: None,
            columns: Vec::new(),
            rows: false,
            max_bytes: 64 << 20,
        }
    }
}
