//! Which format a file has: by its name, else by the look of its first bytes.

use crate::types::Format;

/// The extensions that are read inside folders, for messages.
pub(super) const KNOWN: &str = ".txt, .text, .md, .markdown, .html, .htm, .xhtml, .json, .jsonl, .ndjson, and each of them with .gz";

/// The format that a file name promises, `.gz` aside.
pub(super) fn of_name(name: &str) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    // A bare `.md` or `md` is a name, not an extension.
    let (stem, extension) = name.rsplit_once('.')?;
    if stem.is_empty() {
        return None;
    }
    match extension {
        "txt" | "text" => Some(Format::Text),
        "md" | "markdown" => Some(Format::Markdown),
        "html" | "htm" | "xhtml" => Some(Format::Html),
        "json" => Some(Format::Json),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        _ => None,
    }
}

/// The format that the first bytes look like; plain text when they look like nothing else.
pub(super) fn of_content(head: &[u8]) -> Format {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let mut tokens = head.iter().filter(|b| !b.is_ascii_whitespace());
    match (tokens.next(), tokens.next()) {
        (Some(b'{'), Some(b'"' | b'}')) => {
            return if first_line_is_object(head) { Format::Jsonl } else { Format::Json };
        }
        (Some(b'['), Some(b'{')) => return Format::Json,
        _ => {}
    }
    let start = String::from_utf8_lossy(&head[..head.len().min(1024)]).to_ascii_lowercase();
    let page = ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|tag| start.starts_with(tag))
        || ((start.starts_with("<?xml") || start.starts_with("<!--")) && start.contains("<html"));
    if page {
        return Format::Html;
    }
    let marks = start.bytes().take_while(|&b| b == b'#').count();
    if (1..=6).contains(&marks) && start.as_bytes().get(marks) == Some(&b' ') {
        Format::Markdown
    } else {
        Format::Text
    }
}

/// Whether a file called `.json` holds one object a line all the same.
pub(super) fn is_lines(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii();
    head.contains(&b'\n') && first_line_is_object(head)
}

fn first_line_is_object(head: &[u8]) -> bool {
    match head.iter().position(|&b| b == b'\n') {
        Some(end) => {
            serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&head[..end])
                .is_ok()
        }
        None => false,
    }
}

/// What a well-known file that is no text is, and what to do about it.
pub(super) fn not_text(head: &[u8]) -> Option<&'static str> {
    const SIGNATURES: [(&[u8], &str); 9] = [
        (b"%PDF-", "a PDF document; convert it first (for example with `pdftotext`)"),
        (
            b"PK\x03\x04",
            "a ZIP archive or an office document or e-book in one (docx, odt, epub); convert it first (for example with `pandoc`)",
        ),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
            "an old office document (doc, xls); convert it first",
        ),
        (b"{\\rtf", "an RTF document; convert it first (for example with `pandoc`)"),
        (b"\xFD7zXZ\x00", "an xz archive; unpack it first"),
        (b"BZh", "a bzip2 archive; unpack it first"),
        (b"\x28\xB5\x2F\xFD", "a Zstandard archive; unpack it first"),
        (b"\x89PNG\r\n\x1A\n", "a PNG image"),
        (b"\xFF\xD8\xFF", "a JPEG image"),
    ];
    SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_contents() {
        assert_eq!(of_name("A.TXT.GZ"), Some(Format::Text));
        assert_eq!(of_name("a.b.ndjson"), Some(Format::Jsonl));
        assert_eq!(
            (of_name(".md"), of_name("README"), of_name("a.pdf"), of_name("a.gz")),
            (None, None, None, None)
        );
        assert_eq!(of_content(b"\xEF\xBB\xBF <!DOCTYPE HTML><p>"), Format::Html);
        assert_eq!(of_content(b"[Reuters] Prices rose."), Format::Text);
        assert_eq!(of_content(b"{curly} words"), Format::Text);
        assert_eq!(of_content(b"# Title\n\nText"), Format::Markdown);
        assert_eq!(of_content(b"#tag first"), Format::Text);
        assert_eq!(of_content(b"[ {\"a\": 1}]"), Format::Json);
        assert_eq!(of_content(b"{\n \"a\": 1}"), Format::Json);
        assert_eq!(of_content(b"{\"a\": 1}\n{\"a\": 2}"), Format::Jsonl);
        assert!(is_lines(b"{\"a\": 1}\n{\"a\": 2}") && !is_lines(b"{\"a\": 1}\n"));
    }
}
