//! A web page as a flat tree: its nodes in the order of the source, each with the end of its
//! subtree, and what its text amounts to.

use crate::text::language::script;
use dom_query::{Document, NodeRef};

/// Attributes that the readings look at.
const ATTRIBUTES: [&str; 21] = [
    "aria-hidden",
    "class",
    "content",
    "datetime",
    "hidden",
    "href",
    "id",
    "itemprop",
    "itemtype",
    "lang",
    "name",
    "property",
    "rel",
    "role",
    "start",
    "style",
    "translate",
    "type",
    "width",
    "height",
    "for",
];

/// A node of the page: an element, or a piece of text (whose tag is empty).
pub(super) struct Node {
    /// Name of the element; empty for text.
    pub(super) tag: String,
    /// The text of a piece of text.
    pub(super) text: String,
    attributes: Vec<(&'static str, String)>,
    /// Words of class and id, in lower case.
    pub(super) names: Vec<String>,
    pub(super) parent: usize,
    /// Index after the last node below this one.
    pub(super) end: usize,
}

impl Node {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
    }

    pub(super) fn is_text(&self) -> bool {
        self.tag.is_empty()
    }

    /// Whether the page hides it from readers of the screen.
    pub(super) fn is_hidden(&self) -> bool {
        self.attribute("hidden").is_some()
            || self.attribute("style").is_some_and(|s| {
                let bare: String = s.split_whitespace().collect();
                bare.contains("display:none") || bare.contains("visibility:hidden")
            })
    }
}

/// A page: `nodes[0]` is its root.
pub(super) struct Page {
    pub(super) nodes: Vec<Node>,
}

impl Page {
    /// Parses a source.
    pub(super) fn parse(source: &str) -> Page {
        let document = Document::from(source);
        let mut nodes = vec![Node {
            tag: "#root".into(),
            text: String::new(),
            attributes: Vec::new(),
            names: Vec::new(),
            parent: 0,
            end: 0,
        }];
        let mut open = vec![0];
        visit(&document.root(), &mut |node, entering| {
            let text = node.is_text();
            if !text && !node.is_element() {
                return false;
            }
            if !entering {
                if let Some(index) = open.pop() {
                    nodes[index].end = nodes.len();
                }
                return true;
            }
            let parent = open.last().copied().unwrap_or(0);
            open.push(nodes.len());
            nodes.push(convert(node, text, parent));
            true
        });
        nodes[0].end = nodes.len();
        Page { nodes }
    }

    /// Text below a node, leaving out what `skip` says, its words divided by single spaces.
    pub(super) fn text_of(&self, index: usize, skip: impl Fn(usize) -> bool) -> String {
        let mut out = String::new();
        let mut at = index;
        while at < self.nodes[index].end.max(index + 1) {
            let node = &self.nodes[at];
            if skip(at) || matches!(&*node.tag, "script" | "style" | "template" | "rt" | "rp") {
                at = node.end;
                continue;
            }
            if is_block(&node.tag) || node.tag == "br" {
                out.push(' ');
            }
            out.push_str(&node.text);
            at += 1;
        }
        super::found::one_line(&out)
    }

    /// The nodes below one, itself left out, in the order of the source.
    pub(super) fn below(&self, index: usize) -> std::ops::Range<usize> {
        index + 1..self.nodes[index].end
    }

    /// The nodes right below one.
    pub(super) fn children(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        self.below(index).filter(move |&at| self.nodes[at].parent == index)
    }

    /// Whether the first node is the second or above it.
    pub(super) fn holds(&self, upper: usize, lower: usize) -> bool {
        upper <= lower && lower < self.nodes[upper].end
    }

    /// The nodes above one, from its parent to the root.
    pub(super) fn above(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let mut at = index;
        std::iter::from_fn(move || {
            (at != 0).then(|| {
                at = self.nodes[at].parent;
                at
            })
        })
    }
}

