//! Texts whose escapes were escaped once more, so that `\n` and `\u00e9` stand where a line break
//! and an é are meant.

use super::mend::code_unit;

/// A text without such escapes; `None` where it has none, or where a backslash may be meant, as in
/// the name of a file.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    if !text.contains('\\') || !has_letters(text) && !has_breaks(text) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (length, c) = match rest[1..].chars().next() {
            Some('n') => (2, Some('\n')),
            Some('r') => (2, (!rest[2..].starts_with("\\n")).then_some('\n')),
            Some('t') => (2, Some(' ')),
            Some(c @ ('"' | '\'' | '/' | '\\')) => (2, Some(c)),
            Some('u') => character(rest).map_or((1, Some('\\')), |(length, c)| (length, Some(c))),
            _ => (1, Some('\\')),
        };
        out.extend(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
    Some(out)
}

/// The character that a text begins with as `\uXXXX`, or as two of these, and their length.
fn character(text: &str) -> Option<(usize, char)> {
    let number = code_unit(text)?;
    match (number, text.get(6..).and_then(code_unit)) {
        (0xD800..0xDC00, Some(low @ 0xDC00..0xE000)) => {
            let number = 0x10000 + ((number - 0xD800) << 10) + (low - 0xDC00);
            Some((12, char::from_u32(number)?))
        }
        _ => Some((6, char::from_u32(number)?)),
    }
}

/// Whether letters are escaped, with letters or other escapes beside them as within a word.
fn has_letters(text: &str) -> bool {
    let is_within = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text.get(at + 6..).unwrap_or_default();
        before.is_some_and(char::is_alphabetic)
            || after.starts_with(char::is_alphabetic)
            || after.starts_with("\\u")
    };
    let mut letters = text.match_indices("\\u").filter(|&(at, _)| character(&text[at..]).is_some());
    letters.any(|(at, _)| is_within(at))
}

/// Whether line breaks are escaped: the text has no other ones, and they stand where lines end.
fn has_breaks(text: &str) -> bool {
    const ENDS: [char; 13] = ['.', '!', '?', '…', '"', '”', '»', ')', '>', '。', '！', '？', '।'];
    let mut is_sure = false;
    let all = text.match_indices("\\n").all(|(at, _)| {
        let before = text[..at].trim_end_matches("\\r");
        let after = &text[at + 2..];
        is_sure |= before.ends_with(ENDS) || after.starts_with("\\n") || after.starts_with("\\r");
        !(before.ends_with(char::is_alphanumeric) && after.starts_with(char::is_lowercase))
    });
    all && is_sure && !text.trim().contains('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_escapes_are_read() {
        for (text, expected) in [
            (r"Le pont est ferm\u00e9.\n\nIl rouvrira.", "Le pont est fermé.\n\nIl rouvrira."),
            (r"\u041c\u043e\u0441\u0442", "Мост"),
            (r"ferm\u00e9 \ud83d\ude00", "fermé 😀"),
            (r#"One.\r\nTwo \"three\"."#, "One.\nTwo \"three\"."),
            (r"<p>One</p>\n<p>Two</p>", "<p>One</p>\n<p>Two</p>"),
            (r"桥关了。\n船停了。", "桥关了。\n船停了。"),
        ] {
            assert_eq!(unescaped(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn backslashes_that_are_meant_stay() {
        for text in [
            r"The file is in C:\new\users\text.",
            r"Write \n for a line break, \u00e9 for an accent.",
            r"A pattern such as \u{e9}, and C:\dir\ as well.",
            "One.\nThe sign \\n. Two.",
            "No backslash.",
        ] {
            assert_eq!(unescaped(text), None, "{text}");
        }
    }
}
