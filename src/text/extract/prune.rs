//! What of a page is never its main text: menus, comments, teasers, forms, notices. An element's
//! name is one sign among several; one that holds passages of prose does not go by its name alone.

use super::boilerplate;
use super::page::{Measure, Measures, Page, measure};
use crate::types::Removal;
use std::collections::HashMap;

/// The nodes that are left out, and why.
pub(super) struct Gone {
    pub(super) nodes: Vec<bool>,
    pub(super) reasons: Vec<(usize, Removal)>,
}

impl Gone {
    pub(super) fn new(page: &Page) -> Gone {
        Gone { nodes: vec![false; page.nodes.len()], reasons: Vec::new() }
    }

    pub(super) fn add(&mut self, node: usize, reason: Removal) {
        self.nodes[node] = true;
        self.reasons.push((node, reason));
    }

    /// The outermost of the nodes that are left out, and why: what lies within goes with them.
    pub(super) fn outermost(&self, page: &Page) -> Vec<(usize, Removal)> {
        let mut is_outermost = vec![true; page.nodes.len()];
        let mut at = 1;
        while at < page.nodes.len() {
            let end = if self.nodes[at] { page.nodes[at].end } else { at + 1 };
            is_outermost[at + 1..end].fill(false);
            at = end;
        }
        self.reasons.iter().copied().filter(|&(at, _)| is_outermost[at]).collect()
    }
}

/// Words of a class before the name of what an element stands beside: `body-after-ad`.
const PLACES: [&str; 10] = [
    "after",
    "before",
    "below",
    "above",
    "beside",
    "besides",
    "under",
    "around",
    "following",
    "between",
];

/// What the words of a class or id say about an element.
pub(super) fn named(words: &[String]) -> Option<Removal> {
    let mut before = "";
    for (at, word) in words.iter().enumerate() {
        let word = word.as_str();
        let is_free = words.get(at + 1).is_some_and(|next| next == "free");
        if is_free
            || matches!(before, "has" | "no" | "with" | "without" | "not" | "non" | "wo")
            || PLACES.contains(&before) && !matches!(word, "the" | "a" | "first" | "last")
        {
            // About the page or what stands beside the element, not about the element.
            before = word;
            continue;
        }
        let reason =
            match word {
                "comment" | "comments" | "commentlist" | "disqus" | "respond" | "reply"
                | "kommentare" | "commentaires" | "replies" => Removal::Comments,
                "cookie" | "cookies" | "consent" | "gdpr" | "onetrust" | "cookiebot" | "cmplz"
                | "privacy" | "alert" | "alerts" | "disclosure" | "disclaimer" | "toast"
                | "notification" | "licence" | "license" => Removal::Notice,
                "newsletter" | "newsletters" | "subscribe" | "subscription" | "signup"
                | "paywall" | "login" | "cta" | "popup" | "modal" | "overlay" | "premium"
                | "regwall" | "abo" => Removal::Offer,
                "letter" if before == "news" => Removal::Offer,
                "share" | "sharing" | "shares" | "social" | "sociable" | "addtoany"
                | "sharedaddy" | "socials" | "sharebar" | "followus" | "follow" | "shariff"
                | "addthis" => Removal::Buttons,
                "related" | "recommend" | "recommended" | "recommendation" | "recommendations"
                | "teaser" | "teasers" | "outbrain" | "taboola" | "popular" | "trending"
                | "readmore" | "relatedposts" | "upnext" | "plista" | "similar" | "linkbox"
                | "suggested" => Removal::Related,
                "read" if before == "most" || before == "also" => Removal::Related,
                "more" if before == "read" || before == "view" || before == "see" => {
                    Removal::Related
                }
                "on" if before == "more" => Removal::Related,
                "next" | "prev" | "previous" | "pager" | "pagination" | "paging" | "nav"
                | "navi" | "navbar" | "navigation" | "menu" | "submenu" | "subnav"
                | "breadcrumb" | "breadcrumbs" | "crumb" | "crumbs" | "toolbar" | "topbar"
                | "toc" | "skip" | "nextprev" | "navbox" => Removal::Navigation,
                "ad" | "ads" | "advert" | "adverts" | "advertisement" | "advertising"
                | "adsense" | "adsbygoogle" | "sponsor" | "sponsored" | "promo" | "promoted"
                | "promotion" | "criteo" | "dfp" | "anzeige" | "werbung" | "publicidad"
                | "reklama" | "banner" => Removal::Advertisement,
                "sidebar" | "aside" | "widget" | "widgets" | "footer" | "colophon" | "rail" => {
                    Removal::Margin
                }
                "tags" | "taglist" | "tagcloud" | "byline" | "author" | "authors" | "autor"
                | "bio" | "meta" | "metadata" | "postmeta" | "timestamp" | "rating" | "ratings"
                | "dateline" | "pubdate" | "publishdate" | "infos" | "categories" | "keywords"
                | "date" | "datum" | "kicker" => Removal::Details,
                "list" | "links" if before == "tag" => Removal::Details,
                "caption" | "captions" | "figcaption" | "credit" | "credits" | "copyright"
                | "photocredit" | "legende" | "bildunterschrift" => Removal::Caption,
                "button" | "buttons" | "btn" | "print" | "noprint" | "icon" | "icons"
                | "tooltip" => Removal::Buttons,
                "hidden" | "hide" | "invisible" | "visuallyhidden" => Removal::Hidden,
                "only" | "text" if before == "reader" || before == "sr" => Removal::Hidden,
                _ => {
                    before = word;
                    continue;
                }
            };
        return Some(reason);
    }
    None
}

