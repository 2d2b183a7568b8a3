//! What becomes of the texts of a document: asked for one by one, and remembered.

use super::{Edit, Settings};
use crate::error::Result;
use crate::languages;
use crate::types::{Block, BlockKind, Lang, Marked};

/// Asks what becomes of each text.
pub(super) struct Edits<'e> {
    ask: &'e mut dyn FnMut(Block) -> Result<Edit>,
    pub settings: &'e Settings,
    /// Whether any text was replaced, and whether any got another beside it.
    pub has_replaced: bool,
    pub has_appended: bool,
    /// Texts that stand in the document twice, for programs of two ages, with what became of the
    /// first; one list for each such passage around the present place.
    twins: Vec<Vec<(Marked, Edit)>>,
    is_second: bool,
}

/// How a text is shown among the others of its document.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub kind: BlockKind,
    pub prefix: String,
    pub suffix: &'static str,
}

impl Shown {
    pub fn paragraph() -> Shown {
        Shown { kind: BlockKind::Paragraph, prefix: String::new(), suffix: "\n\n" }
    }

    pub fn heading(level: usize) -> Shown {
        let prefix = format!("{} ", "#".repeat(level.clamp(1, 6)));
        Shown { kind: BlockKind::Heading, prefix, suffix: "\n\n" }
    }

    /// An item of a list in so many others.
    pub fn item(level: usize) -> Shown {
        let prefix = format!("{}- ", "  ".repeat(level.min(16)));
        Shown { kind: BlockKind::Item, prefix, suffix: "\n" }
    }

    pub fn verbatim() -> Shown {
        Shown { kind: BlockKind::Verbatim, prefix: String::new(), suffix: "\n\n" }
    }
}

impl<'e> Edits<'e> {
    pub fn new(settings: &'e Settings, ask: &'e mut dyn FnMut(Block) -> Result<Edit>) -> Edits<'e> {
        let (has_replaced, has_appended) = (false, false);
        Edits { ask, settings, has_replaced, has_appended, twins: Vec::new(), is_second: false }
    }

    /// What becomes of a text. One without a word, a number say, is shown and stays; so does one
    /// that would be replaced by itself.
    pub fn ask(&mut self, marked: &Marked, shown: Shown) -> Result<Edit> {
        if self.is_second {
            let twins = self.twins.iter().rev().flatten();
            let mut first =
                twins.filter(|(twin, _)| twin.text == marked.text).map(|(_, edit)| edit.clone());
            return Ok(first.next_back().unwrap_or(Edit::Keep));
        }
        let has_words = marked.text.chars().any(char::is_alphabetic);
        let block = Block {
            kind: if has_words { shown.kind } else { BlockKind::Verbatim },
            prefix: shown.prefix,
            text: marked.text.clone(),
            inline: marked.inline.clone(),
            suffix: shown.suffix.into(),
            ..Block::default()
        };
        let edit = match (self.ask)(block)? {
            Edit::Replace(new) if new == *marked => Edit::Keep,
            edit => edit,
        };
        self.has_replaced |= matches!(edit, Edit::Replace(_));
        self.has_appended |= matches!(edit, Edit::Append(_));
        if let Some(twins) = self.twins.last_mut() {
            twins.push((marked.clone(), edit.clone()));
        }
        Ok(edit)
    }

    /// A passage begins that holds the same texts twice.
    pub fn begin_twins(&mut self) {
        self.twins.push(Vec::new());
    }

    /// Whether the texts from here on are those that have been there before: they become what
    /// the first became, nobody is asked.
    pub fn repeat(&mut self, is_second: bool) {
        self.is_second = is_second;
    }

    /// The passage ends.
    pub fn end_twins(&mut self) {
        self.is_second = false;
        if let (Some(inner), Some(outer)) = (self.twins.pop(), self.twins.last_mut()) {
            outer.extend(inner);
        }
    }

    /// The language that texts are replaced by.
    pub fn to(&self) -> Option<&'e Lang> {
        self.settings.to.as_ref()
    }

    /// Whether new texts are written from right to left; `None` if their language is not known.
    pub fn is_rtl(&self) -> Option<bool> {
        self.to().map(is_rtl)
    }
}

/// Whether a language is written from right to left.
pub(super) fn is_rtl(lang: &Lang) -> bool {
    languages::get(lang).is_some_and(|(_, language)| language.rtl)
}
