//! What a page says about itself: in JSON-LD, microdata, Open Graph and other `<meta>` tags.

use super::body;
use super::found::one_line;
use super::page::{Page, weight};
use crate::text::json::escapes::unescaped;
use crate::text::json::mend::mended;
use crate::types::Lang;
use serde_json::{Map, Value};

/// Depth to which JSON-LD is looked into.
const DEEPEST: usize = 12;

/// What a page says about itself.
#[derive(Debug, Default)]
pub(super) struct About {
    /// Texts of articles that the page gives as data, each with its headline.
    bodies: Vec<(String, String)>,
    /// Headlines that the page declares, best first.
    pub(super) headlines: Vec<String>,
    /// Names that the site goes by.
    pub(super) sites: Vec<String>,
    author: Option<String>,
    published: Option<String>,
    language: Option<String>,
    url: Option<String>,
    description: Option<String>,
}

impl About {
    pub(super) fn new(page: &Page) -> About {
        let mut about = About::default();
        about.names(page);
        for node in page.nodes.iter().filter(|n| n.tag == "script") {
            let is_data = node.attribute("type").is_some_and(|t| {
                t.trim()
                    .split(';')
                    .next()
                    .is_some_and(|t| t.eq_ignore_ascii_case("application/ld+json"))
            });
            if is_data && let Some(value) = json_of(page, node.end) {
                about.data(&value, 0);
            }
        }
        about.meta(page);
        about.microdata(page);
        let data = page.nodes.iter().filter(|n| n.tag == "meta");
        let body = data.filter(|n| n.attribute("itemprop") == Some("articleBody"));
        let body = body.filter_map(|n| n.attribute("content")).map(str::to_string);
        about.bodies.extend(body.map(|body| (String::new(), body)));
        // An address names its site, too, but less well.
        let host = about.url.as_deref().and_then(|u| u.split('/').nth(2)).map(str::to_string);
        about.sites.extend(host);
        about
    }

    /// Text of the article, where the page gives it as data.
    pub(super) fn body(&self, title: Option<&str>) -> Option<&str> {
        body::of_headline(&self.bodies, title)
    }

    /// What the page tells other sites that the article is about, where that is a sentence or more.
    pub(super) fn description(&self) -> Option<&str> {
        const SHORTEST: usize = 60;
        self.description.as_deref().filter(|text| weight(text) >= SHORTEST)
    }

    /// The headline and the name of the site, as the page tells other sites.
    fn names(&mut self, page: &Page) {
        self.headlines.extend(meta(page, &["og:title"]));
        for name in ["og:site_name", "application-name", "twitter:site"] {
            let name = meta(page, &[name]).map(|n| n.trim_start_matches('@').to_string());
            self.sites.extend(name);
        }
    }

    fn meta(&mut self, page: &Page) {
        let meta = |names| meta(page, names);
        let named = |text: &String| !text.starts_with("http");
        fill(&mut self.author, meta(&["author", "article:author", "dc.creator"]).filter(named));
        let published = ["article:published_time", "datepublished", "dc.date", "date", "pubdate"];
        fill(&mut self.published, meta(&published));
        let description = ["og:description", "twitter:description", "description"];
        fill(&mut self.description, meta(&description));
        let canonical = page.nodes.iter().find(|n| {
            n.tag == "link"
                && n.attribute("rel").is_some_and(|r| r.eq_ignore_ascii_case("canonical"))
        });
        let canonical = canonical.and_then(|n| n.attribute("href")).map(one_line);
        let url = canonical.or_else(|| meta(&["og:url"])).filter(|u| u.starts_with("http"));
        self.url = url.or(self.url.take());
        let html = page.nodes.iter().find(|n| n.tag == "html");
        let language = html.and_then(|n| n.attribute("lang")).map(str::to_string);
        fill(&mut self.language, language.or_else(|| meta(&["og:locale"])));
    }

    fn microdata(&mut self, page: &Page) {
        let property = |wanted: &str| {
            let at = page.nodes.iter().position(|n| n.attribute("itemprop") == Some(wanted))?;
            let node = &page.nodes[at];
            let value = node.attribute("datetime").or(node.attribute("content")).map(one_line);
            value.or_else(|| Some(page.text_of(at, |_| false))).filter(|v| !v.is_empty())
        };
        let short = |text: &String| text.len() < 200;
        fill(&mut self.published, property("datePublished").filter(short));
        fill(&mut self.author, property("author").filter(short));
        let time = || {
            let pubdate = page.nodes.iter().find(|n| n.tag == "time")?;
            pubdate.attribute("datetime").map(one_line).filter(|d| !d.is_empty())
        };
        if self.published.is_none() {
            self.published = time();
        }
    }

