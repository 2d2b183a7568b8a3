//! HTML: the main content as a browser's reader mode finds it, then its blocks.

use super::boilerplate::{self, Verdict};
use super::found::{Found, one_line};
use super::html_blocks::{Reading, visit, walk};
use super::plain;
use crate::text::words::words;
use crate::types::{Block, BlockKind};
use dom_query::Document;
use dom_smoothie::{Config, Readability};
use regex::Regex;
use std::sync::LazyLock;

/// Classes and ids of elements that are no part of the article.
static UNWANTED: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)(?:^|[\s_-])(?:
        cookies?|consent|gdpr|newsletter|subscri(?:be|ption)|share|sharing|social|related|
        recommend(?:ed|ations)?|comments?|disqus|adverts?|advertisement|ads?|sponsor(?:ed)?|promo|
        outbrain|taboola|breadcrumbs?|paywall|popup|modal|sidebar|navbar|navigation|most-read|
        read-more|readmore|also-read|tags
    )(?:$|[\s_-])";
    Regex::new(pattern).expect("the pattern is constant and tested")
});

static TAG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<[^>]*>").expect("the pattern is constant and tested"));

/// Depth of tags above which a source is read as plain text: parsing takes time by the square of
/// the depth, and no real page comes near this one.
const DEEPEST_SOURCE: usize = 2000;

/// Depth of the tree above which reader mode, which is recursive, is left out.
const DEEPEST_TREE: usize = 400;

/// Length in bytes below which reader mode may have picked the wrong part.
const SHORT: usize = 200;

/// Reads a page, or a piece of one.
pub(super) fn read(source: &str) -> Found {
    if depth(source) > DEEPEST_SOURCE {
        return plain::read(&TAG.replace_all(source, "\n\n"));
    }
    let document = Document::from(source);
    let title = title(&document);
    remove_unwanted(&document);
    let fallback = walk(&document.root());
    let all: usize = length(&fallback);
    let main = if is_too_deep(&document) { Vec::new() } else { reader_mode(document) };
    let found = length(&main);
    // A short page, or one without paragraphs, is better read whole.
    let blocks = if found < SHORT && all > 2 * found || found == 0 { fallback } else { main };
    Found { title, blocks: without_link_lists(blocks) }
}

/// Reads the HTML of an article that stands alone: whatever is text in it belongs to it.
pub(super) fn read_fragment(source: &str) -> Found {
    if depth(source) > DEEPEST_SOURCE {
        return plain::read(&TAG.replace_all(source, "\n\n"));
    }
    let document = Document::fragment(source);
    remove_unwanted(&document);
    Found { title: None, blocks: without_link_lists(walk(&document.root())) }
}

/// Depth to which the tags of a source are nested, leaving out those that are often not closed.
fn depth(source: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    for (at, _) in source.match_indices('<') {
        let rest = &source[at + 1..];
        let closing = rest.starts_with('/');
        let name: String = rest
            .chars()
            .skip(usize::from(closing))
            .take(10)
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        match name.as_str() {
            "" | "area" | "base" | "br" | "col" | "dd" | "dt" | "embed" | "hr" | "img"
            | "input" | "li" | "link" | "meta" | "option" | "p" | "param" | "source" | "td"
            | "th" | "tr" | "track" | "wbr" => {}
            _ if closing => depth = depth.saturating_sub(1),
            _ => {
                depth += 1;
                deepest = deepest.max(depth);
            }
        }
    }
    deepest
}

fn length(blocks: &[Reading]) -> usize {
    blocks.iter().map(|b| b.block.text.len()).sum()
}

fn reader_mode(document: Document) -> Vec<Reading> {
    let config = Config { disable_json_ld: true, ..Config::default() };
    let article =
        Readability::with_document(document, None, Some(config)).and_then(|mut r| r.parse());
    article.map(|a| walk(&Document::from(a.content).root())).unwrap_or_default()
}

/// Whether a page is nested deeper than any real one, which a recursive reader does not survive.
fn is_too_deep(document: &Document) -> bool {
    let mut depth = 0usize;
    let mut deepest = 0;
    visit(&document.root(), &mut |_, entering| {
        if entering {
            depth += 1;
            deepest = deepest.max(depth);
        } else {
            depth -= 1;
        }
        deepest <= DEEPEST_TREE
    });
    deepest > DEEPEST_TREE
}

