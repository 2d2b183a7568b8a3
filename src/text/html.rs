//! HTML: the main content as a browser's reader mode finds it, then its blocks.

use super::boilerplate::{self, Verdict};
use super::extract::Found;
use crate::types::{Block, BlockKind};
use dom_query::{Document, NodeRef};
use dom_smoothie::{Config, Readability};
use regex::Regex;
use std::sync::LazyLock;

/// Classes and ids of what is not the article.
static UNWANTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[\s_-])(?:cookies?|consent|gdpr|newsletter|subscri(?:be|ption)|share|sharing|social|related|recommend(?:ed|ations)?|comments?|disqus|adverts?|advertisement|ads?|sponsor(?:ed)?|promo|outbrain|taboola|breadcrumbs?|paywall|popup|modal|sidebar|navbar|navigation|most-read|read-more|readmore|also-read|tags)(?:$|[\s_-])")
        .expect("the pattern is constant and tested")
});

/// Below so many characters, reader mode may have picked the wrong part.
const SHORT: usize = 200;

/// Reads a page, or a piece of one.
pub(super) fn read(source: &str) -> Found {
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

fn length(blocks: &[Reading]) -> usize {
    blocks.iter().map(|b| b.block.text.len()).sum()
}

fn reader_mode(document: Document) -> Vec<Reading> {
    let config = Config { disable_json_ld: true, ..Config::default() };
    let article = Readability::with_document(document, None, Some(config)).and_then(|mut r| r.parse());
    article.map(|a| walk(&Document::from(a.content).root())).unwrap_or_default()
}

/// Pages nested deeper than any real one, which a recursive reader does not survive.
fn is_too_deep(document: &Document) -> bool {
    const DEEPEST: usize = 400;
    let mut depth = 0usize;
    let mut deepest = 0;
    visit(&document.root(), &mut |_, entering| {
        if entering {
            depth += 1;
            deepest = deepest.max(depth);
        } else {
            depth -= 1;
        }
        deepest <= DEEPEST
    });
    deepest > DEEPEST
}

/// The headline: `og:title` or `<title>` without the site's name; the page's only `<h1>` where they agree.
fn title(document: &Document) -> Option<String> {
    let attribute = |selector: &str, name: &str| {
        document.try_select(selector).and_then(|s| s.attr(name)).map(|t| squeeze(&t)).filter(|t| !t.is_empty())
    };
    let text = |selector: &str| document.try_select(selector).map(|s| squeeze(&s.first().text())).filter(|t| !t.is_empty());
    let page = attribute("meta[property='og:title']", "content").or_else(|| text("head > title")).or_else(|| text("title"));
    let site = attribute("meta[property='og:site_name']", "content");
    let heading = text("h1");
    match (page, heading) {
        (None, heading) => heading,
        (Some(page), Some(heading)) if page.starts_with(&heading) || heading.starts_with(&page) => Some(heading),
        (Some(page), heading) => {
            let cut = without_site(&page, site.as_deref());
            Some(
                heading
                    .filter(|h| {
                        h.contains(cut.as_str()) || document.try_select("h1").is_some_and(|s| s.length() == 1) && h.len() >= cut.len() / 2
                    })
                    .unwrap_or(cut),
            )
        }
    }
}

/// "Headline | Site" without the site.
fn without_site(page: &str, site: Option<&str>) -> String {
    for separator in [" | ", " – ", " — ", " - ", " :: ", " · ", " » "] {
        if let Some((headline, rest)) = page.rsplit_once(separator) {
            let named = site.is_some_and(|s| rest.trim().eq_ignore_ascii_case(s));
            let short = site.is_none() && rest.split_whitespace().count() <= 4 && headline.split_whitespace().count() >= 3;
            if named || short {
                return headline.trim().to_string();
            }
        }
    }
    page.to_string()
}

/// Removes scripts, menus, buttons, and what its class or id names as no part of the article, unless it holds half of the page.
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
            let label = format!("{} {}", node.class().unwrap_or_default(), node.id_attr().unwrap_or_default());
            UNWANTED.is_match(&label) && !matches!(&*name, "html" | "body" | "main" | "article") && node.normalized_char_count() * 2 < total
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

/// Goes through the tree without recursion. `f` sees each node on entering and leaving; what it returns on entering says whether to go in.
fn visit(root: &NodeRef, f: &mut dyn FnMut(&NodeRef, bool) -> bool) {
    let mut next = root.first_child();
    while let Some(node) = next {
        next = if f(&node, true) { node.first_child() } else { None };
        if next.is_some() {
            continue;
        }
        let mut at = node;
        loop {
            f(&at, false);
            if let Some(sibling) = at.next_sibling() {
                next = Some(sibling);
                break;
            }
            match at.parent() {
                Some(parent) if parent.id != root.id => at = parent,
                _ => return,
            }
        }
    }
}

/// A block, and how much of its text is links.
struct Reading {
    block: Block,
    linked: usize,
}

/// Collects the blocks below a node.
fn walk(root: &NodeRef) -> Vec<Reading> {
    let mut writer = Writer::default();
    visit(root, &mut |node, entering| if entering { writer.enter(node) } else { writer.leave(node) });
    writer.flush("\n\n");
    writer.finish()
}

/// An open list: the number of its next item, or none where it has bullets.
struct List {
    number: Option<usize>,
}

#[derive(Default)]
struct Writer {
    out: Vec<Reading>,
    text: String,
    linked: usize,
    links: usize,
    quotes: usize,
    lists: Vec<List>,
    /// The marker of the item that has begun, until its first text.
    marker: Option<String>,
    heading: Option<usize>,
    pre: bool,
    head: usize,
}

impl Writer {
    fn enter(&mut self, node: &NodeRef) -> bool {
        if node.is_text() {
            if self.head == 0 {
                self.push(&node.text());
            }
            return false;
        }
        let name = node.node_name().unwrap_or_default();
        match &*name {
            "head" | "title" | "script" | "style" | "noscript" | "template" => {
                self.head += 1;
                return false;
            }
            "a" => self.links += 1,
            "br" => self.line_break(),
            "code" | "kbd" | "samp" if !self.pre => self.text.push('`'),
            "pre" => {
                self.flush("\n\n");
                self.pre = true;
            }
            "blockquote" => {
                self.flush("\n\n");
                self.quotes += 1;
            }
            "ul" | "menu" | "ol" => {
                self.flush("\n");
                let number = (&*name == "ol").then(|| node.attr("start").and_then(|s| s.parse().ok()).unwrap_or(1));
                self.lists.push(List { number });
            }
            "li" => {
                self.flush("\n");
                self.marker = Some(self.next_marker());
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush("\n\n");
                self.heading = name[1..].parse().ok();
            }
            "table" if is_data_table(node) => {
                self.flush("\n\n");
                self.table(node);
                return false;
            }
            "td" | "th" => self.flush("\n"),
            name if is_block(name) => self.flush("\n\n"),
            _ => {}
        }
        true
    }

    fn leave(&mut self, node: &NodeRef) -> bool {
        if node.is_text() {
            return true;
        }
        let name = node.node_name().unwrap_or_default();
        match &*name {
            "head" | "title" | "script" | "style" | "noscript" | "template" => self.head = self.head.saturating_sub(1),
            "a" => self.links = self.links.saturating_sub(1),
            "code" | "kbd" | "samp" if !self.pre => {
                // An empty pair of backticks would be text.
                if self.text.ends_with('`') && self.text.matches('`').count() % 2 == 1 {
                    self.text.pop();
                } else {
                    self.text.push('`');
                }
            }
            "pre" => {
                self.flush("\n\n");
                self.pre = false;
            }
            "blockquote" => {
                self.flush("\n\n");
                self.quotes = self.quotes.saturating_sub(1);
            }
            "ul" | "menu" | "ol" => {
                self.flush("\n");
                self.lists.pop();
            }
            "li" => {
                self.flush("\n");
                self.marker = None;
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush("\n\n");
                self.heading = None;
            }
            "td" | "th" => self.flush("\n"),
            name if is_block(name) => self.flush("\n\n"),
            _ => {}
        }
        true
    }

    /// Adds text; white space counts as one space outside of `<pre>`.
    fn push(&mut self, text: &str) {
        if self.pre {
            self.text.push_str(text);
            return;
        }
        let before = self.text.len();
        for c in text.chars() {
            if !c.is_whitespace() {
                self.text.push(c);
            } else if !self.text.is_empty() && !self.text.ends_with(' ') {
                self.text.push(' ');
            }
        }
        if self.links > 0 {
            self.linked += self.text.len() - before;
        }
    }

    fn line_break(&mut self) {
        if self.pre {
            self.text.push('\n');
        } else if self.text.trim().is_empty() {
            // The second of two line breaks ends a paragraph.
            if let Some(last) = self.out.last_mut().filter(|r| r.block.suffix == "\n") {
                last.block.suffix = "\n\n".into();
            }
        } else {
            self.flush("\n");
        }
    }

    fn next_marker(&mut self) -> String {
        let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(8));
        match self.lists.last_mut().and_then(|l| l.number.as_mut()) {
            Some(number) => {
                *number = number.saturating_add(1);
                format!("{indent}{}. ", *number - 1)
            }
            None => format!("{indent}- "),
        }
    }

    /// Ends the current block, if it has text.
    fn flush(&mut self, suffix: &str) {
        let text = std::mem::take(&mut self.text);
        let linked = std::mem::take(&mut self.linked);
        let text = if self.pre { text.trim_matches('\n') } else { text.trim() };
        if text.trim().is_empty() {
            if suffix == "\n\n"
                && let Some(last) = self.out.last_mut().filter(|r| r.block.suffix == "\n" && r.block.kind == BlockKind::Paragraph)
            {
                last.block.suffix = suffix.into();
            }
            return;
        }
        let quote = "> ".repeat(self.quotes.min(8));
        let (kind, prefix, suffix) = if self.pre {
            (BlockKind::Verbatim, format!("{quote}```\n"), "\n```\n\n".to_string())
        } else if let Some(level) = self.heading {
            (BlockKind::Heading, format!("{quote}{} ", "#".repeat(level)), "\n\n".to_string())
        } else if let Some(marker) = self.marker.take() {
            (BlockKind::Item, quote + &marker, "\n".to_string())
        } else if !self.lists.is_empty() {
            (BlockKind::Item, format!("{quote}{}", "  ".repeat(self.lists.len().min(8))), "\n".to_string())
        } else {
            (BlockKind::Paragraph, quote, suffix.to_string())
        };
        self.out.push(Reading { block: Block { kind, prefix, text: text.to_string(), suffix }, linked });
    }

    /// A table passes through, one line a row.
    fn table(&mut self, table: &NodeRef) {
        let mut rows: Vec<String> = Vec::new();
        visit(table, &mut |node, entering| {
            let name = node.node_name().unwrap_or_default();
            match (&*name, entering) {
                ("tr", true) => rows.push("|".into()),
                ("td" | "th", true) => {
                    if let Some(row) = rows.last_mut() {
                        row.push_str(&format!(" {} |", squeeze(&node.text())));
                    }
                    return false;
                }
                _ => {}
            }
            true
        });
        if let Some(first) = rows.first() {
            rows.insert(1, format!("|{}", " --- |".repeat(first.matches('|').count().saturating_sub(1))));
        }
        let block = Block { kind: BlockKind::Verbatim, prefix: String::new(), text: rows.join("\n"), suffix: "\n\n".into() };
        self.out.push(Reading { block, linked: 0 });
    }

    /// A list ends with a blank line, the text with one line break.
    fn finish(mut self) -> Vec<Reading> {
        for i in 0..self.out.len() {
            let next = self.out.get(i + 1).map(|r| r.block.kind);
            let block = &mut self.out[i].block;
            if block.kind == BlockKind::Item && next != Some(BlockKind::Item) {
                block.suffix = "\n\n".into();
            }
            if next.is_none() {
                let end = block.suffix.trim_end_matches('\n').len();
                block.suffix.truncate(end);
                block.suffix.push('\n');
            }
        }
        self.out
    }
}

