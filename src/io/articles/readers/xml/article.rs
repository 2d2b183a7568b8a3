//! An article in an element of a feed or of a news file.

use crate::io::articles::decode::decode;
use crate::io::articles::options::ReadOptions;
use crate::io::articles::reader::Contents;
use crate::text::marks;
use crate::types::Markup;
use quick_xml::escape::{resolve_html5_entity, resolve_predefined_entity, unescape};
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use std::borrow::Cow;
use std::fmt::Write;

/// Elements that are one article each.
pub(super) const NAMES: [&str; 9] =
    ["item", "entry", "newsitem", "nitf", "article", "document", "doc", "story", "post"];

/// Makes an article of the bytes of an element; the error is a phrase that follows its place.
pub(super) fn parse(
    bytes: Vec<u8>,
    _: &ReadOptions,
    notes: &mut Vec<String>,
) -> Result<Contents, String> {
    let xml = decode(bytes, notes)?;
    let mut found = Found::default();
    if let Err(error) = found.read(&xml) {
        notes.push(format!("is not well-formed XML, and was read up to the error: {error}"));
    }
    found.contents(notes)
}

/// What an element is to the article.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// A title, the higher the better.
    Title(u8),
    /// A text; only a summary below [`FULL`].
    Text(u8),
    Subtitle,
    Id,
    Url,
    Date,
    Author,
}

/// The rank from which on a text is the whole one.
const FULL: u8 = 2;

/// The role of an element by its name and those around it, the article's own first.
fn role(name: &str, around: &[String]) -> Option<Role> {
    let (prefix, local) = name.rsplit_once(':').unwrap_or(("", name));
    if matches!(prefix, "media" | "itunes" | "googleplay" | "podcast" | "thr" | "slash") {
        return None;
    }
    let parent = around.last().map_or("", |name| name.rsplit(':').next().unwrap_or(name));
    let top = around.len() == 1;
    Some(match (local.to_ascii_lowercase().as_str(), top) {
        ("hl1" | "headline", _) => Role::Title(3),
        ("title" | "article-title", _)
            if top || matches!(parent, "itemMeta" | "head" | "title-group") =>
        {
            Role::Title(2)
        }
        ("hl2", _) if parent == "hedline" => Role::Subtitle,
        ("body.content" | "inlinedata", _) => Role::Text(3),
        ("body", _) if parent == "html" || top && around[0] != "nitf" => Role::Text(3),
        ("encoded" | "full-text" | "fulltext" | "content" | "text", true) => Role::Text(FULL),
        ("description" | "summary" | "abstract", true) => Role::Text(1),
        ("guid" | "id", true) => Role::Id,
        ("link" | "url", true) => Role::Url,
        ("pubdate" | "published" | "updated" | "date" | "issued", true) => Role::Date,
        ("contentcreated" | "versioncreated", _) => Role::Date,
        ("creator" | "author" | "byline" | "by", true) => Role::Author,
        ("byline" | "by", _) => Role::Author,
        _ => return None,
    })
}

/// The fields of an article as they are found.
#[derive(Default)]
struct Found {
    id: String,
    title: (u8, String),
    subtitle: String,
    /// Rank, text and markup of the best text.
    text: Option<(u8, String, Markup)>,
    url: String,
    date: String,
    author: String,
    /// Names of the elements that are open.
    open: Vec<String>,
    field: Option<Field>,
}

/// The field that is being read.
struct Field {
    role: Role,
    /// Elements around it.
    depth: usize,
    /// Whether its text is plain by declaration.
    plain: bool,
    /// Its text, with references resolved, as text that holds HTML has it.
    text: String,
    /// The same as HTML with the elements that are in it.
    html: String,
    elements: usize,
    /// The depth of an element whose text is not read.
    unread: Option<usize>,
    /// The depth of a caption in it.
    caption: Option<usize>,
}

