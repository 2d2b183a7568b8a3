//! The styles of an OpenDocument part: which differ, which mean code, and their language.

use super::super::edits::Edits;
use super::super::xml::{Kind, Token, Tokens};
use crate::error::Result;
use crate::text::tag;
use std::collections::HashMap;

/// The automatic styles of a part, which its program makes for every difference, even for who
/// wrote a word when.
pub(super) struct Styles(HashMap<String, Style>);

struct Style {
    parent: String,
    /// The first style that makes the same of a text; none if this makes nothing of it.
    same: Option<String>,
}

impl Styles {
    /// Reads the styles.
    ///
    /// # Errors
    /// When the part is not well formed.
    pub fn read(source: &str) -> Result<Styles> {
        let (mut styles, mut known) = (HashMap::new(), HashMap::new());
        let mut current: Option<(String, String, String)> = None;
        let mut tokens = Tokens::new(source);
        while let Some(token) = tokens.next()? {
            let get = |name| tag::value(token.raw, name).unwrap_or_default().to_string();
            match (token.name(), token.kind) {
                ("style:style", Kind::Start | Kind::Empty) => {
                    let parent = get("style:parent-style-name");
                    let means = format!("{} {parent}", get("style:family"));
                    current = Some((get("style:name"), parent, means));
                }
                ("style:style", Kind::End) => {}
                (_, Kind::Start | Kind::Empty) => {
                    if let Some((_, _, means)) = &mut current {
                        means.push_str(&properties(&token));
                    }
                }
                _ => {}
            }
            let ends = token.name() == "style:style" && token.kind != Kind::Start;
            if let Some((name, parent, means)) = current.take_if(|_| ends) {
                let is_nothing = means.trim_end() == "text";
                let first = known.entry(means).or_insert_with(|| name.clone()).clone();
                let same = (!is_nothing).then_some(first);
                styles.insert(name, Style { parent, same });
            }
        }
        Ok(Styles(styles))
    }

    /// The style that stands for all that make the same of a text; `None` for nothing at all.
    pub fn canonical<'a>(&'a self, style: &'a str) -> Option<&'a str> {
        match self.0.get(style) {
            Some(known) => known.same.as_deref(),
            None => Some(style).filter(|style| !style.is_empty()),
        }
    }

    /// Whether a style is for code.
    pub fn is_code(&self, style: &str) -> bool {
        let parent = self.0.get(style).map_or("", |style| style.parent.as_str());
        let is_code = |name: &str| {
            ["Source_20_Text", "Preformatted_20_Text", "User_20_Entry", "Code"].contains(&name)
        };
        is_code(style) || is_code(parent)
    }
}

/// The properties in a tag that change how a text looks.
fn properties(token: &Token) -> String {
    let noted = |name: &str| {
        name.ends_with(":rsid") || name.ends_with(":paragraph-rsid") || is_language(name).is_some()
    };
    let tag = tag::without(token.raw, noted);
    match tag::attributes(&tag).is_empty() {
        true => String::new(),
        false => tag.trim_end_matches('>').trim_end_matches('/').into(),
    }
}

/// The script whose language an attribute names, and whether it names the country.
fn is_language(name: &str) -> Option<(&'static str, bool)> {
    match name {
        "fo:language" => Some(("western", false)),
        "fo:country" => Some(("western", true)),
        "style:language-asian" => Some(("asian", false)),
        "style:country-asian" => Some(("asian", true)),
        "style:language-complex" => Some(("complex", false)),
        "style:country-complex" => Some(("complex", true)),
        _ => None,
    }
}

/// The part with the language and the direction of the new texts in all its styles.
///
/// # Errors
/// When it is not well formed.
pub(super) fn with_language(source: &str, edits: &Edits) -> Result<String> {
    let Some(to) = edits.to() else { return Ok(source.into()) };
    let script = match to.base() {
        "zh" | "ja" | "ko" | "yue" => "asian",
        _ if edits.is_rtl() == Some(true) => "complex",
        _ => "western",
    };
    let country = to.as_str().split('-').find(|part| part.len() == 2 && *part != to.base());
    let mode = if edits.is_rtl() == Some(true) { "rl-tb" } else { "lr-tb" };
    let (mut out, mut tokens) = (String::with_capacity(source.len()), Tokens::new(source));
    while let Some(token) = tokens.next()? {
        let has_marks = token.name().starts_with("style:") && token.kind != Kind::Text;
        let mut tag = token.raw.to_string();
        for attribute in tag::attributes(token.raw).iter().filter(|_| has_marks) {
            let (name, value) =
                (&token.raw[attribute.name.clone()], &token.raw[attribute.value.clone()]);
            match is_language(name) {
                Some((s, is_country)) if s == script && !matches!(value, "zxx") => {
                    let new = if is_country { country.unwrap_or("none") } else { to.base() };
                    tag = tag::with(&tag, name, new);
                }
                _ if name == "style:writing-mode" && matches!(value, "lr-tb" | "rl-tb") => {
                    tag = tag::with(&tag, name, mode);
                }
                _ => {}
            }
        }
        out.push_str(&tag);
    }
    Ok(out)
}
