//! The element of a page that holds its main text.

use super::page::{Measure, Measures, Page};
use super::prune;

/// Whether an element says by microdata, or by a class or id of the field, that it is the body of
/// an article.
fn is_declared(page: &Page, at: usize) -> bool {
    let node = &page.nodes[at];
    if node.attribute("itemprop").is_some_and(|p| p.split_whitespace().any(|p| p == "articleBody"))
        || node.tag == "article"
    {
        return true;
    }
    let pairs = node.names.windows(2).any(|w| {
        matches!(
            (w[0].as_str(), w[1].as_str()),
            (
                "article" | "post" | "story" | "entry" | "news" | "art" | "page" | "blog" | "main",
                "body" | "content" | "text" | "entry" | "copy" | "bodycopy"
            ) | ("body", "text" | "content" | "copy")
                | ("rich", "text")
                | ("single", "post" | "content")
                | ("content", "body" | "text")
        )
    });
    pairs
        || node.names.iter().any(|n| {
            matches!(
                n.as_str(),
                "articlebody"
                    | "articletext"
                    | "storybody"
                    | "postcontent"
                    | "fulltext"
                    | "articlecontent"
            )
        })
        || node.names.len() == 1
            && matches!(node.names[0].as_str(), "entry" | "post" | "story" | "article")
}

fn is_container(tag: &str) -> bool {
    matches!(
        tag,
        "div"
            | "article"
            | "main"
            | "section"
            | "body"
            | "td"
            | "center"
            | "table"
            | "form"
            | "tbody"
            | "aside"
            | "html"
            | "dl"
            | "dd"
            | "li"
    )
}

/// Chooses the element.
pub(super) fn choose(page: &Page, sums: &Measures) -> usize {
    let containers = || page.below(0).filter(|&at| is_container(&page.nodes[at].tag));
    if sums[0].prose < 200 {
        // Hardly a sentence on the page: what calls itself the article, or everything.
        return containers()
            .filter(|&at| is_declared(page, at) && sums[at].chars > 0)
            .max_by_key(|&at| (sums[at].chars - sums[at].linked, at))
            .unwrap_or(0);
    }
    let best = containers()
        .filter(|&at| {
            !matches!(&*page.nodes[at].tag, "dl" | "dd" | "li" | "form")
                || sums[at].prose * 10 > sums[0].prose * 9
        })
        .max_by_key(|&at| (sums[at].value(), at))
        .unwrap_or(0);
    let declared = containers()
        .filter(|&at| is_declared(page, at) && sums[at].prose > 0)
        .filter(|&at| page.holds(best, at) || page.holds(at, best))
        .max_by_key(|&at| (sums[at].value(), at));
    match declared {
        Some(at) if sums[at].value() >= sums[best].value() => at,
        Some(at)
            if sums[at].prose * 10 >= sums[best].prose * 6
                && !has_twin(page, sums, at)
                && !goes_on(page, sums, best, at) =>
        {
            at
        }
        _ => best,
    }
}

/// Whether an element goes on with the text of a part of it: the prose beside the part is like its
/// own, is not marked as something else, as teasers, comments and notices are, and does not stand
/// before the headline.
fn goes_on(page: &Page, sums: &Measures, whole: usize, part: usize) -> bool {
    let beside = beside(page, whole, part);
    let headline = page.below(whole).find(|&at| page.nodes[at].tag == "h1");
    let is_before = |at: usize| {
        sums[at].prose > 0 && headline.is_some_and(|headline| page.nodes[at].end <= headline)
    };
    let is_other = |&at: &usize| is_before(at) || is_strange(page, sums, at);
    let strange: Vec<usize> = beside.filter(is_other).collect();
    let rest = [part].iter().chain(&strange).fold(sums[whole], |rest, &at| rest.less(sums[at]));
    let length = |of: Measure| of.prose / of.passages.max(1);
    let other: usize = strange.iter().map(|&at| sums[at].prose).sum();
    rest.prose > other
        && length(rest) >= (length(sums[part]) / 2).min(100)
        && rest.scraps == 0
        && rest.fields == 0
        && rest.linked == 0
        && rest.chars * 9 <= rest.prose * 10
}

/// The elements of a whole that stand beside a part of it, or beside what the part stands in.
fn beside(page: &Page, whole: usize, part: usize) -> impl Iterator<Item = usize> + '_ {
    let path = page.above(part).take_while(move |&up| page.holds(whole, up));
    path.flat_map(move |up| page.children(up).filter(move |&at| !page.holds(at, part)))
}

/// Whether prose shows that it is none of the article: by a name, by fields, by headings that link.
fn is_strange(page: &Page, sums: &Measures, at: usize) -> bool {
    let nodes = &page.nodes;
    let is_heading = |at: usize| matches!(&*nodes[at].tag, "h2" | "h3" | "h4" | "h5" | "h6");
    let is_link = |at: usize| nodes[at].tag == "a" && page.above(at).take(3).any(is_heading);
    sums[at].prose > 0
        && (sums[at].fields > 0
            || (at..nodes[at].end).any(|inner| {
                let names = &nodes[inner].names;
                let is_other = prune::named(names).is_some() || names.iter().any(|n| n == "next");
                sums[inner].prose > 0 && is_other || is_link(inner)
            }))
}

/// Whether the page has another element of the same names with much prose.
fn has_twin(page: &Page, sums: &Measures, at: usize) -> bool {
    let node = &page.nodes[at];
    page.below(0).any(|other| {
        let twin = &page.nodes[other];
        !page.holds(at, other)
            && !page.holds(other, at)
            && twin.tag == node.tag
            && sums[other].prose * 6 >= sums[at].prose
            && alike(&twin.names, &node.names)
    })
}

/// Whether two elements have the same names, numbers aside.
fn alike(a: &[String], b: &[String]) -> bool {
    let bare = |names: &[String]| {
        let words = names.iter().filter(|n| !n.starts_with(|c: char| c.is_numeric()));
        words.cloned().collect::<std::collections::BTreeSet<_>>()
    };
    let (a, b) = (bare(a), bare(b));
    let shared = a.intersection(&b).count();
    shared * 10 >= a.len().max(b.len()) * 7
}

/// Passages of prose before the main text that belong to it: between the headline and the text, or
/// the one that the page gives as its description.
pub(super) fn lead(page: &Page, sums: &Measures, root: usize, gone: &[bool]) -> Vec<usize> {
    let headline = (1..root).rev().find(|&at| page.nodes[at].tag == "h1" && !gone[at]);
    let Some(headline) = headline else { return Vec::new() };
    let start = page.nodes[headline].end;
    let mut out = Vec::new();
    let mut at = start;
    while at < root {
        let node = &page.nodes[at];
        if gone[at] {
            at = node.end;
            continue;
        }
        let leaf =
            matches!(&*node.tag, "p" | "h2" | "h3" | "div" | "strong" | "span" | "blockquote")
                && !page.holds(at, root)
                && sums[at].chars >= 50
                && sums[at].linked * 5 < sums[at].chars
                && sums[at].passages <= 1;
        if leaf {
            out.push(at);
            at = node.end;
        } else {
            at += 1;
        }
    }
    // Much text between headline and root is not a lead.
    let total: usize = out.iter().map(|&at| sums[at].chars).sum();
    if out.len() > 4 || total * 2 > sums[root].chars.max(600) { Vec::new() } else { out }
}