impl Found {
    fn read(&mut self, xml: &str) -> Result<(), quick_xml::Error> {
        let mut reader = Reader::from_str(xml);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.allow_unmatched_ends = true;
        config.check_end_names = false;
        loop {
            match reader.read_event() {
                Ok(Event::Start(tag)) => self.start(&tag),
                Ok(Event::Empty(tag)) => {
                    self.start(&tag);
                    self.end();
                }
                Ok(Event::End(_)) => self.end(),
                Ok(Event::Text(text)) => self.text(&text.xml10_content()),
                Ok(Event::CData(data)) => self.text(&data.xml10_content()),
                Ok(Event::GeneralRef(reference)) => self.text(&resolved(&reference)),
                Ok(Event::Eof) => break,
                Ok(_) => {}
                Err(error) => {
                    self.finish();
                    return Err(error);
                }
            }
        }
        self.finish();
        Ok(())
    }

    fn start(&mut self, tag: &BytesStart) {
        let name = tag.name().into_inner();
        let attribute = |name: &str| {
            let found =
                tag.html_attributes().with_checks(false).flatten().find(|a| a.key.0 == name);
            let value = |a: Attribute| {
                unescape(&a.value).map_or_else(|_| a.value.to_string(), Cow::into_owned)
            };
            found.map(value).unwrap_or_default()
        };
        let depth = self.open.len();
        if depth == 0 {
            self.id = attribute("guid");
        }
        match (&mut self.field, role(name, &self.open)) {
            (Some(field), _) => field.start(name, depth),
            (None, Some(Role::Url))
                if self.url.is_empty()
                    && !attribute("href").is_empty()
                    && matches!(&*attribute("rel"), "" | "alternate") =>
            {
                self.url = attribute("href");
            }
            (None, Some(role)) if depth > 0 => {
                let plain = attribute("type") == "text";
                let (text, html) = (String::new(), String::new());
                let (elements, unread, caption) = (0, None, None);
                self.field =
                    Some(Field { role, depth, plain, text, html, elements, unread, caption });
            }
            _ => {}
        }
        self.open.push(name.to_string());
    }

    fn end(&mut self) {
        let Some(name) = self.open.pop() else { return };
        let depth = self.open.len();
        match &mut self.field {
            Some(field) if field.depth >= depth => self.finish(),
            Some(field) => field.end(&name, depth),
            None => {}
        }
    }

    fn text(&mut self, text: &str) {
        let is_read = |field: &&mut Field| field.unread.is_none() || field.caption.is_some();
        if let Some(field) = self.field.as_mut().filter(is_read) {
            if field.caption.is_none() {
                field.text.push_str(text);
            }
            for c in text.chars() {
                match c {
                    '&' => field.html.push_str("&amp;"),
                    '<' => field.html.push_str("&lt;"),
                    c => field.html.push(c),
                }
            }
        }
    }

