//! The forms in which an article's result is written to a file of its own.

use super::markdown::markdown;
use crate::types::Record;

/// A form of an article's output file.
#[derive(Clone, Copy, Debug)]
pub struct ArticleWriter {
    /// Name of the form.
    pub name: &'static str,
    /// Extension of the file's name, without the dot.
    pub extension: &'static str,
    /// Makes the content of the file.
    pub write: fn(&Record) -> String,
}

/// Markdown, the usual form.
pub static MARKDOWN: ArticleWriter =
    ArticleWriter { name: "markdown", extension: "md", write: markdown };

/// All forms. A new one is a function from record to text, and a line here.
pub static ARTICLE_WRITERS: &[&ArticleWriter] = &[&MARKDOWN];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_a_name_and_an_extension_of_its_own() {
        for (i, writer) in ARTICLE_WRITERS.iter().enumerate() {
            assert!(writer.extension.bytes().all(|b| b.is_ascii_alphanumeric()), "{writer:?}");
            let is_alike = |other: &&&ArticleWriter| {
                other.name == writer.name || other.extension == writer.extension
            };
            assert!(!ARTICLE_WRITERS[..i].iter().any(|other| is_alike(&other)), "{writer:?}");
        }
    }
}