/// The headline: `og:title` or `<title>` without the site's name; the page's only `<h1>` where they
/// agree.
fn title(document: &Document) -> Option<String> {
    let attribute = |selector: &str, name: &str| {
        document
            .try_select(selector)
            .and_then(|s| s.attr(name))
            .map(|t| one_line(&t))
            .filter(|t| !t.is_empty())
    };
    let text = |selector: &str| {
        document.try_select(selector).map(|s| one_line(&s.first().text())).filter(|t| !t.is_empty())
    };
    let page = attribute("meta[property='og:title']", "content")
        .or_else(|| text("head > title"))
        .or_else(|| text("title"));
    let site = attribute("meta[property='og:site_name']", "content");
    let heading = text("h1");
    match (page, heading) {
        (None, heading) => heading,
        (Some(page), Some(heading)) if page.starts_with(&heading) || heading.starts_with(&page) => {
            Some(heading)
        }
        (Some(page), heading) => {
            let cut = without_site(&page, site.as_deref());
            Some(heading.filter(|h| is_headline(h, &cut)).unwrap_or(cut))
        }
    }
}

/// Whether an `<h1>` is the headline that the page's title means, and not the name of the site.
fn is_headline(heading: &str, title: &str) -> bool {
    let (heading, title) = (words(heading), words(title));
    let shared = heading.iter().filter(|w| title.contains(w)).count();
    shared * 2 >= heading.len() && shared * 2 >= title.len() || heading.len() > title.len()
}

/// "Headline | Site" without the site.
fn without_site(page: &str, site: Option<&str>) -> String {
    for separator in [" | ", " – ", " — ", " - ", " :: ", " · ", " » "] {
        if let Some((headline, rest)) = page.rsplit_once(separator) {
            let named = site.is_some_and(|s| rest.trim().eq_ignore_ascii_case(s));
            let short = site.is_none()
                && rest.split_whitespace().count() <= 4
                && headline.split_whitespace().count() >= 3;
            if named || short {
                return headline.trim().to_string();
            }
        }
    }
    page.to_string()
}

/// Removes scripts, menus, buttons, and elements whose class or id says that they are no part of
/// the article, unless they hold half of the page.
fn remove_unwanted(document: &Document) {
    let total = document.root().normalized_char_count();
    let mut unwanted = Vec::new();
    visit(&document.root(), &mut |node, entering| {
        if !entering || !node.is_element() {
            return true;
        }
        let name = node.node_name().unwrap_or_default();
        let never = matches!(
            &*name,
            "script"
                | "style"
                | "noscript"
                | "template"
                | "svg"
                | "iframe"
                | "object"
                | "button"
                | "select"
                | "textarea"
                | "nav"
                | "dialog"
                | "canvas"
                | "audio"
                | "video"
        );
        let hidden = node.has_attr("hidden")
            || node.attr("aria-hidden").is_some_and(|v| &*v == "true")
            || node.attr("style").is_some_and(|s| s.replace(' ', "").contains("display:none"));
        let labelled = || {
            let label = format!(
                "{} {}",
                node.class().unwrap_or_default(),
                node.id_attr().unwrap_or_default()
            );
            UNWANTED.is_match(&label)
                && !matches!(&*name, "html" | "body" | "main" | "article")
                && node.normalized_char_count() * 2 < total
        };
        let remove = never
            || hidden && node.normalized_char_count() * 2 < total
            || matches!(&*name, "aside" | "footer") && node.normalized_char_count() * 2 < total
            || labelled();
        if remove {
            unwanted.push(node.id);
        }
        !remove
    });
    for id in unwanted {
        if let Some(node) = document.tree.get(&id) {
            node.remove_from_parent();
        }
    }
}

/// Drops blocks that are only links: three in a row, or any after a line such as "Related
/// articles".
fn without_link_lists(blocks: Vec<Reading>) -> Vec<Block> {
    let is_link = |r: &Reading| {
        r.block.kind != BlockKind::Heading
            && r.linked * 10 >= r.block.text.len() * 9
            && r.block.text.len() < 400
    };
    let mut keep = vec![true; blocks.len()];
    let mut start = 0;
    while start < blocks.len() {
        let end = start + blocks[start..].iter().take_while(|r| is_link(r)).count();
        let announced =
            start > 0 && boilerplate::judge(&blocks[start - 1].block.text) == Verdict::Anywhere;
        if end - start >= 3 || end > start && announced {
            keep[start..end].fill(false);
        }
        start = end + 1;
    }
    // A page that is nothing but links is a list that someone wanted.
    if !keep.contains(&true) {
        keep.fill(true);
    }
    blocks.into_iter().zip(keep).filter_map(|(r, k)| k.then_some(r.block)).collect()
}