    /// Takes in the field that has been read.
    fn finish(&mut self) {
        let Some(Field { role, text, html, elements, plain, .. }) = self.field.take() else {
            return;
        };
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return;
        }
        let fill = |place: &mut String, line: String| {
            if place.is_empty() {
                *place = line;
            }
        };
        match role {
            Role::Title(rank) if rank > self.title.0 => self.title = (rank, marks::without(&line)),
            Role::Title(_) => {}
            Role::Subtitle => fill(&mut self.subtitle, line),
            Role::Id => fill(&mut self.id, line),
            Role::Url => fill(&mut self.url, line),
            Role::Date => fill(&mut self.date, line),
            Role::Author => fill(&mut self.author, line),
            Role::Text(rank) => {
                let (text, markup) = match (elements > 0, plain) {
                    (true, _) => (html, Markup::Fragment),
                    (false, true) => (text, Markup::Plain),
                    (false, false) if marks::is_page(&text) => (text, Markup::Html),
                    (false, false) if marks::is_marked_up(&text) => (text, Markup::Fragment),
                    (false, false) => (text, Markup::Plain),
                };
                // A feed's description may be the whole text.
                let better = self.text.as_ref().is_none_or(|(best, other, _)| {
                    (text.len(), rank) > (other.len(), *best)
                        && (rank >= *best || text.len() > 2 * other.len())
                        || rank > *best && 2 * text.len() > other.len()
                });
                if better {
                    self.text = Some((rank, text, markup));
                }
            }
        }
    }

    fn contents(self, notes: &mut Vec<String>) -> Result<Contents, String> {
        let title = Some(self.title.1).filter(|title| !title.is_empty());
        let (mut text, markup) = match self.text {
            Some((rank, text, markup)) => {
                if rank < FULL {
                    notes.push("has no text but a description, which may be a part of it".into());
                }
                (text, markup)
            }
            None if title.is_some() => {
                notes.push("has no text but its title".into());
                (String::new(), Markup::Plain)
            }
            None => {
                let expected =
                    "content:encoded, content, description, summary, body.content or body";
                return Err(format!("has no text in an element of a usual name ({expected})"));
            }
        };
        if !self.subtitle.is_empty() && markup == Markup::Fragment {
            let escaped = self.subtitle.replace('&', "&amp;").replace('<', "&lt;");
            text.insert_str(0, &format!("<h2>{escaped}</h2>"));
        }
        let id = Some(self.id).filter(|id| !id.is_empty());
        let mut contents = Contents { id, title, ..Contents::of_text(text, markup) };
        contents.set("url", &self.url);
        contents.set("date", &self.date);
        contents.set("author", &self.author);
        Ok(contents)
    }
}

impl Field {
    fn start(&mut self, name: &str, depth: usize) {
        self.elements += 1;
        match element(name) {
            _ if self.unread.is_some() => {
                if self.caption.is_none() && is_caption(name) {
                    self.caption = Some(depth);
                    // It is told that it is left out.
                    self.html.push_str("<figcaption hidden>");
                }
            }
            None => drop(self.unread.get_or_insert(depth)),
            Some("") => {}
            Some(name) => drop(write!(self.html, "<{name}>")),
        }
    }

    fn end(&mut self, name: &str, depth: usize) {
        if self.caption == Some(depth) {
            self.caption = None;
            self.html.push_str("</figcaption>");
            return;
        }
        if self.unread == Some(depth) {
            self.unread = None;
            return;
        }
        match element(name) {
            _ if self.unread.is_some() => {}
            None | Some("" | "br" | "hr") => {}
            Some(name) => drop(write!(self.html, "</{name}>")),
        }
    }
}

/// Whether an element of a picture says what is to be seen.
fn is_caption(name: &str) -> bool {
    let local = name.rsplit(':').next().unwrap_or(name);
    ["media-caption", "figcaption", "caption"].iter().any(|known| local.eq_ignore_ascii_case(known))
}

/// The element of HTML that stands for one of another vocabulary, nothing for one that says nothing
/// about the layout; `None` for one that is no text.
fn element(name: &str) -> Option<&'static str> {
    const KEPT: [&str; 29] = [
        "p",
        "div",
        "br",
        "hr",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "table",
        "tr",
        "td",
        "th",
        "thead",
        "tbody",
        "pre",
        "code",
        "em",
        "strong",
        "b",
        "i",
        "dl",
        "dt",
        "dd",
    ];
    let local = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
    Some(match local.as_str() {
        "script" | "style" | "media" | "img" | "image" | "figure" | "video" | "audio"
        | "iframe" | "object" | "svg" => return None,
        "block" | "section" | "sec" | "article" => "div",
        "para" | "paragraph" | "lead" => "p",
        "hl1" | "hl2" | "heading" | "subheadline" | "title" => "h2",
        "bq" | "quote" => "blockquote",
        local => KEPT.iter().find(|kept| **kept == local).copied().unwrap_or_default(),
    })
}