/// Elements that hold no text of the article. What a reader would see of them is told.
pub(super) fn never(page: &Page, gone: &mut Gone) {
    let mut at = 1;
    while at < page.nodes.len() {
        let node = &page.nodes[at];
        let out = matches!(
            &*node.tag,
            "head"
                | "title"
                | "script"
                | "style"
                | "template"
                | "svg"
                | "iframe"
                | "object"
                | "embed"
                | "button"
                | "select"
                | "textarea"
                | "dialog"
                | "canvas"
                | "audio"
                | "video"
                | "input"
                | "datalist"
                | "map"
                | "rt"
                | "rp"
                | "math"
                | "progress"
                | "option"
                | "optgroup"
                | "applet"
                | "frame"
                | "frameset"
        );
        if out {
            gone.nodes[at] = true;
            gone.reasons.extend(seen(&node.tag).map(|reason| (at, reason)));
            at = node.end;
        } else {
            at += 1;
        }
    }
}

/// Why an element that never holds text of the article is left out, where a reader sees its text.
fn seen(tag: &str) -> Option<Removal> {
    Some(match tag {
        "button" => Removal::Buttons,
        "dialog" => Removal::Notice,
        "select" | "option" | "optgroup" | "textarea" => Removal::Offer,
        // The words in a drawing, and what stands for one that cannot be shown.
        "svg" | "object" | "applet" => Removal::Caption,
        // The reading of a word that stands there.
        "rt" => Removal::Repeated,
        _ => return None,
    })
}

/// Leaves out the captions that a reader of another format has marked as such: those of pictures
/// that stand in the text of an article, and are no part of it.
pub(super) fn marked_captions(page: &Page, gone: &mut Gone) {
    let is_marked = |at: &usize| {
        let node = &page.nodes[*at];
        node.tag == "figcaption" && node.attribute("hidden").is_some()
    };
    for at in (1..page.nodes.len()).filter(is_marked) {
        gone.add(at, Removal::Caption);
    }
}

/// How much is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// All that gives a sign of not being the main text.
    All,
    /// By tags alone; what is hidden stays.
    Tags,
    /// Nothing but what never holds text.
    None,
}

pub(super) fn apply(page: &Page, gone: &mut Gone, rules: Rules) {
    match rules {
        Rules::All => {
            hidden(page, gone);
            boilerplate(page, gone, true);
        }
        Rules::Tags => boilerplate(page, gone, false),
        Rules::None => {}
    }
}

/// Leaves out what is hidden unless it holds most of the prose.
pub(super) fn hidden(page: &Page, gone: &mut Gone) {
    let sums = measure(page, &gone.nodes);
    let total = sums[0].prose;
    let mut found = Vec::new();
    let mut at = 1;
    while at < page.nodes.len() {
        let node = &page.nodes[at];
        let out = !gone.nodes[at] && (node.tag == "noscript" || node.is_hidden());
        if out {
            found.push(at);
        }
        at = if out || gone.nodes[at] { node.end } else { at + 1 };
    }
    // A gallery or an article that a script unfolds.
    let prose: usize = found.iter().map(|&at| sums[at].prose).sum();
    if prose * 2 > total && prose > 0 {
        found.retain(|&at| sums[at].prose == 0);
    }
    let unfolds: Vec<bool> =
        found.iter().map(|&at| goes_on_hidden(page, at, &sums, &found)).collect();
    let mut unfolds = unfolds.into_iter();
    found.retain(|_| !unfolds.next().unwrap_or(false));
    found.into_iter().for_each(|at| gone.add(at, Removal::Hidden));
}