#[cfg(test)]
mod tests {
    const PAGE: &str = r##"<!DOCTYPE html><html><head><title>Talks begin in Almaty | The Daily News</title>
<meta property="og:title" content="Talks begin in Almaty"><meta property="og:site_name" content="The Daily News"><style>p{}</style></head><body class="has-sidebar">
<div class="cookie-banner"><p>We use cookies to improve your experience.</p><button>Accept</button></div>
<nav><ul><li><a href="/">Home</a></li><li><a href="/w">World</a></li><li><a href="/s">Sport</a></li></ul></nav>
<div id="wrap"><div class="main"><article><h1>Talks begin in&nbsp;Almaty</h1><p class="byline">By Jane Doe</p>
<div class="share-buttons"><a href="#">Facebook</a> <a href="#">Twitter</a></div>
<p>The talks <b>began</b> on Monday, the <a href="/m">ministry</a> said, and they will go on for three days &amp; nights in the city of Almaty, with <em>all</em> parties present.</p>
<div class="ad-slot">ADVERTISEMENT</div>
<h2>What comes next</h2><p>Three things, according to the spokesman, who asked not to be named, are still to be settled before the end of the week:</p>
<ul><li>the border,</li><li>the <i>return</i> of prisoners,<ul><li>first the wounded</li></ul></li><li>trade.</li></ul>
<ol><li>One</li><li>Two</li></ol>
<blockquote><p>We are close to an agreement, closer than we have been for many years, and we will not waste it.</p></blockquote>
<table><tr><th>Year</th><th>Talks</th></tr><tr><td>2020</td><td>3</td></tr><tr><td>2021</td><td>5</td></tr></table>
<p>Run <code>cargo test</code>.<br>New line.</p><pre>let x = 1;
let y = 2;</pre>
<p><strong>Read more:</strong> <a href="/b">Bank raises rates</a></p>
<p>A last paragraph closes the article, so that readers know, with some more words, how the story of the talks ends.</p></article>
<div class="related"><h3>Related articles</h3><ul><li><a href="/1">Bank raises rates again</a></li><li><a href="/2">Storm nears the coast</a></li></ul></div>
<div id="comments"><h3>11 Comments</h3><p>Nonsense, all of it, says somebody who has not read a word of the article above.</p></div></div></div>
<footer><p>© 2024 The Daily News. All rights reserved.</p></footer><script>track();</script></body></html>"##;

    fn article(source: &str) -> crate::types::Article {
        crate::text::extract::extract(&crate::text::extract::tests::raw(
            crate::types::Format::Html,
            source,
        ))
        .unwrap()
    }

    #[test]
    fn the_article_and_nothing_else() {
        let article = article(PAGE);
        assert_eq!(article.title.as_deref(), Some("Talks begin in Almaty"));
        // The byline goes, as in a browser's reader mode.
        let expected = "The talks began on Monday, the ministry said, and they will go on for three days & nights in the city of Almaty, with all parties present.

## What comes next

Three things, according to the spokesman, who asked not to be named, are still to be settled before the end of the week:

- the border,
- the return of prisoners,
  - first the wounded
- trade.

1. One
2. Two

> We are close to an agreement, closer than we have been for many years, and we will not waste it.

| Year | Talks |
| --- | --- |
| 2020 | 3 |
| 2021 | 5 |

Run `cargo test`.
New line.

```
let x = 1;
let y = 2;
```

A last paragraph closes the article, so that readers know, with some more words, how the story of the talks ends.
";
        assert_eq!(article.text(), expected);
    }

    #[test]
    fn titles_without_the_name_of_the_site() {
        let title = |head: &str, h1: &str| {
            article(&format!("<title>{head}</title><h1>{h1}</h1><p>Text of it.</p>")).title
        };
        assert_eq!(
            title("Talks begin in Almaty - The News", "The News").as_deref(),
            Some("Talks begin in Almaty")
        );
        assert_eq!(
            title("The News", "Talks begin in Almaty").as_deref(),
            Some("Talks begin in Almaty")
        );
        assert_eq!(
            title("Almaty talks begin | The News", "Talks begin in Almaty").as_deref(),
            Some("Talks begin in Almaty")
        );
    }

    #[test]
    fn short_and_broken_pages_are_read_whole() {
        assert_eq!(article("<p>One<p>Two").text(), "One\n\nTwo\n");
        assert_eq!(
            article("<div>Talks <b>begin</div><br><br>Today").text(),
            "Talks begin\n\nToday\n"
        );
        assert_eq!(article("Just text").text(), "Just text\n");
    }

    #[test]
    fn endless_nesting_is_survived() {
        let deep = format!("{}the text{}", "<div>".repeat(50_000), "</div>".repeat(50_000));
        assert_eq!(article(&deep).blocks[0].text, "the text");
        let less = format!("{}the text{}", "<div>".repeat(1500), "</div>".repeat(1500));
        assert_eq!(article(&less).blocks[0].text, "the text");
    }
}