/// Whether a table holds data, and is not there for the layout of the page.
fn is_data_table(table: &NodeRef) -> bool {
    let (mut rows, mut cells, mut layout) = (0, 0, false);
    visit(table, &mut |node, entering| {
        if entering {
            match &*node.node_name().unwrap_or_default() {
                "tr" => rows += 1,
                "td" | "th" => cells += 1,
                "table" | "h1" | "h2" | "h3" | "ul" | "ol" | "blockquote" | "article" | "section" => layout = true,
                "p" | "div" => layout |= node.normalized_char_count() > 200,
                _ => {}
            }
        }
        !layout
    });
    !layout && rows >= 2 && cells >= 2 * rows
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "legend"
            | "main"
            | "nav"
            | "option"
            | "p"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "tr"
    )
}

/// Drops what is only links: three in a row, or any after a line such as "Related articles".
fn without_link_lists(blocks: Vec<Reading>) -> Vec<Block> {
    let is_link = |r: &Reading| r.block.kind != BlockKind::Heading && r.linked * 10 >= r.block.text.len() * 9 && r.block.text.len() < 400;
    let mut keep = vec![true; blocks.len()];
    let mut start = 0;
    while start < blocks.len() {
        let end = start + blocks[start..].iter().take_while(|r| is_link(r)).count();
        let announced = start > 0 && boilerplate::judge(&blocks[start - 1].block.text) == Verdict::Anywhere;
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

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
