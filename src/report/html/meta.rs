//! What a report is told about its run and its pages.

use crate::types::Lang;
use maud::Markup;

/// Facts about the run as a whole, for the head of its report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Heading of the page.
    pub title: String,
    /// Time of the run as a person writes it; empty to leave it out.
    pub created: String,
    /// Target language of the run.
    pub target: Option<Lang>,
    /// Lines below the overview, such as the files that were skipped.
    pub notes: Vec<String>,
    /// How much a page holds.
    pub limits: Limits,
}

/// How much a page holds, so that a browser opens it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most articles of a report that is one page.
    pub articles: usize,
    /// Most bytes of their texts.
    pub bytes: usize,
    /// Most articles on each page of a report that has several.
    pub page_articles: usize,
    /// Bytes of texts after which the next page begins.
    pub page_bytes: usize,
    /// Most articles that the first page of such a report lists.
    pub listed: usize,
}

impl Default for Meta {
    fn default() -> Self {
        Meta {
            title: "Articles".into(),
            created: String::new(),
            target: None,
            notes: Vec::new(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            articles: 5000,
            bytes: 64 << 20,
            page_articles: 1000,
            page_bytes: 16 << 20,
            listed: 50_000,
        }
    }
}

/// One of the pages of a report.
#[derive(Default)]
pub(super) struct Part {
    /// Its name; none where it is the only one or the first.
    pub(super) name: Option<String>,
    /// Whether it lists articles that are on others.
    pub(super) is_list: bool,
    /// Links to the others.
    pub(super) links: Markup,
}