/// The characters of a reference; those that XML does not know are HTML's, or stand as they are.
fn resolved(reference: &BytesRef) -> String {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return c.to_string();
    }
    let known = resolve_predefined_entity(reference).or_else(|| resolve_html5_entity(reference));
    known.map_or_else(|| format!("&{};", &**reference), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> (Contents, Vec<String>) {
        let mut notes = Vec::new();
        (parse(xml.into(), &ReadOptions::default(), &mut notes).unwrap(), notes)
    }

    #[test]
    fn an_item_of_rss() {
        let (found, notes) = read(
            "<item><title>A &amp;amp; &lt;i&gt;B&lt;/i&gt; caf&eacute;</title><media:title>no</media:title>\
             <link>https://example.org/a</link><guid>7</guid><description>In short.</description>\
             <content:encoded><![CDATA[<p>One &#233;.</p>]]><![CDATA[<p>Two.</p>]]></content:encoded></item>",
        );
        assert_eq!(found.title.as_deref(), Some("A & B café"));
        assert_eq!(
            (found.text.as_str(), found.markup),
            ("<p>One &#233;.</p><p>Two.</p>", Markup::Fragment)
        );
        assert_eq!(
            (found.id.as_deref(), found.extra["url"].as_str()),
            (Some("7"), Some("https://example.org/a"))
        );
        assert!(notes.is_empty());
        let (found, notes) =
            read("<item><title>A</title><description>In short.</description></item>");
        assert_eq!(found.text, "In short.");
        assert!(notes[0].contains("description"), "{notes:?}");
    }

    #[test]
    fn an_entry_of_atom() {
        let (found, _) = read(
            "<entry><title>T</title><link rel='self' href='x'/><link href='u'/><id>i</id><author><name>N</name></author>\
             <content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>1 &lt; <b>2</b></p><img src='x'/><h:p>Two.</h:p></div></content></entry>",
        );
        assert_eq!(found.text, "<div><p>1 &lt; <b>2</b></p><p>Two.</p></div>");
        assert_eq!(
            (found.extra["url"].as_str(), found.extra["author"].as_str()),
            (Some("u"), Some("N"))
        );
        let (found, _) =
            read("<entry><title>T</title><content type='text'>a &lt;b&gt; c</content></entry>");
        assert_eq!((found.text.as_str(), found.markup), ("a <b> c", Markup::Plain));
    }

    #[test]
    fn news_files() {
        let nitf = "<nitf><head><title>short</title></head><body><body.head><hedline><hl1>Long title</hl1><hl2>Second</hl2></hedline>\
            <byline>By N</byline></body.head><body.content><block><p>One.</p><media><media-caption><p>no</p></media-caption></media>\
            <p>Two <person>N</person>.</p></block></body.content></body></nitf>";
        let caption = "<figcaption hidden>no</figcaption>";
        let text = &format!("<h2>Second</h2><div><p>One.</p>{caption}<p>Two N.</p></div>");
        let text = text.as_str();
        let (found, _) = read(nitf);
        assert_eq!((found.title.as_deref(), found.text.as_str()), (Some("Long title"), text));
        let (found, _) = read(&format!(
            "<newsItem guid='urn:1'><itemMeta><title>meta</title></itemMeta><contentMeta><headline>H</headline></contentMeta>\
             <contentSet><inlineXML contenttype='application/nitf+xml'>{nitf}</inlineXML></contentSet></newsItem>"
        ));
        assert_eq!(
            (found.id.as_deref(), found.title.as_deref(), found.text.as_str()),
            (Some("urn:1"), Some("H"), text)
        );
        let (found, _) = read(
            "<newsItem><contentSet><inlineXML><html><head><title>T</title></head><body><p>One.</p></body></html></inlineXML></contentSet></newsItem>",
        );
        assert_eq!((found.title.as_deref(), found.text.as_str()), (Some("T"), "<p>One.</p>"));
    }

    #[test]
    fn entities_are_not_expanded_and_errors_are_noted() {
        let (found, _) = read(
            "<item><title>T</title><description>a &lol9; &amp; b &nosuch</description></item>",
        );
        assert!(found.text.starts_with("a &lol9; & b"), "{}", found.text);
        let (found, notes) =
            read("<item><title>T</title><description>One.</description><x <</item>");
        assert_eq!(found.text, "One.");
        assert!(!notes.is_empty());
    }
}