/// Whether a hidden element goes on with the prose that stands before it in the same element: the
/// rest of an article, which a button unfolds, or its next page.
fn goes_on_hidden(page: &Page, at: usize, sums: &Measures, hidden: &[usize]) -> bool {
    let (node, sum) = (&page.nodes[at], sums[at]);
    let is_prose = sum.prose > 0 && sum.prose * 10 >= sum.chars * 8 && sum.fields == 0;
    let is_other = named(&node.names).is_some_and(|reason| reason != Removal::Hidden);
    if !is_prose || is_other || node.tag == "noscript" || page.nodes[node.parent].tag == "body" {
        return false;
    }
    let mut shown = 0;
    let mut sibling = node.parent + 1;
    while sibling < at {
        if hidden.binary_search(&sibling).is_err() {
            shown += sums[sibling].prose;
        }
        sibling = page.nodes[sibling].end.max(sibling + 1);
    }
    shown * 2 >= sum.prose && !boilerplate::offers(&page.text_of(at, |_| false))
}

/// Leaves out menus, comments, teasers and the like, by all the signs that they give.
fn boilerplate(page: &Page, gone: &mut Gone, by_name: bool) {
    let sums = measure(page, &gone.nodes);
    let mut suspects = Vec::new();
    let mut at = 1;
    while at < page.nodes.len() {
        let node = &page.nodes[at];
        let judged = match gone.nodes[at] || node.is_text() {
            true => None,
            false => judge(page, at, &sums, by_name),
        };
        match judged {
            Some((reason, true)) => gone.add(at, reason),
            Some((reason, false)) => suspects.push((at, reason)),
            None => {}
        }
        at = if gone.nodes[at] || judged.is_some() { node.end } else { at + 1 };
    }
    let sums = measure(page, &gone.nodes);
    let mut of: HashMap<Removal, usize> = HashMap::new();
    for &(at, reason) in &suspects {
        *of.entry(reason).or_default() += sums[at].prose;
    }
    let named: usize = suspects.iter().map(|&(at, _)| sums[at].prose).sum();
    let unnamed = sums[0].prose - named.min(sums[0].prose);
    let mut earlier = 0;
    for &(at, reason) in &suspects {
        // Prose of a name is no article when it stands outside of all other prose, and is less.
        let before = sums.before(at).saturating_sub(earlier);
        earlier += sums[at].prose;
        let after = unnamed.saturating_sub(before);
        let outside = before * 12 < unnamed || after * 8 < unnamed;
        let limit = if reason == Removal::Comments { 6 } else { 1 };
        if outside && of.get(&reason).is_some_and(|all| all * 2 < unnamed * limit) {
            gone.add(at, reason);
        }
    }
}

