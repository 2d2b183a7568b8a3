//! What an instruction model answers, without what it says beside the summary.

use crate::text::sentences;
use crate::types::Lang;

/// The sentences of an answer: without a preamble that ends with a colon, headings, marks of lists
/// and emphasis, quotation marks round the whole, and what comes after a rule or names itself a
/// note.
pub(super) fn read(text: &str, language: &Lang) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("---") || line.starts_with("***") || is_note(line) {
            if lines.is_empty() {
                continue;
            }
            break;
        }
        let plain = without_marks(line);
        let is_preamble = lines.is_empty() && plain.ends_with([':', '：']);
        if !line.starts_with('#') && !is_preamble {
            lines.push(plain);
        }
    }
    let whole = lines.join("\n");
    let all = unquoted(whole.trim());
    let sentences = all.lines().flat_map(|line| sentences::split(line, language));
    sentences.map(|sentence| sentence.text).collect()
}

/// Whether a line is a remark about the answer.
fn is_note(line: &str) -> bool {
    let line = line.trim_start_matches(['(', '*', '_', '[']);
    ["Note:", "Note that", "Please note", "Let me know"].iter().any(|word| line.starts_with(word))
}

/// A line without the marks of Markdown: those of a list or of a number, and of emphasis.
fn without_marks(line: &str) -> String {
    let line = line.trim_start_matches(['-', '*', '•', '–', '>']).trim_start();
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = (1..=2).contains(&(line.len() - digits.len()));
    let numbered = digits.strip_prefix(['.', ')']).and_then(|rest| rest.strip_prefix(' '));
    let line = numbered.filter(|_| is_number).unwrap_or(line);
    line.replace("**", "").replace("__", "")
}

/// A text without the quotation marks round it, if they open and close nothing but the whole.
fn unquoted(text: &str) -> &str {
    let pairs = [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»'), ('「', '」')];
    let inner = pairs.iter().find_map(|&(open, close)| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        (!inner.contains([open, close])).then_some(inner)
    });
    inner.map_or(text, str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_beside_the_summary_is_left_out() {
        let plain = ["The bridge is closed.", "It reopens in May."];
        for text in [
            "The bridge is closed. It reopens in May.",
            "Here is a summary of the article:\n\nThe bridge is closed. It reopens in May.",
            "**Summary:**\n- The bridge is closed.\n- It reopens in May.",
            "# Summary\n1. The bridge is closed.\n2. It reopens in May.\n\nNote: This is short.",
            "\"The bridge is closed. It reopens in May.\"",
            "The bridge is **closed**.\nIt reopens in May.\n---\nAnything else?",
        ] {
            assert_eq!(read(text, &Lang::en()), plain, "{text}");
        }
    }

    #[test]
    fn what_belongs_to_it_stays() {
        for text in ["2024 was wet.", "3.5 million people left.", "\"Stay,\" he said. \"Please.\""]
        {
            assert_eq!(read(text, &Lang::en()).join(" "), text);
        }
        assert!(read(" \n", &Lang::en()).is_empty());
    }
}
