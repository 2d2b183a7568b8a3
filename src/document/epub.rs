//! E-books.

use super::edits::{Edits, Shown};
use super::package::{Package, bad};
use super::xml::{Kind, Tokens};
use super::{DocumentFormat, Edit, Settings, html, opc, part};
use crate::error::Result;
use crate::text::tag;
use crate::types::Block;

/// E-books: the title, the chapters in their order, the tables of contents.
pub(super) static EPUB: DocumentFormat = DocumentFormat {
    name: "epub",
    extensions: &["epub"],
    detect: |head| {
        let kind = b"application/epub+zip";
        opc::names(head, "mimetype") && head.windows(kind.len()).any(|w| w == kind)
    },
    rewrite,
};

const KIND: &str = "an e-book (.epub)";

/// A file of the book.
struct Item {
    id: String,
    name: String,
    media: String,
    is_navigation: bool,
}

fn rewrite(
    bytes: &[u8],
    settings: &Settings,
    edit: &mut dyn FnMut(Block) -> Result<Edit>,
) -> Result<Vec<u8>> {
    let mut package = Package::open(bytes, settings, KIND)?;
    let mut edits = Edits::new(settings, edit);
    refuse_protected(&mut package, &edits)?;
    let container = part::read(&mut package, "META-INF/container.xml", &edits)?
        .ok_or_else(|| bad(format!("expected {KIND}, found no META-INF/container.xml in it")))?;
    let list = tags(&container)?
        .iter()
        .find(|raw| local(raw) == "rootfile")
        .and_then(|raw| tag::value(raw, "full-path"))
        .map(|path| opc::resolve("", path))
        .ok_or_else(|| bad(format!("expected {KIND}, found no list of its files named in it")))?;
    let opf = part::read(&mut package, &list, &edits)?
        .ok_or_else(|| bad(format!("expected {KIND}, found no {list} in it, its list of files")))?;
    let chapters = chapters(&opf, &list)?;
    let (mut title, mut tokens) = (String::with_capacity(opf.len()), Tokens::new(&opf));
    while let Some(token) = tokens.next()? {
        title.push_str(token.raw);
        if token.kind == Kind::Start && local(token.raw) == "title" {
            copy_text(&mut tokens, &mut title, Shown::heading(1), &mut edits)?;
        }
    }
    for item in &chapters {
        part::change(&mut package, &item.name, &mut edits, |source, edits| {
            match item.media.as_str() {
                "application/x-dtbncx+xml" => contents(source, edits),
                _ => html::copy(source, true, edits),
            }
        })?;
    }
    let new = if edits.has_replaced { with_language(&title, &edits)? } else { title };
    part::change(&mut package, &list, &mut edits, |_, _| Ok(new))?;
    package.finish(Some("mimetype"))
}

/// A book whose chapters are encrypted cannot be read; one whose fonts are is read.
fn refuse_protected(package: &mut Package, edits: &Edits) -> Result<()> {
    let Some(list) = part::read(package, "META-INF/encryption.xml", edits)? else { return Ok(()) };
    let is_font = |raw: &str| {
        let algorithm = tag::value(raw, "Algorithm").unwrap_or_default();
        algorithm.contains("idpf.org/2008/embedding") || algorithm.contains("ns.adobe.com/pdf/enc")
    };
    let tags = tags(&list)?;
    let mut methods = tags.iter().filter(|raw| local(raw) == "EncryptionMethod");
    match methods.all(|raw| is_font(raw)) {
        true => Ok(()),
        false => Err(bad("is protected against copying (DRM), so its text cannot be read")),
    }
}

/// The name of a tag without its prefix.
fn local(raw: &str) -> &str {
    tag::local(tag::name(raw))
}

/// The start tags of a part.
fn tags(source: &str) -> Result<Vec<&str>> {
    let (mut tags, mut tokens) = (Vec::new(), Tokens::new(source));
    while let Some(token) = tokens.next()? {
        if matches!(token.kind, Kind::Start | Kind::Empty) {
            tags.push(token.raw);
        }
    }
    Ok(tags)
}

/// The files with text: those of the spine in their order, then the tables of contents.
fn chapters(opf: &str, list: &str) -> Result<Vec<Item>> {
    let folder = list.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (mut items, mut spine) = (Vec::new(), Vec::new());
    for raw in tags(opf)? {
        let get = |name| tag::value(raw, name).unwrap_or_default().to_string();
        match local(raw) {
            "item" => items.push(Item {
                id: get("id"),
                name: opc::resolve(folder, &get("href")),
                media: get("media-type"),
                is_navigation: get("properties").split_whitespace().any(|p| p == "nav"),
            }),
            "itemref" => spine.push(get("idref")),
            _ => {}
        }
    }
    let is_page =
        |item: &Item| matches!(item.media.as_str(), "application/xhtml+xml" | "text/html");
    let mut chapters: Vec<Item> = Vec::new();
    for id in spine {
        if let Some(at) = items.iter().position(|item| item.id == id && is_page(item)) {
            chapters.push(items.swap_remove(at));
        }
    }
    let is_contents = |item: &Item| {
        item.media == "application/x-dtbncx+xml" || item.is_navigation && is_page(item)
    };
    items.sort_by(|a, b| a.name.cmp(&b.name));
    chapters.extend(items.into_iter().filter(is_contents));
    Ok(chapters)
}

/// The table of contents for old readers.
fn contents(source: &str, edits: &mut Edits) -> Result<String> {
    let (mut out, mut tokens) = (String::with_capacity(source.len()), Tokens::new(source));
    while let Some(token) = tokens.next()? {
        out.push_str(token.raw);
        if token.kind == Kind::Start && local(token.raw) == "text" {
            copy_text(&mut tokens, &mut out, Shown::item(0), edits)?;
        }
    }
    Ok(out)
}

/// Copies the text of an element that holds nothing else, up to its end tag.
fn copy_text(tokens: &mut Tokens, out: &mut String, shown: Shown, edits: &mut Edits) -> Result<()> {
    let mut text = String::new();
    while let Some(token) = tokens.next()? {
        if token.kind == Kind::Text {
            text.push_str(token.raw);
            continue;
        }
        let new = html::value(&text, shown, edits)?;
        out.push_str(&new.map_or(text, |new| tag::escape(&new)));
        out.push_str(token.raw);
        break;
    }
    Ok(())
}

/// The list of files with the language of the new texts, and their direction.
fn with_language(opf: &str, edits: &Edits) -> Result<String> {
    let Some(to) = edits.to() else { return Ok(opf.into()) };
    let (mut out, mut tokens, mut is_language) = (String::new(), Tokens::new(opf), false);
    while let Some(token) = tokens.next()? {
        let is_start = token.kind == Kind::Start;
        match (token.kind, local(token.raw), edits.is_rtl()) {
            (Kind::Text, _, _) if is_language => out.push_str(to.as_str()),
            (Kind::Start, "spine", Some(rtl))
                if rtl || tag::value(token.raw, "page-progression-direction").is_some() =>
            {
                let direction = if rtl { "rtl" } else { "ltr" };
                out.push_str(&tag::with(token.raw, "page-progression-direction", direction));
            }
            _ => out.push_str(token.raw),
        }
        is_language = is_start && local(token.raw) == "language";
    }
    Ok(out)
}
