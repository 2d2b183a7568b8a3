//! Runs: text of one format.

use crate::text::tag;

/// Writes a run; `w` is the prefix of the vocabulary, `format` what is in its properties.
pub(super) fn write_run(out: &mut String, w: &str, format: &str, text: &str) {
    out.push_str(&format!("<{w}r>"));
    if !format.is_empty() {
        out.push_str(&format!("<{w}rPr>{format}</{w}rPr>"));
    }
    let is_bare = text.trim().len() == text.len() && !text.contains("  ");
    let space = if is_bare { "" } else { " xml:space=\"preserve\"" };
    out.push_str(&format!("<{w}t{space}>{}</{w}t></{w}r>", tag::escape(text)));
}