fn convert(node: &NodeRef, text: bool, parent: usize) -> Node {
    let tag = if text { String::new() } else { node.node_name().unwrap_or_default().to_string() };
    let attributes: Vec<(&str, String)> = if text {
        Vec::new()
    } else {
        let all = node.attrs();
        ATTRIBUTES
            .iter()
            .filter_map(|name| {
                let found = all.iter().find(|a| &*a.name.local == *name)?;
                Some((*name, found.value.to_string()))
            })
            .collect()
    };
    let heading = matches!(&*tag, "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
    let names = attributes
        .iter()
        .filter_map(|(name, value)| match *name {
            "class" => Some(words_of(value)),
            // The id of a heading, and a long one, is often made of its text.
            "id" if !heading => Some(words_of(value)).filter(|words| words.len() <= 4),
            _ => None,
        })
        .flatten()
        .collect();
    let text = if text { node.text().to_string() } else { String::new() };
    Node { tag, text, attributes, names, parent, end: 0 }
}

/// The words of a class or id in lower case: `relatedArticles-box` is three.
fn words_of(label: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for c in label.chars().take(1000) {
        let ends = !c.is_alphanumeric() || c.is_uppercase() && lower;
        if ends && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        lower = c.is_lowercase();
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

/// Length of a text as a reader sees it: a character of a script without letters counts as two and
/// a half.
pub(super) fn weight(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let (mut narrow, mut wide) = (0, 0);
    for c in text.chars() {
        if c > '\u{e00}' && script::of(c).is_unspaced() {
            wide += 1;
        } else {
            narrow += 1;
        }
    }
    narrow + wide * 5 / 2
}

/// What the text of an element amounts to, without what is gone.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Measure {
    /// Characters.
    pub(super) chars: usize,
    /// Those in links.
    pub(super) linked: usize,
    /// Those in passages of prose.
    pub(super) prose: usize,
    /// Passages of prose.
    pub(super) passages: usize,
    /// Characters of passages that are no prose and no headings, and their number.
    pub(super) scraps: usize,
    /// Elements of forms: fields and buttons.
    pub(super) fields: usize,
    /// Links.
    pub(super) links: usize,
}

impl Measure {
    fn add(&mut self, other: Measure) {
        self.chars += other.chars;
        self.linked += other.linked;
        self.prose += other.prose;
        self.passages += other.passages;
        self.scraps += other.scraps;
        self.fields += other.fields;
        self.links += other.links;
    }

    /// What is left of it without a part.
    pub(super) fn less(self, part: Measure) -> Measure {
        Measure {
            chars: self.chars.saturating_sub(part.chars),
            linked: self.linked.saturating_sub(part.linked),
            prose: self.prose.saturating_sub(part.prose),
            passages: self.passages.saturating_sub(part.passages),
            scraps: self.scraps.saturating_sub(part.scraps),
            fields: self.fields.saturating_sub(part.fields),
            links: self.links.saturating_sub(part.links),
        }
    }

    /// Value of an element as the article: its prose less what comes along with it.
    pub(super) fn value(&self) -> i64 {
        self.prose as i64 - self.scraps as i64 * 12 - self.linked as i64
    }
}

/// The measures of all elements of a page, and the prose that stands before each.
pub(super) struct Measures {
    of: Vec<Measure>,
    before: Vec<usize>,
}

impl Measures {
    /// Prose of the page before an element.
    pub(super) fn before(&self, node: usize) -> usize {
        self.before[node]
    }
}

impl std::ops::Index<usize> for Measures {
    type Output = Measure;

    fn index(&self, node: usize) -> &Measure {
        &self.of[node]
    }
}

/// Measures all elements of a page; the nodes for which `gone` is true count for nothing.
pub(super) fn measure(page: &Page, gone: &[bool]) -> Measures {
    let nodes = &page.nodes;
    let mut out = vec![Measure::default(); nodes.len()];
    let mut run = Run::default();
    let (mut links_end, mut at) = (0, 0);
    // Blocks that are open, by the index after them.
    let mut open: Vec<usize> = Vec::new();
    while at < nodes.len() {
        while open.last().is_some_and(|&b| nodes[b].end <= at) {
            run.end(page, &mut out);
            open.pop();
        }
        let node = &nodes[at];
        let field = matches!(&*node.tag, "input" | "button" | "select" | "textarea");
        if field && node.attribute("type") != Some("hidden") {
            out[at].fields += 1;
        }
        if gone[at] {
            at = node.end.max(at + 1);
            continue;
        }
        if node.is_text() {
            let block = open.last().copied().unwrap_or(0);
            run.push(block, &node.text, at < links_end);
        } else {
            if node.tag == "a" {
                links_end = node.end;
                out[at].links += 1;
            }
            if is_block(&node.tag) {
                run.end(page, &mut out);
                open.push(at);
            }
        }
        at += 1;
    }
    run.end(page, &mut out);
    let mut prose = 0;
    let mut before = Vec::with_capacity(out.len());
    for own in &out {
        before.push(prose);
        prose += own.prose;
    }
    for i in (1..nodes.len()).rev() {
        let own = out[i];
        out[nodes[i].parent].add(own);
    }
    Measures { of: out, before }
}

/// Inline text between two borders of blocks.
#[derive(Default)]
struct Run {
    block: usize,
    text: String,
    linked: usize,
}

impl Run {
    fn push(&mut self, block: usize, text: &str, linked: bool) {
        self.block = block;
        let before = self.text.len();
        for word in text.split_whitespace() {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
        if linked {
            self.linked += weight(&self.text[before..]);
        }
    }

    fn end(&mut self, page: &Page, out: &mut [Measure]) {
        let run = std::mem::take(self);
        if run.text.is_empty() {
            return;
        }
        let chars = weight(&run.text);
        let measure = &mut out[run.block];
        measure.chars += chars;
        measure.linked += run.linked.min(chars);
        let tag = &*page.nodes[run.block].tag;
        let heading = matches!(tag, "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
        if heading {
        } else if is_prose(&run.text, chars, run.linked) {
            measure.prose += chars;
            measure.passages += 1;
        } else if !matches!(tag, "p" | "blockquote" | "td" | "th" | "li" | "dd" | "dt" | "pre") {
            measure.scraps += 1;
        }
    }
}

/// Whether a passage reads like prose: long, or a sentence, and not of links.
pub(super) fn is_prose(text: &str, chars: usize, linked: usize) -> bool {
    let stopped = text
        .trim_end_matches(['"', '”', '»', '’', ')', '\''])
        .ends_with(['.', '!', '?', '…', ':', '。', '！', '？', '」', '।', '։', '؟', '۔']);
    chars >= 100 && linked * 2 < chars || chars >= 40 && stopped && linked * 3 < chars
}

/// Length of a block's text if it is prose.
pub(super) fn prose(text: &str, linked: usize) -> usize {
    let chars = weight(text);
    if is_prose(text, chars, linked) { chars } else { 0 }
}

/// Whether an element begins and ends a block of text.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "button"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// Walks the tree without recursion and calls `f` with each node on entering (`true`) and on
/// leaving it (`false`). The children of a node are visited when `f` returns `true` on entering.
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
