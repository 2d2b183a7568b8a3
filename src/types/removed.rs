use serde::{Deserialize, Serialize};

/// Why parts of a page are left out of its article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// Advertisements.
    Advertisement,
    /// A line that stands on many pages: "Read more", "11 comments", a copyright notice.
    Boilerplate,
    /// Buttons, for sharing above all.
    Buttons,
    /// Captions and credits of pictures.
    Caption,
    /// What readers say.
    Comments,
    /// Author, date, tags, ratings.
    Details,
    /// Text outside of the element that holds the article.
    Elsewhere,
    /// What stands before and after the text: labels, bylines, sections that lead away from it.
    Ends,
    /// What the page hides.
    Hidden,
    /// Lists of links.
    Links,
    /// Sidebars and footers.
    Margin,
    /// Menus and paths.
    Navigation,
    /// Notices of cookies and privacy, dialogs.
    Notice,
    /// Forms and offers: subscriptions, newsletters, logins.
    Offer,
    /// Teasers of other articles.
    Related,
    /// What the page shows a second time.
    Repeated,
    /// The end of a source that is too long for a page.
    TooLong,
}

/// The parts of a page that are left out of its article for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Why they are left out.
    pub reason: Removal,
    /// How many there are.
    pub parts: usize,
    /// Their characters.
    pub characters: usize,
    /// Start of one of the longest.
    pub start: String,
}
