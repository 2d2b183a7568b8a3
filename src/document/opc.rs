//! The table of contents of an Office document: which part is of which type, and refers to which.

use super::edits::Edits;
use super::package::{Package, bad};
use super::part;
use super::xml::{Kind, Tokens};
use crate::error::Result;
use crate::text::tag;
use std::borrow::Cow;

/// The content types of the parts.
pub(super) struct Types(Vec<(String, String)>);

impl Types {
    /// Reads the table.
    ///
    /// # Errors
    /// When there is none, or it is not well formed.
    pub fn read(package: &mut Package, edits: &Edits, kind: &str) -> Result<Types> {
        let table = part::read(package, "[Content_Types].xml", edits)?
            .ok_or_else(|| bad(format!("expected {kind}, found no [Content_Types].xml in it")))?;
        let (mut defaults, mut overrides) = (Vec::new(), Vec::new());
        let mut tokens = Tokens::new(&table);
        while let Some(token) = tokens.next()? {
            if !matches!(token.kind, Kind::Start | Kind::Empty) {
                continue;
            }
            let get = |name| tag::value(token.raw, name).map(str::to_string);
            let Some(content) = get("ContentType") else { continue };
            match (get("PartName"), get("Extension")) {
                (Some(name), _) => overrides.push((name.trim_start_matches('/').into(), content)),
                (None, Some(extension)) => defaults.push((extension.to_lowercase(), content)),
                _ => {}
            }
        }
        for name in package.names() {
            let extension = name.rsplit('.').next().unwrap_or_default().to_lowercase();
            let default = defaults.iter().find(|(e, _)| *e == extension).map(|(_, t)| t.clone());
            let is_known = overrides.iter().any(|(n, _): &(String, String)| *n == name);
            if let Some(default) = default.filter(|t| t.ends_with("+xml") && !is_known) {
                overrides.push((name, default));
            }
        }
        Ok(Types(overrides))
    }

    /// The parts whose content type ends so.
    pub fn parts(&self, end: &str) -> impl Iterator<Item = &str> {
        let parts = self.0.iter().filter(move |(_, content)| content.ends_with(end));
        parts.map(|(name, _)| name.as_str())
    }

    /// The type of the document's main part.
    pub fn main(&self) -> Option<&str> {
        self.0.iter().map(|(_, content)| content.as_str()).find(|c| c.ends_with(".main+xml"))
    }
}

/// The parts that a part refers to, with the last word of the relation's type, in the order in
/// which it lists them.
///
/// # Errors
/// When its list is not well formed.
pub(super) fn relations(
    package: &mut Package,
    name: &str,
    edits: &Edits,
) -> Result<Vec<(String, String, String)>> {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let list = format!("{folder}/_rels/{file}.rels");
    let Some(list) = part::read(package, list.trim_start_matches('/'), edits)? else {
        return Ok(Vec::new());
    };
    let (mut found, mut tokens) = (Vec::new(), Tokens::new(&list));
    while let Some(token) = tokens.next()? {
        let get = |name| tag::value(token.raw, name);
        let is_tag = matches!(token.kind, Kind::Start | Kind::Empty);
        if !is_tag || get("TargetMode").is_some_and(|mode| mode.eq_ignore_ascii_case("external")) {
            continue;
        }
        if let (Some(id), Some(kind), Some(target)) = (get("Id"), get("Type"), get("Target")) {
            let kind = kind.rsplit('/').next().unwrap_or(kind);
            found.push((id.into(), kind.into(), resolve(folder, target)));
        }
    }
    Ok(found)
}

/// The name of a part by what is written in one that lies in a folder.
pub(super) fn resolve(folder: &str, target: &str) -> String {
    let target = target.split(['#', '?']).next().unwrap_or(target);
    let target = unescaped(target);
    let base = if target.starts_with('/') { "" } else { folder };
    let mut path: Vec<&str> = Vec::new();
    for step in base.split('/').chain(target.split('/')) {
        match step {
            "" | "." => {}
            ".." => _ = path.pop(),
            step => path.push(step),
        }
    }
    path.join("/")
}

/// A reference with its `%20` resolved.
fn unescaped(target: &str) -> Cow<'_, str> {
    if !target.contains('%') {
        return target.into();
    }
    let (mut out, mut rest) = (Vec::new(), target.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = code.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|_| byte == b'%') {
            Some(code) => {
                out.push(code);
                rest = &after[2..];
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned().into()
}

/// Whether the first bytes of an archive name a part in a folder.
pub(super) fn names(head: &[u8], folder: &str) -> bool {
    head.windows(folder.len() + 30)
        .any(|w| w.starts_with(b"PK\x03\x04") && w[30..].starts_with(folder.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_stay_in_the_container() {
        for (folder, target, name) in [
            ("ppt", "slides/slide1.xml", "ppt/slides/slide1.xml"),
            ("ppt/slides", "../notesSlides/n.xml", "ppt/notesSlides/n.xml"),
            ("ppt", "/ppt/a.xml", "ppt/a.xml"),
            ("OEBPS", "Text/a%20b.xhtml#c", "OEBPS/Text/a b.xhtml"),
            ("", "../../etc/passwd", "etc/passwd"),
            ("a", "100%", "a/100%"),
        ] {
            assert_eq!(resolve(folder, target), name);
        }
    }
}
