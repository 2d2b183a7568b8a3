//! What the styles of a Word document say of a text: a heading, a list, code.

use super::super::xml::{Kind, Tokens};
use crate::error::Result;
use crate::text::tag;
use std::collections::HashMap;

/// What a style makes of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    Heading(usize),
    Item,
    Code,
}

/// The styles that mean something, by their names in the document.
pub(super) struct Styles(HashMap<String, Meaning>);

impl Styles {
    /// Reads the style sheet; there need not be one.
    ///
    /// # Errors
    /// When it is not well formed.
    pub fn read(source: &str) -> Result<Styles> {
        let (mut styles, mut current) = (HashMap::new(), None::<String>);
        let mut tokens = Tokens::new(source);
        while let Some(token) = tokens.next()? {
            if !matches!(token.kind, Kind::Start | Kind::Empty) {
                continue;
            }
            match tag::local(token.name()) {
                "style" => current = value(token.raw, "styleId").map(str::to_string),
                "name" => {
                    let meaning = value(token.raw, "val").and_then(meaning);
                    if let (Some(id), Some(meaning)) = (&current, meaning) {
                        styles.insert(id.clone(), meaning);
                    }
                }
                "outlineLvl" => {
                    let level = value(token.raw, "val").and_then(|v| v.parse::<usize>().ok());
                    if let (Some(id), Some(level)) = (&current, level.filter(|l| *l < 9)) {
                        styles.entry(id.clone()).or_insert(Meaning::Heading(level + 1));
                    }
                }
                _ => {}
            }
        }
        Ok(Styles(styles))
    }

    /// What a style means; one that the sheet lacks goes by its name.
    pub fn of(&self, id: &str) -> Option<Meaning> {
        self.0.get(id).copied().or_else(|| meaning(id))
    }
}

/// What the built-in name of a style, which is English in every language of Word's, means.
fn meaning(name: &str) -> Option<Meaning> {
    let name = name.to_lowercase().replace(['_', '-'], " ");
    let heading = name.strip_prefix("heading").and_then(|n| n.trim().parse().ok());
    let is_code = name.contains("code") && !name.contains("barcode")
        || ["html preformatted", "htmlpreformatted", "verbatim", "listing", "plain text code"]
            .iter()
            .any(|code| name.starts_with(code));
    match heading {
        Some(level) => Some(Meaning::Heading(level)),
        None if name == "title" => Some(Meaning::Heading(1)),
        None if is_code => Some(Meaning::Code),
        None if name.starts_with("list bullet") || name.starts_with("list number") => {
            Some(Meaning::Item)
        }
        None => None,
    }
}

/// The value of an attribute, whatever its prefix.
pub(super) fn value<'a>(raw: &'a str, name: &str) -> Option<&'a str> {
    let attributes = tag::attributes(raw);
    let found = attributes.iter().find(|a| tag::local(&raw[a.name.clone()]) == name)?;
    Some(&raw[found.value.clone()])
}