    /// Takes what JSON-LD says about the article and its site.
    fn data(&mut self, value: &Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let object = match value {
            Value::Array(items) => return items.iter().for_each(|v| self.data(v, depth + 1)),
            Value::Object(object) => object,
            _ => return,
        };
        let kinds = texts(object.get("@type"));
        let is = |end: &str| kinds.iter().any(|k| k.ends_with(end));
        if is("Article") || is("Posting") || is("Report") || is("Review") {
            let headline = text_at(object, "headline").or_else(|| text_at(object, "name"));
            let body = body_of(object).into_iter().chain(updates(object)).collect::<Vec<_>>();
            if !body.is_empty() {
                self.bodies.push((headline.unwrap_or_default(), body.join("\n\n")));
            }
            self.headlines.extend(text_at(object, "headline"));
            self.sites.extend(names(object.get("publisher")));
            let authors = names(object.get("author"));
            fill(&mut self.author, (!authors.is_empty()).then(|| authors.join(", ")));
            fill(&mut self.published, text_at(object, "datePublished"));
            fill(&mut self.language, text_at(object, "inLanguage"));
            fill(&mut self.url, text_at(object, "url").filter(|u| u.starts_with("http")));
        } else if is("WebSite") || is("Organization") {
            self.sites.extend(text_at(object, "name"));
        }
        for key in
            ["@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item", "hasPart"]
        {
            if let Some(inner) = object.get(key) {
                self.data(inner, depth + 1);
            }
        }
    }

    /// Writes author, date, site, language and address among an article's fields, unless it has
    /// them.
    pub(super) fn fields(&self) -> Map<String, Value> {
        let language = self.language.as_deref().and_then(Lang::parse);
        let fields = [
            ("author", self.author.clone()),
            ("published", self.published.clone()),
            ("site", self.sites.first().cloned()),
            ("language", language.map(|l| l.as_str().to_string())),
            ("url", self.url.clone()),
        ];
        let told = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        told.filter(|(_, v)| v.len() < 1000).map(|(name, v)| (name.into(), v.into())).collect()
    }
}

/// The content of the first `<meta>` tag of one of the names.
fn meta(page: &Page, names: &[&str]) -> Option<String> {
    names.iter().find_map(|wanted| {
        page.nodes.iter().filter(|n| n.tag == "meta").find_map(|n| {
            let name = n.attribute("property").or(n.attribute("name"))?;
            let content = n.attribute("content").map(one_line)?;
            (name.eq_ignore_ascii_case(wanted) && !content.is_empty()).then_some(content)
        })
    })
}

fn fill(slot: &mut Option<String>, value: Option<String>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// The text of an article, which may be a list of its paragraphs.
fn body_of(object: &Map<String, Value>) -> Option<String> {
    ["articleBody", "reviewBody", "text"].iter().find_map(|key| {
        let paragraphs = texts(object.get(*key));
        let text = paragraphs.join("\n\n");
        let text = unescaped(&text).unwrap_or(text);
        (!text.trim().is_empty()).then_some(text)
    })
}

/// The entries of a live blog, each under its headline.
fn updates(object: &Map<String, Value>) -> Vec<String> {
    let entries = match object.get("liveBlogUpdate") {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(entry) => std::slice::from_ref(entry),
        None => &[],
    };
    let entries = entries.iter().filter_map(Value::as_object);
    entries.flat_map(|entry| text_at(entry, "headline").into_iter().chain(body_of(entry))).collect()
}

/// The JSON in a script, which ends at `end`: all its values, up to what is broken beyond repair.
fn json_of(page: &Page, end: usize) -> Option<Value> {
    let text = &page.nodes.get(end.checked_sub(1)?)?.text;
    let text = text.trim().trim_start_matches("<!--").trim_end_matches("-->").trim();
    let wrappers = [("/*<![CDATA[*/", "/*]]>*/"), ("//<![CDATA[", "//]]>"), ("<![CDATA[", "]]>")];
    let unwrapped = wrappers.iter().find_map(|(open, close)| {
        Some(text.strip_prefix(open)?.trim_end().trim_end_matches(close))
    });
    let text = unwrapped.unwrap_or(text).trim_start_matches('\u{feff}');
    serde_json::from_str(text).ok().or_else(|| {
        let is_escaped = !text.contains('"');
        let text = if is_escaped { &text.replace("&quot;", "\"") } else { text };
        // Pages write line breaks into strings as they are, and commas after the last member.
        let plain = mended(text);
        let values = serde_json::Deserializer::from_str(plain.as_deref().unwrap_or(text));
        let values: Vec<Value> = values.into_iter().map_while(Result::ok).collect();
        (!values.is_empty()).then_some(Value::Array(values))
    })
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(str::to_string).collect()
        }
        _ => Vec::new(),
    }
}

fn text_at(object: &Map<String, Value>, key: &str) -> Option<String> {
    let text = object.get(key).and_then(Value::as_str)?;
    let text = unescaped(text).map_or_else(|| one_line(text), |text| one_line(&text));
    (!text.is_empty()).then_some(text)
}

/// The names of persons or organizations.
fn names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(name)) => {
            Some(one_line(name)).filter(|n| !n.is_empty()).into_iter().collect()
        }
        Some(Value::Object(object)) => text_at(object, "name").into_iter().collect(),
        Some(Value::Array(items)) => {
            items.iter().filter(|v| !v.is_array()).flat_map(|v| names(Some(v))).collect()
        }
        _ => Vec::new(),
    }
}
