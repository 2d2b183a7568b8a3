//! Which tags of a text belong together: those of HTML, and of template languages, that begin and
//! end on the same level.

use crate::text::html::{self, Place};
use crate::text::tag;
use crate::types::{Tag, TagKind};

/// What a point may be the beginning or the end of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Half<'a> {
    pub name: &'a str,
    pub is_end: bool,
}

/// Elements of HTML that have no end.
const VOID: &[&str] = &["br", "hr", "img", "input", "wbr", "area", "col", "embed", "source"];

/// Elements that are looked at for the beginning of the one that ends.
const DEEPEST: usize = 64;

/// Makes pairs of points that begin and end an element on the same level of markup. An element of
/// running text of which a part has only one end goes on in another part, beyond a line break; the
/// others stay points.
pub(super) fn pair(tags: &mut [Tag]) {
    // What is open: the number of the tag, and the name of an element; none of Markdown's own.
    let mut open: Vec<(usize, Option<String>)> = Vec::new();
    // Where the elements begin that are open on each level.
    let mut levels = vec![0];
    for number in 0..tags.len() {
        match tags[number].kind {
            TagKind::Open => {
                open.push((number, None));
                levels.push(open.len());
            }
            TagKind::Close if levels.len() > 1 => {
                let level = levels.pop().unwrap_or_default();
                open.truncate(level.saturating_sub(1));
            }
            // What it closes began before all that is open.
            TagKind::Close => open.clear(),
            TagKind::Point => {
                let Some(Half { name, is_end }) = half(&tags[number].markup) else { continue };
                if !is_end {
                    open.push((number, Some(name.to_string())));
                    continue;
                }
                let level = levels.last().copied().unwrap_or_default();
                let level = level.max(open.len().saturating_sub(DEEPEST));
                let is_own = |(_, other): &(usize, Option<String>)| other.as_deref() == Some(name);
                if let Some(own) = open[level..].iter().rposition(is_own) {
                    let first = open[level + own].0;
                    open.truncate(level + own);
                    tags[first].kind = TagKind::Open;
                    tags[number].kind = TagKind::Close;
                    continue;
                }
                let is_open =
                    open[level..].iter().any(|(other, _)| is_inline(&tags[*other].markup));
                if levels.len() == 1 && !is_open && is_inline(&tags[number].markup) {
                    tags[number].kind = TagKind::Close;
                    open.clear();
                    continue;
                }
                // What it ends is not on its level, and stays a point, too.
                let nearest = open.len().saturating_sub(DEEPEST);
                if let Some(own) = open[nearest..].iter().rposition(is_own) {
                    open[nearest + own].1 = None;
                }
            }
        }
    }
    for (number, name) in open {
        if name.is_some() && is_inline(&tags[number].markup) {
            tags[number].kind = TagKind::Open;
        }
    }
}

/// Whether a piece of markup is of an element of running text, as HTML has it.
fn is_inline(markup: &str) -> bool {
    let is_html = markup.starts_with('<') && !markup.starts_with("<!");
    let name = tag::name(markup).to_ascii_lowercase();
    is_html && matches!(html::place(&name), Place::Inline | Place::Code)
}

/// What a piece of markup begins or ends; none for what stands by itself.
pub(super) fn half(markup: &str) -> Option<Half<'_>> {
    let inner = |open: &str, close: &str| markup.strip_prefix(open)?.strip_suffix(close);
    if let Some(inside) = inner("{{<", ">}}").or_else(|| inner("{{%", "%}}")) {
        let inside = inside.trim();
        let is_alone = inside.ends_with('/');
        let (is_end, rest) =
            inside.strip_prefix('/').map_or((false, inside), |rest| (true, rest.trim_start()));
        return (!is_alone).then(|| Half { name: first_word(rest), is_end });
    }
    if let Some(inside) = inner("{%", "%}") {
        let name = first_word(inside.trim_matches(['-', '+', ' ', '\n', '\t']));
        return Some(match name.strip_prefix("end") {
            Some(name) if !name.is_empty() => Half { name, is_end: true },
            _ => Half { name, is_end: false },
        });
    }
    for (command, is_end) in [("\\begin{", false), ("\\end{", true)] {
        if let Some(rest) = markup.strip_prefix(command) {
            return rest.split_once('}').map(|(name, _)| Half { name, is_end });
        }
    }
    let inside = inner("<", ">")?;
    let (is_end, rest) = inside.strip_prefix('/').map_or((false, inside), |rest| (true, rest));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
    let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
    let is_void = VOID.iter().any(|void| void.eq_ignore_ascii_case(name));
    (!inside.ends_with('/') && !is_void && !inside.starts_with('!'))
        .then_some(Half { name, is_end })
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_on_one_level_are_pairs() {
        use TagKind::*;
        let shown = |markups: &[(&str, TagKind)]| {
            let tag = |(markup, kind): &(&str, TagKind)| Tag {
                at: 0,
                markup: markup.to_string(),
                kind: *kind,
            };
            let mut tags: Vec<Tag> = markups.iter().map(tag).collect();
            pair(&mut tags);
            tags.iter().map(|tag| tag.kind).collect::<Vec<_>>()
        };
        let points = |markups: &[&'static str]| {
            shown(&markups.iter().map(|markup| (*markup, Point)).collect::<Vec<_>>())
        };
        assert_eq!(points(&["<u>", "<br>", "</u>", "</p>"]), [Open, Point, Close, Point]);
        assert_eq!(points(&["</b>", "<u>", "<p>", "</i>"]), [Close, Open, Point, Point]);
        assert_eq!(points(&["<a href=\"x\">", "<b>", "</a>"]), [Open, Point, Close]);
        assert_eq!(points(&["{% if a %}", "{% endif %}"]), [Open, Close]);
        assert_eq!(points(&["\\begin{a}[b]", "\\end{a}"]), [Open, Close]);
        assert_eq!(points(&["{{< x 1 >}}", "{{< /x >}}", "{{< y />}}"]), [Open, Close, Point]);
        assert_eq!(
            shown(&[("<u>", Point), ("**", Open), ("</u>", Point), ("**", Close)]),
            [Point, Open, Point, Close]
        );
    }
}