/// Judges an element: why it is to be left out, and whether that is sure, or is to be told from
/// where it stands.
fn judge(page: &Page, at: usize, sums: &Measures, by_name: bool) -> Option<(Removal, bool)> {
    let node = &page.nodes[at];
    let (sum, total) = (sums[at], sums[0]);
    let tag = &*node.tag;
    if matches!(tag, "html" | "body" | "main" | "tbody") {
        return None;
    }
    // What holds most of the prose is the main text, whatever it is called.
    let share = if matches!(tag, "nav" | "menu" | "footer" | "aside") { 9 } else { 5 };
    if sum.prose * 10 > total.prose * share && sum.prose > 0 {
        return None;
    }
    let by_tag = match tag {
        "nav" | "menu" => Some(Removal::Navigation),
        "footer" | "aside" => Some(Removal::Margin),
        "form" | "fieldset" | "label" => Some(Removal::Offer),
        "figcaption" => Some(Removal::Caption),
        "time" if sum.prose == 0 => Some(Removal::Details),
        "amp-sidebar" => Some(Removal::Navigation),
        "amp-consent" | "amp-user-notification" | "amp-lightbox" => Some(Removal::Notice),
        "amp-ad" | "amp-embed" | "amp-sticky-ad" => Some(Removal::Advertisement),
        "amp-social-share" => Some(Removal::Buttons),
        _ => None,
    };
    let by_role = match node.attribute("role") {
        Some("navigation" | "menu" | "menubar" | "tablist" | "toolbar" | "search") => {
            Some(Removal::Navigation)
        }
        Some("dialog" | "alertdialog" | "alert") => Some(Removal::Notice),
        Some("complementary" | "contentinfo") => Some(Removal::Margin),
        _ => None,
    };
    if let Some(reason) = by_tag.or(by_role) {
        return Some((reason, true));
    }
    let reason = named(&node.names).filter(|_| by_name)?;
    let linked = sum.linked * 4 > sum.chars;
    // An item with more in it than a passage is an entry of a list of them.
    let is_entry = tag == "li" && sum.scraps > 0;
    let is_passage = matches!(tag, "p" | "td" | "li") && sum.prose > 0 && !is_entry && !linked;
    if matches!(tag, "h1" | "article") || is_passage {
        return None;
    }
    if sum.prose == 0 {
        return (!is_within_prose(page, at, sums)).then_some((reason, true));
    }
    let form = linked || sum.fields > 0;
    match reason {
        Removal::Related => {
            (form || sum.linked > 0 || is_in_link(page, at)).then_some((reason, true))
        }
        Removal::Buttons | Removal::Navigation | Removal::Hidden => form.then_some((reason, true)),
        Removal::Notice | Removal::Offer => {
            let offers = form || boilerplate::offers(&page.text_of(at, |_| false));
            offers.then_some((reason, true))
        }
        Removal::Caption => Some((reason, form || has_picture(page, at))),
        _ => Some((reason, form)),
    }
}

/// Whether an element holds a picture, or its parent does.
fn has_picture(page: &Page, at: usize) -> bool {
    let is_picture =
        |at: usize| matches!(&*page.nodes[at].tag, "img" | "picture" | "figure" | "video");
    let up = page.nodes[at].parent;
    page.below(at).any(is_picture)
        || page.nodes[up].tag == "figure"
        || page.below(up).take(40).any(is_picture)
}

/// Whether an element is a part of a passage of prose, as the place at the head of a report is.
fn is_within_prose(page: &Page, at: usize, sums: &Measures) -> bool {
    let node = &page.nodes[at];
    let up = node.parent;
    matches!(&*node.tag, "span" | "b" | "strong" | "i" | "em" | "font" | "abbr" | "cite")
        && matches!(&*page.nodes[up].tag, "p" | "td" | "li" | "blockquote")
        && sums[up].prose > 0
        && sums[at].chars * 2 < sums[up].prose
        && sums[at].fields == 0
}

/// Whether an element stands within a link.
fn is_in_link(page: &Page, at: usize) -> bool {
    page.above(at).take(6).any(|up| page.nodes[up].tag == "a")
}

/// Leaves out lists and boxes that are only links, below a node.
pub(super) fn links(page: &Page, root: usize, gone: &mut Gone) {
    let sums = measure(page, &gone.nodes);
    let whole = sums[root];
    let mut announced = false;
    let mut at = root + 1;
    while at < page.nodes[root].end {
        let node = &page.nodes[at];
        if gone.nodes[at] {
            at = node.end;
            continue;
        }
        let sum = sums[at];
        let list = matches!(
            &*node.tag,
            "div" | "ul" | "ol" | "dl" | "section" | "table" | "p" | "article" | "header"
        );
        if node.is_text() && !node.text.trim().is_empty() {
            let text = node.text.trim();
            // A list of links that the text announces is a part of it.
            announced = text.ends_with(':') && !boilerplate::heads_an_end(text);
        }
        let minor = sum.chars > 0 && sum.chars * 2 < whole.chars;
        if list && minor && is_link_box(&node.tag, sum) {
            if announced && matches!(&*node.tag, "ul" | "ol") {
                at = node.end;
                continue;
            }
            gone.add(at, Removal::Links);
            at = node.end;
            continue;
        }
        at += 1;
    }
}

fn is_link_box(tag: &str, sum: Measure) -> bool {
    let share = sum.linked * 100 / sum.chars.max(1);
    match tag {
        "p" => share > 90 && (sum.links > 1 || sum.chars < 60 || sum.chars > 100),
        "table" => sum.chars >= 200 && share > 60,
        _ if sum.chars < 300 => share > 75,
        _ => sum.links > 3 && share > 65,
    }
}
