//! Terms that a translation has to use, and what became of them.

use super::Lang;
use serde::{Deserialize, Serialize};

/// How terms are to be translated between two languages, or in any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Glossary {
    /// Its entries, in the order of the file.
    pub entries: Vec<GlossaryEntry>,
}

/// A term and its translation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GlossaryEntry {
    /// The term in the source, in each of its forms; at least one, none empty.
    pub source: Vec<String>,
    /// The forms that may stand for it in a translation; none where it is not to be translated.
    pub target: Vec<String>,
    /// The language of the source; `None` for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Lang>,
    /// The language of the translation; `None` for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Lang>,
    /// Whether capitals count when it is looked for in a source; `None` where the term itself
    /// tells: they do in `NATO` and `iPhone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<bool>,
    /// What the file says of it; nothing depends on it.
    #[serde(skip)]
    pub note: Option<String>,
}

impl GlossaryEntry {
    /// Whether the term stays as it is.
    pub fn is_kept(&self) -> bool {
        self.target.is_empty()
    }
}

/// The terms of an article or a sentence: those that its translation uses, and those that it does
/// not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Those that stand in the translation as the glossary says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<Term>,
    /// Those that could not be brought in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Term>,
}

impl Terms {
    /// Whether the source has no term.
    pub fn is_empty(&self) -> bool {
        self.applied.is_empty() && self.missed.is_empty()
    }

    /// What becomes of them where the source stands in the place of the translation: none is
    /// applied.
    pub fn give_up(&mut self) {
        self.missed.append(&mut self.applied);
    }

    /// Adds those of another text.
    pub fn extend(&mut self, other: Terms) {
        self.applied.extend(other.applied);
        self.missed.extend(other.missed);
    }
}

/// A term where it occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// 0-based number of its segment in an article: the title if there is one, then the body's
    /// sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<usize>,
    /// The term, as the source writes it.
    pub source: String,
    /// What stands for it in the translation; of one that is missed, the first form that might.
    pub target: String,
}
